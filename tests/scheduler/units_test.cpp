#include "scheduler/units.h"

#include <doctest/doctest.h>

using namespace nightshift;

TEST_CASE("units: sizes are read in binary and decimal units") {
    CHECK(parse_bytes("4096").value() == Bytes{4096});
    CHECK(parse_bytes("3GiB").value() == gibibytes(3));
    CHECK(parse_bytes("512 MiB").value() == mebibytes(512));
    CHECK(parse_bytes(" 3g ").value() == gibibytes(3));
    CHECK(parse_bytes("1.5GB").value() == Bytes{1'500'000'000});
    CHECK(parse_bytes("0.5GiB").value() == mebibytes(512));
    CHECK(parse_bytes("2K").value() == Bytes{2048});
    CHECK(parse_bytes("1TiB").value() == gibibytes(1024));
    CHECK(parse_bytes("0").value() == Bytes{0});
    CHECK(parse_bytes("1.1MiB").value() == Bytes{1153433});
}

TEST_CASE("units: what is not a size is refused with a hint") {
    for (const char* text : {"", " ", "-1", "GiB", "3 bananas", "1..5GiB", "1.", "1.5", "1e9",
                             "99999999999TiB", "3GiB4", "0x10", "9223372036854775808", "1.1234567GiB"}) {
        const auto bytes = parse_bytes(text);
        CAPTURE(text);
        REQUIRE_FALSE(bytes.has_value());
        CHECK(bytes.error().code == ErrorCode::kInvalidArgument);
        CHECK_FALSE(bytes.error().hint.empty());
    }
}

TEST_CASE("units: durations are read alone and as sums") {
    CHECK(parse_duration("90s").value() == seconds(90));
    CHECK(parse_duration("15m").value() == minutes(15));
    CHECK(parse_duration("7h").value() == hours(7));
    CHECK(parse_duration("2d").value() == hours(48));
    CHECK(parse_duration("250ms").value() == Millis{250});
    CHECK(parse_duration("1h30m").value() == minutes(90));
    CHECK(parse_duration("1h 30m").value() == minutes(90));
    CHECK(parse_duration("60").value() == seconds(60));
    CHECK(parse_duration("1.5h").value() == minutes(90));
    CHECK(parse_duration("365d").value() == hours(24 * 365));
}

TEST_CASE("units: what is not a duration is refused") {
    for (const char* text :
         {"", "-5s", "h", "5 fortnights", "1h30", "3651d", "99999999999999999999s", "1h-5m"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_duration(text).has_value());
    }
}

TEST_CASE("units: sizes and durations are written for people") {
    CHECK(format_bytes(gibibytes(7)) == "7.0 GiB");
    CHECK(format_bytes(Bytes{gibibytes(7).value + gibibytes(3).value / 10}) == "7.3 GiB");
    CHECK(format_bytes(mebibytes(512)) == "512 MiB");
    CHECK(format_bytes(Bytes{0}) == "0 B");
    CHECK(format_bytes(gibibytes(2048)) == "2.0 TiB");
    CHECK(format_bytes(Bytes{INT64_MIN}).front() == '-');
    CHECK(format_duration(minutes(125)) == "2 h 05 min");
    CHECK(format_duration(seconds(35)) == "35 s");
    CHECK(format_duration(hours(76)) == "3 d 4 h");
    CHECK(format_duration(seconds(61)) == "1 min 01 s");
    CHECK(format_duration(Millis{250}) == "250 ms");
    CHECK(format_duration(Millis{-60'000}) == "-1 min");
}
