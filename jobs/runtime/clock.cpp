#include "jobs/runtime/clock.h"

#include <chrono>

namespace nightshift::jobs {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

UnixMs wall_now() {
    return {duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
}

Millis steady_now() {
    return {duration_cast<milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count()};
}

}  // namespace nightshift::jobs
