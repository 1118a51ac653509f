#include "daemon/cli/torture_cut.h"

#include <doctest/doctest.h>

#include <string>

#include "daemon/cli/torture_jobs.h"

namespace nightshift::cli {

namespace {

constexpr std::size_t kPage = 512;

std::string number(std::uint32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 255U);
    return bytes;
}

std::string header(const std::string& salts) {
    return number(0x377f0683) + number(3007000) + number(kPage) + number(0) + salts + std::string(8, 'c');
}

std::string frame(const std::string& salts, std::uint32_t pages_after_commit) {
    return number(1) + number(pages_after_commit) + salts + std::string(8, 'c') + std::string(kPage, 'p');
}

}  // namespace

TEST_CASE("torture cut: the log ends with its last commit, older runs and half frames do not count") {
    const std::string salts = "saltSALT";
    const std::string committed = header(salts) + frame(salts, 0) + frame(salts, 2) + frame(salts, 3);
    const std::string begun = frame(salts, 0), older = frame("oldsalts", 9);
    const LogShape shape = shape_of(committed + begun + older + older.substr(0, 100));
    CHECK(shape.page_bytes == kPage);
    CHECK(shape.frames == 4);
    CHECK(shape.committed_end == static_cast<std::int64_t>(committed.size()));
    CHECK(shape.before_last == static_cast<std::int64_t>(committed.size() - frame(salts, 3).size()));
}

TEST_CASE("torture cut: what is no log has no shape") {
    CHECK(shape_of("").page_bytes == 0);
    CHECK(shape_of(std::string(31, 'x')).page_bytes == 0);
    CHECK(shape_of(std::string(5000, 'x')).page_bytes == 0);
}

TEST_CASE("torture jobs: a line that is no number of a job is seen as such") {
    CHECK(jobs_in_record("1\n12\n") == std::vector<std::int64_t>{1, 12});
    CHECK(jobs_in_record("1\nx\n 3\n0\n4 4\n") == std::vector<std::int64_t>{1, -1, -1, -1, -1});
}

}  // namespace nightshift::cli
