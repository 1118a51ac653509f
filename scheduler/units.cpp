#include "scheduler/units.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <optional>

namespace nightshift {
namespace {

constexpr std::int64_t kDurationMsMax = 10LL * 365 * 24 * 3'600'000;
constexpr std::size_t kTextMax = 64;

Error bad(std::string_view text, std::string_view what, std::string_view hint) {
    return Error{ErrorCode::kInvalidArgument, what == "size" ? "bad_size" : "bad_duration",
                 "\"" + std::string(text.substr(0, kTextMax)) + "\" is not a " + std::string(what) + ".",
                 std::string(hint), ""};
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
    return text;
}

/// A decimal number as whole + fraction / scale, so that 1.1GiB needs no floating point.
struct Decimal {
    std::int64_t whole = 0;
    std::int64_t fraction = 0;
    std::int64_t scale = 1;
};

/// Takes a decimal number off the front. Nothing when there is none or it has too many digits.
std::optional<Decimal> take_decimal(std::string_view& text) {
    constexpr std::size_t kFractionDigitsMax = 6;
    Decimal number;
    const auto whole = std::from_chars(text.data(), text.data() + text.size(), number.whole);
    if (whole.ec != std::errc{} || text.front() == '-') return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(whole.ptr - text.data()));
    if (text.empty() || text.front() != '.') return number;
    text.remove_prefix(1);
    std::size_t digits = 0;
    while (!text.empty() && std::isdigit(static_cast<unsigned char>(text.front()))) {
        if (++digits > kFractionDigitsMax) return std::nullopt;
        number.fraction = number.fraction * 10 + (text.front() - '0');
        number.scale *= 10;
        text.remove_prefix(1);
    }
    if (digits == 0) return std::nullopt;
    return number;
}

/// number * unit, rounded down; nothing on overflow.
std::optional<std::int64_t> scaled(const Decimal& number, std::int64_t unit) {
    std::int64_t whole = 0;
    std::int64_t part = 0;
    if (__builtin_mul_overflow(number.whole, unit, &whole)) return std::nullopt;
    if (__builtin_mul_overflow(number.fraction, unit, &part)) return std::nullopt;
    std::int64_t sum = 0;
    if (__builtin_add_overflow(whole, part / number.scale, &sum)) return std::nullopt;
    return sum;
}

struct Unit {
    std::string_view name;
    std::int64_t factor;
};

constexpr std::int64_t kKi = 1024;
constexpr std::array kByteUnits{
    Unit{"b", 1},
    Unit{"k", kKi},
    Unit{"kib", kKi},
    Unit{"kb", 1000},
    Unit{"m", kKi* kKi},
    Unit{"mib", kKi* kKi},
    Unit{"mb", 1'000'000},
    Unit{"g", kKi* kKi* kKi},
    Unit{"gib", kKi* kKi* kKi},
    Unit{"gb", 1'000'000'000},
    Unit{"t", kKi* kKi* kKi* kKi},
    Unit{"tib", kKi* kKi* kKi* kKi},
    Unit{"tb", 1'000'000'000'000},
};
constexpr std::array kTimeUnits{
    Unit{"ms", 1},       Unit{"s", 1000},      Unit{"m", 60'000},
    Unit{"min", 60'000}, Unit{"h", 3'600'000}, Unit{"d", 86'400'000},
};

template <std::size_t N>
std::optional<std::int64_t> factor_of(const std::array<Unit, N>& units, std::string_view name) {
    std::string lower;
    for (const char c : name) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    for (const Unit& unit : units) {
        if (unit.name == lower) return unit.factor;
    }
    return std::nullopt;
}

}  // namespace

Bytes operator+(Bytes a, Bytes b) {
    std::int64_t sum = 0;
    NIGHTSHIFT_ASSERT(!__builtin_add_overflow(a.value, b.value, &sum));
    return Bytes{sum};
}

Bytes operator-(Bytes a, Bytes b) {
    std::int64_t difference = 0;
    NIGHTSHIFT_ASSERT(!__builtin_sub_overflow(a.value, b.value, &difference));
    return Bytes{difference};
}

Result<Bytes> parse_bytes(std::string_view text) {
    constexpr std::string_view kHint = "Write a size like \"3GiB\", \"512MiB\" or a whole number of bytes.";
    std::string_view rest = trim(text);
    if (rest.empty() || rest.size() > kTextMax) return bad(text, "size", kHint);
    const auto number = take_decimal(rest);
    if (!number) return bad(text, "size", kHint);
    rest = trim(rest);
    if (rest.empty()) {
        if (number->scale != 1) return bad(text, "size", kHint);
        return Bytes{number->whole};
    }
    const auto factor = factor_of(kByteUnits, rest);
    if (!factor) return bad(text, "size", kHint);
    const auto bytes = scaled(*number, *factor);
    if (!bytes) return bad(text, "size", "The number is too large; the most is about 8 million TiB.");
    return Bytes{*bytes};
}

Result<Millis> parse_duration(std::string_view text) {
    constexpr std::string_view kHint = "Write a duration like \"90s\", \"15m\", \"7h\" or \"1h30m\".";
    std::string_view rest = trim(text);
    if (rest.empty() || rest.size() > kTextMax) return bad(text, "duration", kHint);
    std::int64_t total = 0;
    bool is_first = true;
    while (!rest.empty()) {
        const auto number = take_decimal(rest);
        if (!number) return bad(text, "duration", kHint);
        rest = trim(rest);
        std::size_t letters = 0;
        while (letters < rest.size() && std::isalpha(static_cast<unsigned char>(rest[letters]))) ++letters;
        const bool is_bare = letters == 0 && rest.empty() && is_first && number->scale == 1;
        const auto factor =
            is_bare ? std::optional<std::int64_t>{1000} : factor_of(kTimeUnits, rest.substr(0, letters));
        if (!factor) return bad(text, "duration", kHint);
        const auto part = scaled(*number, *factor);
        if (!part || *part > kDurationMsMax - total) {
            return bad(text, "duration", "It is longer than 10 years; write a shorter one.");
        }
        total += *part;
        rest = trim(rest.substr(letters));
        is_first = false;
    }
    return Millis{total};
}

std::string format_bytes(Bytes bytes) {
    const bool is_negative = bytes.value < 0;
    // Not negated: the smallest integer has no positive twin.
    const double size = is_negative ? -static_cast<double>(bytes.value) : static_cast<double>(bytes.value);
    char out[48];
    constexpr double kGi = 1024.0 * 1024.0 * 1024.0;
    if (size >= kGi * 1024.0) {
        std::snprintf(out, sizeof out, "%.1f TiB", size / kGi / 1024.0);
    } else if (size >= kGi) {
        std::snprintf(out, sizeof out, "%.1f GiB", size / kGi);
    } else if (size >= 1024.0 * 1024.0) {
        std::snprintf(out, sizeof out, "%.0f MiB", size / 1024.0 / 1024.0);
    } else if (size >= 1024.0) {
        std::snprintf(out, sizeof out, "%.0f KiB", size / 1024.0);
    } else {
        std::snprintf(out, sizeof out, "%.0f B", size);
    }
    return is_negative ? "-" + std::string(out) : out;
}

std::string format_duration(Millis duration) {
    if (duration.value < 0) return "-" + format_duration(Millis{-std::max(duration.value, -kDurationMsMax)});
    const auto total = static_cast<long long>(duration.value / 1000);
    char out[64];
    if (total >= 86'400) {
        std::snprintf(out, sizeof out, "%lld d %lld h", total / 86'400, total % 86'400 / 3'600);
    } else if (total >= 3'600) {
        std::snprintf(out, sizeof out, "%lld h %02lld min", total / 3'600, total % 3'600 / 60);
    } else if (total >= 600 || (total >= 60 && total % 60 == 0)) {
        std::snprintf(out, sizeof out, "%lld min", total / 60);
    } else if (total >= 60) {
        std::snprintf(out, sizeof out, "%lld min %02lld s", total / 60, total % 60);
    } else if (total > 0 || duration.value == 0) {
        std::snprintf(out, sizeof out, "%lld s", total);
    } else {
        std::snprintf(out, sizeof out, "%lld ms", static_cast<long long>(duration.value));
    }
    return out;
}

}  // namespace nightshift
