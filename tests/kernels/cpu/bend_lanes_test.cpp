#include "kernels/cpu/bend_lanes.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/kernels/every_variant.h"
#include "tests/kernels/knn/random_rows.h"
#include "tests/support/seed.h"

using namespace nightshift::kernels;
using nightshift::tests::on_every_variant;
using nightshift::tests::random_rows;

namespace {

using Numbers = std::vector<double>;

/// The model of one lane as bend_dynamics.h has it; means summed in any order.
Numbers plainly(const BendLanes& p, std::size_t lane, const BendClock& clock) {
    Numbers raw, out;
    for (std::size_t f = 0; f < clock.frames; ++f) {
        const double span = std::max(p.end[lane] - p.begin[lane], kDriveSpanMin);
        const double x = std::clamp((clock.share[f] - p.begin[lane]) / span, 0.0, 1.0);
        raw.push_back(std::clamp(x * x * (3 - 2 * x) + p.snap[lane] * clock.bump[f], 0.0, kPullMost));
    }
    double theta = 0;
    const int frames = static_cast<int>(clock.frames);
    for (int f = 0; f < frames; ++f) {
        double sum = 0, count = 0;
        for (int k = std::max(f - 2, 0); k <= std::min(f + 2, frames - 1); ++k)
            sum += raw[static_cast<std::size_t>(k)], ++count;
        const bool is_shocked = clock.shock_frame >= 0 && f >= clock.shock_frame;
        const double shock = is_shocked ? p.amplitude[lane] * clock.fading[f - clock.shock_frame] : 0;
        theta += std::min(p.rate[lane] * (1 + shock), 1.0) * (p.gain[lane] * (sum / count) - theta);
        out.push_back(theta);
    }
    return out;
}

}  // namespace

TEST_CASE("bend lanes: every lane is its own model, with the same bits whatever the variant") {
    const std::uint64_t seed = nightshift::tests::seed();
    for (const std::size_t frames : {6, 20, 61}) {
        const Numbers bump = random_rows(1, frames, seed), fading = random_rows(1, frames, seed + 1);
        Numbers share(frames);
        for (std::size_t f = 0; f < frames; ++f)
            share[f] = static_cast<double>(f) / static_cast<double>(frames - 1);
        const Numbers drawn = random_rows(6, kBendLanes, seed + 2, .3);
        BendLanes lanes{};
        for (std::size_t l = 0; l < kBendLanes; ++l) {
            lanes.gain[l] = 1 + drawn[l], lanes.rate[l] = .2 + .3 * std::abs(drawn[8 + l]);
            lanes.begin[l] = drawn[16 + l], lanes.end[l] = .6 + drawn[24 + l];
            lanes.snap[l] = drawn[32 + l], lanes.amplitude[l] = 5 * drawn[40 + l];
        }
        for (const int shock : {-1, 0, 4}) {
            CAPTURE(frames);
            CAPTURE(shock);
            const BendClock clock{share.data(), bump.data(), fading.data(), frames, shock};
            Numbers first;
            on_every_variant([&] {
                // One value further: rows need not lie on their own size.
                Numbers work(frames * kBendLanes + 1), out(frames * kBendLanes + 1);
                follow_bend(cpu_variant())(lanes, clock, work.data() + 1, out.data() + 1);
                if (first.empty()) first = out;
                CHECK(out == first);
                for (std::size_t l = 0; l < kBendLanes; ++l) {
                    const Numbers expected = plainly(lanes, l, clock);
                    for (std::size_t f = 0; f < frames; ++f)
                        REQUIRE(std::abs(out[1 + f * kBendLanes + l] - expected[f]) < 1e-12);
                }
            });
        }
    }
}
