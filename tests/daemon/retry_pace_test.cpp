#include "daemon/gpu/retry_pace.h"

#include <doctest/doctest.h>

using namespace nightshift;
using namespace nightshift::daemon;

TEST_CASE("retry pace: soon, then less and less often, and never given up") {
    RetryPace pace;
    Millis now = seconds(100);
    CHECK_FALSE(pace.is_due(now));
    pace.fail(now);
    CHECK_FALSE(pace.is_due(now));
    pace.fail(now + Millis{900});  // the same trouble: it does not put the attempt off
    Millis last;
    for (int i = 0; i < 12; ++i) {
        const Millis since = now;
        while (!pace.is_due(now)) now = now + Millis{100};
        const Millis waited = now - since;
        CHECK(waited >= last);
        CHECK(waited <= seconds(300));
        last = waited;
        pace.attempt(now);
        pace.fail(now);
    }
    CHECK(last == seconds(300));
    pace.succeed();
    CHECK_FALSE(pace.is_due(now + hours(1)));
    pace.fail(now);
    CHECK(pace.is_due(now + seconds(1)));
}
