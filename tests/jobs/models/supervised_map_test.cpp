#include "jobs/models/supervised_map.h"

#include <algorithm>

#include "jobs/runtime/job_impl.h"
#include "tests/jobs/models/supervised_case.h"
#include "tests/jobs/models/temporary_folder.h"

using namespace nightshift::jobs;
using namespace nightshift::tests;

namespace {

/// A bending panel of 120 points and 40 frames: curvature constant along it, a kink at `kink` from `from` on.
Sequence panel(int from, double kink) {
    Sequence out;
    out.info.points = 120;
    out.info.frames = 40;
    out.info.fps = 30;
    out.info.units_per_pixel = 16;
    std::mt19937_64 generator(9);
    std::normal_distribution<double> noise(0, .2);
    for (int f = 0; f < out.info.frames; ++f) {
        const double theta = 2.5 * f / (out.info.frames - 1);
        double x = 100, y = 200;
        for (int p = 0; p < out.info.points; ++p) {
            const double share = p / 119.0;
            const double extra = f >= from && share > .6 ? kink : 0;
            const double angle = theta * (share + extra);
            x += 2 * std::cos(angle);
            y += 2 * std::sin(angle);
            out.x.push_back(static_cast<std::int16_t>(std::lround(16 * (x + noise(generator)))));
            out.y.push_back(static_cast<std::int16_t>(std::lround(16 * (y + noise(generator)))));
        }
    }
    return out;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
    double largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    return largest;
}

FeatureSet one_row(const std::string& sequence, std::int64_t frame) {
    FeatureSet set;
    set.origin = "features.csv";
    set.rows = 1;
    set.sequence = {sequence};
    set.frame = {frame};
    return set;
}

}  // namespace

TEST_CASE("supervised map: a kink that grows shows at its frame and place") {
    const std::vector<float> map = sequence_map(panel(22, .12));
    REQUIRE(map.size() == static_cast<std::size_t>(kMapStored));
    const auto top = std::max_element(map.begin(), map.begin() + kMapPlane) - map.begin();
    const double frame = (static_cast<double>(top / kMapPlaces) + .5) * 40 / kMapFrames;
    const double place = .05 + .01 * (9 + static_cast<double>(top % kMapPlaces) * 72 / (kMapPlaces - 1));
    CHECK(std::abs(frame - 22.5) <= 1.5);
    CHECK(std::abs(place - .6) < .05);
    const std::vector<float> still = sequence_map(panel(99, 0));
    CHECK(map[static_cast<std::size_t>(top)] >
          *std::max_element(still.begin(), still.begin() + kMapPlane) + 1);
}

TEST_CASE("supervised map: the same bits again, and neither moving nor turning the picture changes it") {
    const Sequence sequence = panel(22, .12);
    const std::vector<float> map = sequence_map(sequence);
    CHECK(sequence_map(sequence) == map);
    Sequence moved = sequence;
    for (auto& x : moved.x) x = static_cast<std::int16_t>(x + 333);
    for (auto& y : moved.y) y = static_cast<std::int16_t>(y - 1111);
    CHECK(largest_difference(sequence_map(moved), map) < 1e-4);
    Sequence turned = sequence;  // by a right angle, which whole units survive
    for (std::size_t i = 0; i < turned.x.size(); ++i) {
        turned.x[i] = static_cast<std::int16_t>(-sequence.y[i]);
        turned.y[i] = sequence.x[i];
    }
    CHECK(largest_difference(sequence_map(turned), map) < 1e-3);
    Sequence scaled = sequence;  // twice as large: the camera stands nearer
    scaled.info.units_per_pixel /= 2;
    CHECK(largest_difference(sequence_map(scaled), map) < 0.1);
    // What it does look at: another frame of the event.
    CHECK(largest_difference(sequence_map(panel(30, .12)), map) > 0.5);
}

TEST_CASE("supervised map: rows that have no map name the sequence and what to do") {
    const TemporaryFolder folder;
    const PanelCase panels(folder.path());
    const auto dataset = open_dataset(panels.dataset);
    const std::string name = dataset->info(4).name;
    const auto maps = SequenceMaps(one_row(name, -1), *dataset).made(0, 1, 1);
    CHECK(maps == sequence_map(dataset->read(4)));
    CHECK_THROWS_WITH_AS(SequenceMaps(one_row("crack/none", -1), *dataset),
                         doctest::Contains("sequence 'crack/none' of features.csv is not in the data set"),
                         JobError);
    CHECK_THROWS_WITH_AS(SequenceMaps(one_row(name, 3), *dataset), doctest::Contains("use map: false"),
                         JobError);
}

TEST_CASE("supervised map: at full size it is normalised, and moved from outside comes the mean") {
    std::vector<float> stored(static_cast<std::size_t>(2 * kMapStored));
    for (std::size_t i = 0; i < stored.size(); ++i) stored[i] = static_cast<float>(i % 97);
    const MapNormalizer normalizer = fit_map_normalizer({kMapStored, stored});
    const std::span<const float> first = std::span<const float>(stored).first(kMapStored);
    std::vector<float> at(static_cast<std::size_t>(kMapValues)), moved(at.size());
    expand_map(first, normalizer, 0, 0, at);
    CHECK(at[7] == doctest::Approx((stored[7] - normalizer.mean[0]) / normalizer.deviation[0]));
    // Channel 3 is the same at every place, channel 4 in every frame.
    const auto value = [&](std::int64_t channel, std::int64_t frame, std::int64_t place) {
        return at[static_cast<std::size_t>(channel * kMapPlane + frame * kMapPlaces + place)];
    };
    CHECK(value(3, 10, 0) == value(3, 10, 23));
    CHECK(value(3, 10, 0) != value(3, 11, 0));
    CHECK(value(4, 0, 6) == value(4, 31, 6));
    CHECK(value(4, 0, 6) != value(4, 0, 7));
    expand_map(first, normalizer, 2, -1, moved);
    CHECK(moved[0] == 0);
    CHECK(moved[static_cast<std::size_t>(2 * kMapPlaces)] == at[1]);
    CHECK(moved[static_cast<std::size_t>(3 * kMapPlaces - 1)] == 0);
}
