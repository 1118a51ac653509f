#include "jobs/runtime/spread.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace nightshift;

namespace {

/// Stretches of `length` pieces out of `count`, with what was seen of them.
struct Stretches {
    std::size_t count = 10, length = 4;
    int threads = 3;
    std::atomic<std::size_t> worked{0};
    std::vector<std::size_t> ends, reports;

    void run(const std::function<void(std::size_t)>& work, const std::function<void(std::size_t)>& taken) {
        jobs::spread_in_stretches<std::size_t>(
            count, threads, [](std::size_t) { return std::size_t{3}; }, 3 * length - 1,
            [&](std::size_t i) {
                work(i);
                ++worked;
                return 100 + i;
            },
            [&](std::size_t first, const std::vector<std::size_t>& results) {
                CHECK(first == (ends.empty() ? 0 : ends.back()));
                const std::size_t end = first + results.size();
                CHECK(worked == end);
                CHECK(results.back() == 100 + end - 1);
                ends.push_back(end);
                taken(end);
            },
            [&](std::size_t done) { reports.push_back(done); });
    }
};

}  // namespace

TEST_CASE("spread: stretches are taken in order, each when it is whole") {
    Stretches some;
    std::vector<int> times(some.count, 0);
    some.run([&](std::size_t i) { ++times[i]; }, [](std::size_t) {});
    CHECK(some.ends == std::vector<std::size_t>{4, 8, 10});
    CHECK(times == std::vector<int>(some.count, 1));
    CHECK(some.reports.back() == some.count);
    CHECK(std::is_sorted(some.reports.begin(), some.reports.end()));
}

TEST_CASE("spread: nothing to do takes nothing") {
    Stretches none;
    none.count = 0;
    none.run([](std::size_t) {}, [](std::size_t) {});
    CHECK(none.ends.empty());
}

TEST_CASE("spread: what a piece or the taker throws ends the work") {
    Stretches bad;
    const auto fail_at_5 = [](std::size_t i) {
        if (i == 5) throw std::runtime_error("five");
    };
    CHECK_THROWS_WITH(bad.run(fail_at_5, [](std::size_t) {}), "five");
    CHECK(bad.ends == std::vector<std::size_t>{4});
    Stretches full;
    const auto refuse = [](std::size_t) { throw std::runtime_error("no room"); };
    CHECK_THROWS_WITH(full.run([](std::size_t) {}, refuse), "no room");
    CHECK(full.worked == 4);
}
