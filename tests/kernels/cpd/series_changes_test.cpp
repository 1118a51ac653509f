#include "kernels/series_changes.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/error.h"
#include "tests/kernels/every_backend.h"
#include "tests/support/seed.h"

using namespace nightshift::kernels;
using nightshift::tests::on_every_backend;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
/// No value that a function may leave in a score.
constexpr double kUntouched = 12345;

struct Batch {
    std::vector<double> values;
    std::vector<std::size_t> offsets{0};

    void add(std::vector<double> series) {
        values.insert(values.end(), series.begin(), series.end());
        offsets.push_back(values.size());
    }
    SeriesBatch view() const { return ragged_series(values, offsets); }
};

/// A level that may change, with noise; every third series repeats a few values, so that costs tie.
std::vector<double> random_series(std::size_t samples, std::mt19937_64& generator) {
    std::normal_distribution<double> normal;
    const double level = normal(generator) * 3, step = generator() % 3 == 0 ? 0 : normal(generator) * 4;
    const bool is_rough = generator() % 3 == 0;
    const std::size_t change = generator() % (samples + 1);
    std::vector<double> out;
    for (std::size_t i = 0; i < samples; ++i) {
        const double value = level + normal(generator) + (i >= change ? step : 0);
        out.push_back(is_rough ? std::round(value) : value);
    }
    return out;
}

/// Runs of one length with a few others between, around what fills lanes, and lengths that no function takes.
Batch random_batch(std::uint64_t seed) {
    std::mt19937_64 generator(seed);
    Batch out;
    for (const std::size_t samples : {60, 60, 0, 7, 33, 60, 20, 19, 1, 2, 41}) {
        const std::size_t count = generator() % 40;
        for (std::size_t k = 0; k < count; ++k) {
            out.add(random_series(samples, generator));
            if (generator() % 7 == 0) out.add(random_series(generator() % 70, generator));
        }
    }
    out.add(random_series(600, generator));
    out.add(random_series(2100, generator));
    return out;
}

/// Numbers that doubles can hold and sums cannot, and those that are none.
Batch extreme_batch() {
    Batch out;
    for (const double odd : {kNan, kInfinity, -kInfinity, 1e300, -1e308, 5e-324, -0.0}) {
        for (const std::size_t at : {0, 11, 29}) {
            std::vector<double> series(30);
            for (std::size_t i = 0; i < series.size(); ++i) series[i] = i < 15 ? .25 : 7.5;
            series[at] = odd;
            out.add(series);
            series[29 - at] = odd;
            out.add(std::move(series));
        }
        out.add(std::vector<double>(30, odd));
    }
    return out;
}

bool has_same_bits(double a, double b) {
    return std::isnan(a) ? std::isnan(b) : std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

void check_points(std::span<const std::int32_t> points, const std::vector<std::int64_t>& wanted) {
    REQUIRE(points.size() == wanted.size());
    CHECK(std::equal(points.begin(), points.end(), wanted.begin()));
}

/// `find(batch, scores)` has to give what `one(series)` does.
template <typename Find, typename One>
void check_scored(const Batch& batch, const Find& find, const One& one) {
    std::vector<double> scores(batch.values.size(), kUntouched);
    const BatchChanges found = find(batch.view(), std::span<double>(scores));
    const BatchChanges without = find(batch.view(), std::span<double>());
    REQUIRE(found.offsets.size() == batch.offsets.size());
    CHECK(without.offsets == found.offsets);
    CHECK(without.points == found.points);
    for (std::size_t i = 0; i + 1 < batch.offsets.size(); ++i) {
        CAPTURE(i);
        const ScoredChanges wanted = one(batch.view()[i]);
        check_points(found[i], wanted.change_points);
        const std::size_t samples = batch.offsets[i + 1] - batch.offsets[i];
        for (std::size_t k = 0; k < samples; ++k) {
            const double score = wanted.scores.empty() ? 0 : wanted.scores[k];
            REQUIRE(has_same_bits(scores[batch.offsets[i] + k], score));
        }
    }
}

void check_segments(const Batch& batch, const BatchSegmentations& found, Pelt pelt,
                    const PeltOptions& options) {
    REQUIRE(found.changes.offsets.size() == batch.offsets.size());
    REQUIRE(found.costs.size() + 1 == batch.offsets.size());
    for (std::size_t i = 0; i + 1 < batch.offsets.size(); ++i) {
        CAPTURE(i);
        const std::span<const double> series = batch.view()[i];
        const Segmentation wanted =
            pelt == Pelt::exact ? pelt_exact(series, options) : pelt_compat(series, options);
        check_points(found.changes[i], wanted.change_points);
        CHECK(has_same_bits(found.costs[i], wanted.cost));
    }
}

std::vector<CusumOptions> cusum_options() {
    CusumOptions plain, close, given, low;
    close.min_size = 0;
    close.threshold = 2;
    given.target = 1;
    given.sensitivity = .25;
    given.min_size = 7;
    low.threshold = -1;
    low.target = .5;
    low.min_size = 70;
    return {plain, close, given, low};
}

std::vector<WindowOptions> window_options() {
    WindowOptions plain, narrow, wide, stepping;
    narrow.window_size = 1;
    narrow.min_size = 0;
    wide.window_size = 25;
    wide.threshold_ratio = 1.2;
    stepping.step_size = 3;
    stepping.threshold_ratio = -1;
    return {plain, narrow, wide, stepping};
}

std::vector<PeltOptions> pelt_options() {
    PeltOptions plain, every, wide, cheap;
    every.jump = 1;
    every.min_size = 1;
    wide.jump = 7;
    wide.min_size = 10;
    wide.pen = 20;
    cheap.pen = 0;
    cheap.jump = 2;
    return {plain, every, wide, cheap};
}

}  // namespace

