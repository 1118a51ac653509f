#include "daemon/system_clock.h"

#include <chrono>

namespace nightshift::daemon {

UnixMs SystemClock::now() const {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return UnixMs{std::chrono::duration_cast<std::chrono::milliseconds>(now).count()} + shift_.value();
}

Millis SystemClock::steady() const {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::milliseconds>(now).count()};
}

}  // namespace nightshift::daemon
