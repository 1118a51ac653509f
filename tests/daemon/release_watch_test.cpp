#include "daemon/worker/release_watch.h"

#include <doctest/doctest.h>

using namespace nightshift;
using namespace nightshift::daemon;

namespace {

const AttemptId kFirst{JobId{1}, 1};
const AttemptId kSecond{JobId{2}, 1};

}  // namespace

TEST_CASE("release watch: bytes are the attempt's until the driver shows nine of ten free, twice looked at") {
    ReleaseWatch watch;
    watch.add(kFirst, "GPU-a", gibibytes(5), gibibytes(5), seconds(1));
    CHECK(watch.left(kFirst) == gibibytes(5));
    CHECK(watch.share("GPU-a", gibibytes(5)) == gibibytes(5));
    CHECK(watch.share("GPU-a", gibibytes(2)) == gibibytes(2));
    CHECK(watch.share("GPU-b", gibibytes(2)) == Bytes{});
    CHECK(watch.left(kFirst) == gibibytes(2));
    CHECK(watch.take_over(seconds(3)).empty());
    watch.share("GPU-a", mebibytes(400));
    const auto over = watch.take_over(seconds(3));
    REQUIRE(over.size() == 1);
    CHECK(over[0].id == kFirst);
    CHECK_FALSE(over[0].is_overdue);
    CHECK(watch.is_empty());
    // A sample that was under way when the process ended may show it free too early.
    watch.add(kSecond, "GPU-a", gibibytes(5), gibibytes(5), seconds(5));
    watch.share("GPU-a", Bytes{});
    CHECK(watch.take_over(seconds(6)).empty());
    watch.share("GPU-a", gibibytes(5));
    CHECK(watch.take_over(seconds(6)).empty());
}

TEST_CASE("release watch: what stays is given up after a bound") {
    ReleaseWatch watch;
    watch.add(kFirst, "GPU-a", gibibytes(5), gibibytes(6), seconds(1));
    for (int i = 0; i < 5; ++i) watch.share("GPU-a", gibibytes(9));
    CHECK(watch.left(kFirst) == gibibytes(6));
    CHECK(watch.take_over(seconds(1) + ReleaseWatch::kBound).empty());
    const auto over = watch.take_over(seconds(2) + ReleaseWatch::kBound);
    REQUIRE(over.size() == 1);
    CHECK(over[0].is_overdue);
    CHECK(over[0].device == "GPU-a");
    CHECK(over[0].left == gibibytes(6));
    CHECK(watch.share("GPU-a", gibibytes(9)) == Bytes{});
    // A driver that is silent shows nothing free; that too has its bound.
    watch.add(kSecond, "GPU-a", gibibytes(1), Bytes{}, seconds(20));
    CHECK(watch.take_over(seconds(25)).empty());
    CHECK(watch.take_over(seconds(31)).size() == 1);
}

TEST_CASE("release watch: two attempts never account for more than is there") {
    ReleaseWatch watch;
    watch.add(kFirst, "GPU-a", gibibytes(3), gibibytes(3), seconds(1));
    watch.add(kSecond, "GPU-a", gibibytes(4), gibibytes(4), seconds(1));
    CHECK(watch.share("GPU-a", gibibytes(5)) == gibibytes(5));
    CHECK(watch.left(kFirst) + watch.left(kSecond) == gibibytes(5));
    CHECK(watch.share("GPU-a", gibibytes(9)) == gibibytes(7));
}
