#include "jobs/basic/output_log.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::jobs;

namespace {

struct LogFixture {
    tests::ScratchFolder folder;
    std::string path = (folder / "stdout.log").string();
    int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ~LogFixture() { ::close(fd); }

    std::string text() const {
        std::ifstream file(path, std::ios::binary);
        std::ostringstream all;
        all << file.rdbuf();
        return all.str();
    }
    std::int64_t room_on_disk() const {
        struct stat status {};
        REQUIRE(::stat(path.c_str(), &status) == 0);
        return std::int64_t{status.st_blocks} * 512;
    }
};

}  // namespace

TEST_CASE("output log: what fits is kept byte for byte, and no room behind it") {
    LogFixture f;
    OutputLog log(f.fd, Bytes{1000});
    log.write("one\n");
    log.write(std::string_view("\0\xff\r", 3));
    log.finish();
    CHECK(f.text() == std::string("one\n\0\xff\r", 7));
    CHECK(f.room_on_disk() <= 8192);
}

TEST_CASE("output log: the limit keeps the begin and the end, and counts what is missing") {
    LogFixture f;
    OutputLog log(f.fd, Bytes{10});
    log.write("0123456789");
    CHECK(f.text() == "0123456789");
    const std::string line(99, 'x');
    for (int i = 0; i < 1000; ++i) log.write(line + "\n");
    log.write("the end");
    log.finish();
    const std::string text = f.text();
    const std::string begin =
        "0123456789\nnightshift: the output passed 10 B; from here on only its end is kept (limits.log of "
        "the policy)\n";
    REQUIRE(text.starts_with(begin));
    const std::size_t mark = text.find("nightshift: dropped ");
    REQUIRE(mark != std::string::npos);
    const std::size_t end = text.find('\n', mark) + 1;
    const std::int64_t dropped = std::stoll(text.substr(mark + 20));
    const std::string kept = text.substr(end);
    CHECK(static_cast<std::int64_t>(kept.size()) + dropped == 1000 * 100 + 7);
    CHECK(kept.size() <= kLogTailBytesMax);
    CHECK(kept.starts_with(line + "\n"));
    CHECK(kept.ends_with(line + "\nthe end"));
}

TEST_CASE("output log: a little more than the limit loses nothing") {
    LogFixture f;
    OutputLog log(f.fd, Bytes{4});
    log.write("abcde\nfgh");
    log.finish();
    CHECK(f.text().starts_with("abcd\nnightshift: "));
    CHECK(f.text().ends_with("\ne\nfgh"));
    CHECK(f.text().find("dropped") == std::string::npos);
}

TEST_CASE("output log: one line that never ends is cut in the middle and ends with its end") {
    LogFixture f;
    OutputLog log(f.fd, Bytes{100});
    for (int i = 0; i < 64; ++i) log.write(std::string(64 * 1024, 'y'));
    log.write("z");
    log.finish();
    CHECK(f.text().size() < 100 + kLogTailBytesMax + 1024);
    CHECK(f.text().ends_with("yz"));
}

TEST_CASE("output log: a descriptor that takes nothing is counted, not an error") {
    const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    REQUIRE(full >= 0);
    OutputLog log(full, Bytes{1000});
    log.write("lost");
    log.write("lost, too");
    log.finish();
    ::close(full);
}