TEST_CASE("series: each of a batch has the result of its own function on every device") {
    for (const Batch& batch : {random_batch(nightshift::tests::seed()), extreme_batch()}) {
        on_every_backend([&](Backend& backend) {
            for (const CusumOptions& options : cusum_options()) {
                CAPTURE(options.threshold);
                check_scored(
                    batch,
                    [&](const SeriesBatch& b, std::span<double> s) {
                        return cusum_batch(backend, b, options, s);
                    },
                    [&](std::span<const double> x) { return cusum_compat(x, options); });
            }
            for (const WindowOptions& options : window_options()) {
                CAPTURE(options.window_size);
                check_scored(
                    batch,
                    [&](const SeriesBatch& b, std::span<double> s) {
                        return window_batch(backend, b, options, s);
                    },
                    [&](std::span<const double> x) { return window_compat(x, options); });
            }
            for (const PeltOptions& options : pelt_options()) {
                CAPTURE(options.jump);
                for (const Pelt pelt : {Pelt::compat, Pelt::exact})
                    check_segments(batch, pelt_batch(backend, batch.view(), pelt, options), pelt, options);
            }
        });
    }
}

TEST_CASE("series: equal lengths need no offsets") {
    std::mt19937_64 generator(nightshift::tests::seed());
    Batch batch;
    for (int i = 0; i < 1100; ++i) batch.add(random_series(24, generator));
    const SeriesBatch equal = equal_series(batch.values, 1100, 24);
    CHECK(equal[1099].data() == batch.view()[1099].data());
    on_every_backend([&](Backend& backend) {
        const BatchChanges cusum = cusum_batch(backend, batch.view(), {}, {});
        const BatchChanges same = cusum_batch(backend, equal, {}, {});
        CHECK(same.offsets == cusum.offsets);
        CHECK(same.points == cusum.points);
        check_segments(batch, pelt_batch(backend, equal, Pelt::compat, {}), Pelt::compat, {});
    });
}

TEST_CASE("series: threads change nothing") {
    std::mt19937_64 generator(nightshift::tests::seed());
    Batch batch;
    for (int i = 0; i < 9001; ++i) batch.add(random_series(24, generator));
    const BatchChanges cusum = cusum_batch_cpu(batch.view(), {}, {}, 1);
    const BatchSegmentations pelt = pelt_batch_cpu(batch.view(), Pelt::compat, {}, 1);
    CHECK(cusum.points.size() > 1000);
    const BatchChanges cusum_of_two = cusum_batch_cpu(batch.view(), {}, {}, 2);
    CHECK(cusum_of_two.offsets == cusum.offsets);
    CHECK(cusum_of_two.points == cusum.points);
    const BatchSegmentations pelt_of_three = pelt_batch_cpu(batch.view(), Pelt::compat, {}, 3);
    CHECK(pelt_of_three.changes.offsets == pelt.changes.offsets);
    CHECK(pelt_of_three.changes.points == pelt.changes.points);
    CHECK(pelt_of_three.costs == pelt.costs);
}

TEST_CASE("series: PELT of many ends once it is stopped") {
    std::mt19937_64 generator(3);
    Batch batch;
    for (int i = 0; i < 1200; ++i) batch.add(random_series(24, generator));
    on_every_backend([&](Backend& backend) {
        PeltOptions options;
        std::atomic<int> asked{0};
        options.is_stopped = [&] { return ++asked > 2; };
        const BatchSegmentations found = pelt_batch(backend, batch.view(), Pelt::compat, options);
        CHECK(found.changes.offsets.empty());
        CHECK(found.changes.points.empty());
        CHECK(found.costs.empty());
        CHECK(asked == 3);
        CHECK(backend.memory().held_bytes == 0);
    });
}

