#include "jobs/runtime/scratch_file.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "jobs/runtime/job_impl.h"
#include "tests/jobs/models/temporary_folder.h"

using namespace nightshift::jobs;
using nightshift::tests::TemporaryFolder;

namespace {

std::string read(const ScratchFile& file, std::uint64_t offset, std::size_t count) {
    std::string out(count, ' ');
    file.read(offset, out);
    return out;
}

}  // namespace

TEST_CASE("scratch file: gives back what was appended, and nobody sees it in its folder") {
    const TemporaryFolder folder;
    ScratchFile file(folder.path());
    file.append(std::string("night"));
    CHECK(std::string(file.mapped().begin(), file.mapped().end()) == "night");
    file.append(std::string("shift"));
    CHECK(file.size() == 10);
    CHECK(read(file, 3, 4) == "htsh");
    CHECK(std::string(file.mapped().begin(), file.mapped().end()) == "nightshift");
    CHECK(std::filesystem::is_empty(folder.path()));
    const ScratchFile moved = std::move(file);
    CHECK(read(moved, 5, 5) == "shift");
}

TEST_CASE("scratch file: beyond the end and without a folder it says what it could not do, and where") {
    const TemporaryFolder folder;
    ScratchFile file(folder.path());
    file.append(std::string("night"));
    CHECK_THROWS_WITH_AS(read(file, 3, 4), doctest::Contains("cannot read"), JobError);
    const std::filesystem::path missing = folder.path() / "없음";
    CHECK_THROWS_WITH_AS(ScratchFile{missing}, doctest::Contains("없음"), JobError);
}
