#include "daemon/gpu/foreign_filter.h"

#include <algorithm>
#include <cmath>

namespace nightshift::daemon {

namespace {
constexpr Bytes kSettled = mebibytes(8);
}

Bytes ForeignFilter::update(Bytes measured, Millis at) {
    const Millis passed{std::max<std::int64_t>(0, (at - at_).value)};
    at_ = at;
    measured_ = measured;
    if (!has_value_ || measured >= value_) {
        has_value_ = true;
        value_ = measured;
        return value_;
    }
    const double left = std::exp(-static_cast<double>(passed.value) / static_cast<double>(kFall.value));
    const double above = static_cast<double>((value_ - measured).value) * left;
    value_ = measured + Bytes{static_cast<std::int64_t>(above)};
    if (value_ - measured <= kSettled) value_ = measured;
    return value_;
}

}  // namespace nightshift::daemon
