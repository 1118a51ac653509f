#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <vector>

#include "kernels/error.h"
#include "kernels/metrics.h"
#include "kernels/philox.h"
#include "tests/kernels/every_backend.h"
#include "tests/support/seed.h"

using namespace nightshift::kernels;
using nightshift::tests::on_every_backend;

namespace {

constexpr std::uint32_t kKind = 0xb007;

/// Places of which the first steps hold positives alone, the last negatives alone, those between any.
ClassPlaces random_places(std::size_t positives, std::size_t negatives, std::uint32_t steps,
                          std::uint64_t seed) {
    std::mt19937_64 generator(seed);
    ClassPlaces out;
    for (std::size_t i = 0; i < positives; ++i)
        out.positives.push_back(static_cast<std::uint32_t>(generator() % (steps * 3 / 4 + 1)));
    for (std::size_t i = 0; i < negatives; ++i)
        out.negatives.push_back(static_cast<std::uint32_t>(steps / 4 + generator() % (steps * 3 / 4 + 1)));
    return out;
}

std::vector<std::uint32_t> plainly_drawn(const std::vector<std::uint32_t>& places, std::uint32_t side,
                                         std::uint32_t resample, std::uint64_t key) {
    std::vector<std::uint32_t> out;
    for (std::size_t i = 0; i < places.size(); ++i) {
        const PhiloxWords words = philox({static_cast<std::uint32_t>(i), side, kKind, resample}, key);
        out.push_back(places[std::uint64_t{words.w0} * places.size() >> 32]);
    }
    return out;
}

/// A lower step is a larger score.
double plain_area(const ClassPlaces& places, std::uint32_t resample, std::uint64_t key) {
    const auto negatives = plainly_drawn(places.negatives, 0, resample, key);
    double twice = 0;
    for (const std::uint32_t p : plainly_drawn(places.positives, 1, resample, key)) {
        for (const std::uint32_t n : negatives) twice += p < n ? 2 : p == n ? 1 : 0;
    }
    return twice / 2 / (static_cast<double>(places.positives.size()) * static_cast<double>(negatives.size()));
}

}  // namespace

TEST_CASE("resamples: areas are those of the plainly drawn rows on every device") {
    const std::uint64_t seed = nightshift::tests::seed(), key = seed ^ 0x123456789abcdef0;
    constexpr std::array<std::array<std::size_t, 2>, 6> kCounts{
        {{1, 1}, {3, 700}, {700, 3}, {256, 257}, {300, 300}, {40, 513}}};
    for (const auto& [positives, negatives] : kCounts) {
        for (const std::uint32_t steps : {1u, 5u, 90u, 2000u}) {
            CAPTURE(positives);
            CAPTURE(negatives);
            CAPTURE(steps);
            const std::vector<ClassPlaces> scores{random_places(positives, negatives, steps, seed),
                                                  random_places(positives, negatives, steps, seed + 1)};
            on_every_backend([&](Backend& backend) {
                std::vector<double> areas(2 * 3), alone(3);
                resampled_areas(backend, scores, {key, kKind}, 11, areas);
                resampled_areas(backend, {scores.data(), 1}, {key, kKind}, 11, alone);
                for (std::uint32_t r = 0; r < 3; ++r) {
                    CHECK(areas[2 * r] == plain_area(scores[0], 11 + r, key));
                    CHECK(areas[2 * r + 1] == plain_area(scores[1], 11 + r, key));
                    CHECK(alone[r] == areas[2 * r]);
                }
            });
        }
    }
}

TEST_CASE("resamples: scores of other rows and an empty class are refused, nothing is a score, too") {
    const ClassPlaces one = random_places(4, 5, 3, 1), other = random_places(4, 6, 3, 1);
    on_every_backend([&](Backend& backend) {
        std::vector<double> areas(2);
        CHECK_THROWS_AS(resampled_areas(backend, std::vector{one, other}, {1, kKind}, 0, areas),
                        std::invalid_argument);
        CHECK_THROWS_AS(resampled_areas(backend, std::vector{ClassPlaces{{0}, {}}}, {1, kKind}, 0, areas),
                        std::invalid_argument);
        CHECK_THROWS_AS(resampled_areas(backend, std::vector{ClassPlaces{{}, {0}}}, {1, kKind}, 0, areas),
                        std::invalid_argument);
        resampled_areas(backend, {}, {1, kKind}, 0, areas);
        resampled_areas(backend, std::vector{one}, {1, kKind}, 0, {});
    });
}

TEST_CASE("resamples: the number of a resample goes round, and steps of which runs are many fit") {
    const ClassPlaces places = random_places(300, 1000, 100'000, nightshift::tests::seed());
    on_every_backend([&](Backend& backend) {
        std::vector<double> areas(40);
        resampled_areas(backend, std::vector{places}, {9, kKind}, 0xffff'fffe, areas);
        CHECK(areas[1] == plain_area(places, 0xffff'ffff, 9));
        CHECK(areas[2] == plain_area(places, 0, 9));
        CHECK(areas[39] == plain_area(places, 37, 9));
    });
}

TEST_CASE("resamples: a budget that does not hold the rows is an error that leaves nothing behind") {
    const ClassPlaces places = random_places(3000, 3000, 5000, 2);
    on_every_backend(
        [&](Backend& backend) {
            if (backend.info().kind == BackendKind::cpu) return;  // its ops keep to the host's own memory
            std::vector<double> areas(4);
            CHECK_THROWS_AS(resampled_areas(backend, std::vector{places}, {1, kKind}, 0, areas), OverBudget);
            CHECK(backend.memory().held_bytes == 0);
        },
        std::size_t{30'000});
}