TEST_CASE("series: what does not fit together is refused in the same words on every device") {
    const std::vector<double> six(6);
    std::vector<double> five(5);
    const std::vector<std::size_t> whole{0, 2, 6}, falling{0, 4, 2, 6}, late{1, 6}, early{0, 5};
    // A series too long is seen before any of its values is looked at.
    const std::vector<std::size_t> long_one{0, 1, std::size_t{1} << 31, (std::size_t{1} << 32) + 1};
    const SeriesBatch too_long{{six.data(), (std::size_t{1} << 32) + 1}, 3, 0, long_one};
    on_every_backend([&](Backend& backend) {
        const auto words_of = [&](const std::function<void()>& work) -> std::string {
            try {
                work();
            } catch (const std::invalid_argument& error) {
                return error.what();
            }
            return "no error";
        };
        const auto of = [&](const SeriesBatch& batch) {
            const std::string words = words_of([&] { cusum_batch(backend, batch, {}, {}); });
            CHECK(words_of([&] { window_batch(backend, batch, {}, {}); }) == words);
            CHECK(words_of([&] { pelt_batch(backend, batch, Pelt::exact, {}); }) == words);
            return words;
        };
        CHECK(of(ragged_series(six, whole)) == "no error");
        CHECK(of(ragged_series(six, falling)) == "series: series 1 ends before it begins");
        CHECK(of(ragged_series(six, late)).find("offsets") != std::string::npos);
        CHECK(of(ragged_series(six, early)).find("offsets") != std::string::npos);
        CHECK(of({six, 2, 0, {whole.data(), 2}}).find("offsets") != std::string::npos);
        CHECK(of(equal_series(six, 4, 2)) == "series: 6 values are not 4 series of 2");
        CHECK(of(equal_series({}, std::size_t{1} << 32, std::size_t{1} << 32)).find("in parts") !=
              std::string::npos);
        CHECK(of(equal_series({}, std::size_t{1} << 31, 0)).find("in parts") != std::string::npos);
        CHECK(of(too_long) == "series: series 2 has more than 2147483647 samples");
        CHECK(words_of([&] { cusum_batch(backend, equal_series(six, 2, 3), {}, five); }) ==
              "series: 5 scores for 6 values; give room for one a value, or none");

        CusumOptions cusum;
        cusum.min_size = -1;
        CHECK_THROWS_AS(cusum_batch(backend, equal_series(six, 2, 3), cusum, {}), std::invalid_argument);
        CHECK_THROWS_AS(cusum_compat(six, cusum), std::invalid_argument);
        for (const auto& [window_size, step_size] : {std::pair{0, 1}, std::pair{10, 0}, std::pair{-3, 1}}) {
            WindowOptions window;
            window.window_size = window_size;
            window.step_size = step_size;
            CHECK_THROWS_AS(window_batch(backend, equal_series(six, 2, 3), window, {}),
                            std::invalid_argument);
            CHECK_THROWS_AS(window_compat(six, window), std::invalid_argument);
        }
    });
    CHECK_THROWS_AS(ragged_series(six, {}), std::invalid_argument);
}

TEST_CASE("series: no series, and series without samples") {
    on_every_backend([&](Backend& backend) {
        for (const SeriesBatch& batch : {equal_series({}, 0, 60), equal_series({}, 0, 0)}) {
            CHECK(cusum_batch(backend, batch, {}, {}).offsets == std::vector<std::size_t>{0});
            CHECK(window_batch(backend, batch, {}, {}).offsets == std::vector<std::size_t>{0});
            CHECK(pelt_batch(backend, batch, Pelt::exact, {}).costs.empty());
        }
        const SeriesBatch empty = equal_series({}, 20, 0);
        CHECK(cusum_batch(backend, empty, {}, {}).offsets == std::vector<std::size_t>(21, 0));
        CHECK(window_batch(backend, empty, {}, {}).offsets == std::vector<std::size_t>(21, 0));
        for (const Pelt pelt : {Pelt::compat, Pelt::exact}) {
            const BatchSegmentations found = pelt_batch(backend, empty, pelt, {});
            CHECK(found.changes.offsets == std::vector<std::size_t>(21, 0));
            CHECK(found.costs.size() == 20);
            for (const double cost : found.costs) CHECK(std::isnan(cost));
        }
    });
}

TEST_CASE("series: a budget that does not hold the batch is an error that leaves nothing behind") {
    const std::vector<double> values(60'000);
    const SeriesBatch batch = equal_series(values, 1000, 60);
    std::vector<double> scores(values.size());
    on_every_backend(
        [&](Backend& backend) {
            if (backend.info().kind == BackendKind::cpu) return;  // its ops keep to the host's own memory
            CHECK_THROWS_AS(cusum_batch(backend, batch, {}, scores), OverBudget);
            CHECK_THROWS_AS(window_batch(backend, batch, {}, scores), OverBudget);
            CHECK_THROWS_AS(pelt_batch(backend, batch, Pelt::exact, {}), OverBudget);
            CHECK(backend.memory().held_bytes == 0);
            CHECK(cusum_batch(backend, equal_series({values.data(), 600}, 10, 60), {}, {}).points.empty());
        },
        std::size_t{400'000});
}
