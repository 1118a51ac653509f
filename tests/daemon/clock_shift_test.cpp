#include "daemon/clock_shift.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "daemon/system_clock.h"
#include "tests/support/scratch_folder.h"

namespace nightshift::daemon {

namespace {

struct Variable {
    explicit Variable(const std::string& value) { setenv("NIGHTSHIFT_CLOCK_SHIFT", value.c_str(), 1); }
    ~Variable() { unsetenv("NIGHTSHIFT_CLOCK_SHIFT"); }
};

void write(const std::filesystem::path& path, std::int64_t shift) {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    if (!file.is_open()) file.open(path, std::ios::binary | std::ios::out);
    file.write(reinterpret_cast<const char*>(&shift), sizeof shift);
}

}  // namespace

TEST_CASE("clock shift: a file moves the wall clock of a running program, and only that") {
    const tests::ScratchFolder folder;
    write(folder / "시계", 0);
    const Variable variable((folder / "시계").string());
    const SystemClock clock;
    const UnixMs before = clock.now();
    const Millis steady = clock.steady();
    write(folder / "시계", -hours(24).value);
    CHECK(clock.now() < before);
    CHECK(before < clock.now() + hours(25));
    CHECK_FALSE(clock.steady() < steady);
    write(folder / "시계", hours(24).value);
    CHECK(before + hours(24) <= clock.now());
}

TEST_CASE("clock shift: without the variable nothing moves, with a wrong one nothing starts") {
    CHECK(ClockShift().value().value == 0);
    const tests::ScratchFolder folder;
    const Variable variable((folder / "missing").string());
    CHECK_THROWS_AS(ClockShift(), std::runtime_error);
    std::ofstream(folder / "missing") << "short";
    CHECK_THROWS_AS(ClockShift(), std::runtime_error);
}

}  // namespace nightshift::daemon
