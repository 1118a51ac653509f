#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "scheduler/result.h"

namespace nightshift {

/// A size in bytes. Sums are checked by assertion: no ledger wraps around silently.
struct Bytes {
    std::int64_t value = 0;
    friend auto operator<=>(const Bytes&, const Bytes&) = default;
};
Bytes operator+(Bytes a, Bytes b);
Bytes operator-(Bytes a, Bytes b);
inline Bytes& operator+=(Bytes& a, Bytes b) {
    return a = a + b;
}
inline Bytes& operator-=(Bytes& a, Bytes b) {
    return a = a - b;
}
constexpr Bytes mebibytes(std::int64_t n) {
    return Bytes{n * 1024 * 1024};
}
constexpr Bytes gibibytes(std::int64_t n) {
    return Bytes{n * 1024 * 1024 * 1024};
}

/// A length of time in milliseconds.
struct Millis {
    std::int64_t value = 0;
    friend auto operator<=>(const Millis&, const Millis&) = default;
};
inline constexpr Millis operator+(Millis a, Millis b) {
    return {a.value + b.value};
}
inline constexpr Millis operator-(Millis a, Millis b) {
    return {a.value - b.value};
}
constexpr Millis seconds(std::int64_t n) {
    return Millis{n * 1000};
}
constexpr Millis minutes(std::int64_t n) {
    return Millis{n * 60'000};
}
constexpr Millis hours(std::int64_t n) {
    return Millis{n * 3'600'000};
}

/// An instant: milliseconds since 1970-01-01T00:00:00Z on the wall clock.
struct UnixMs {
    std::int64_t value = 0;
    friend auto operator<=>(const UnixMs&, const UnixMs&) = default;
};
inline constexpr UnixMs operator+(UnixMs t, Millis d) {
    return {t.value + d.value};
}
inline constexpr UnixMs operator-(UnixMs t, Millis d) {
    return {t.value - d.value};
}
inline constexpr Millis operator-(UnixMs a, UnixMs b) {
    return {a.value - b.value};
}

/// Parses "3GiB", "512 MiB", "1.5GB", "4096" (bare integers are bytes). KiB/MiB/GiB/TiB are powers
/// of 1024, KB/MB/GB/TB powers of 1000, K/M/G/T alone mean the binary ones. Fails: invalid_argument.
Result<Bytes> parse_bytes(std::string_view text);

/// Parses "90s", "15m", "7h", "2d", "250ms", sums like "1h30m", and bare integers as seconds.
/// Fails: invalid_argument, also for negative or overlong (> 10 years) values.
Result<Millis> parse_duration(std::string_view text);

/// "7.3 GiB", "512 MiB": one decimal from GiB upwards, none below.
std::string format_bytes(Bytes bytes);

/// "2 h 05 min", "35 s", "3 d 4 h".
std::string format_duration(Millis duration);

}  // namespace nightshift
