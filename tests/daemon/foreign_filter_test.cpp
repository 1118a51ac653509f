#include "daemon/gpu/foreign_filter.h"

#include <doctest/doctest.h>

using namespace nightshift;
using namespace nightshift::daemon;

TEST_CASE("foreign memory: growth is believed at once") {
    ForeignFilter filter;
    CHECK(filter.update(gibibytes(1), seconds(0)) == gibibytes(1));
    CHECK(filter.update(gibibytes(5), seconds(0)) == gibibytes(5));
}

TEST_CASE("foreign memory: what was freed for a moment is not given away") {
    ForeignFilter filter;
    filter.update(gibibytes(4), seconds(100));
    const Bytes soon = filter.update(gibibytes(0), seconds(101));
    CHECK(soon > gibibytes(3));
    CHECK(filter.is_settling());
    const Bytes later = filter.update(gibibytes(0), seconds(106));
    CHECK(later < gibibytes(2));
    CHECK(later > gibibytes(0));
    CHECK(filter.update(gibibytes(0), seconds(160)) == gibibytes(0));
    CHECK_FALSE(filter.is_settling());
}

TEST_CASE("foreign memory: a clock that stands still or goes back gives nothing away") {
    ForeignFilter filter;
    filter.update(gibibytes(4), seconds(100));
    CHECK(filter.update(gibibytes(1), seconds(100)) == gibibytes(4));
    CHECK(filter.update(gibibytes(1), seconds(50)) == gibibytes(4));
}
