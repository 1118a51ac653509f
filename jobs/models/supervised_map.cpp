#include "jobs/models/supervised_map.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <unordered_map>

#include "jobs/fpcb/frame_metrics.h"
#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/spread.h"
#include "kernels/cpu/bend_dynamics.h"
#include "kernels/cpu/onset_scan.h"
#include "kernels/cpu/panel_shape.h"
#include "kernels/panel_features.h"

namespace nightshift::jobs {
namespace {

using kernels::kPlaces;

constexpr kernels::Arms kLongArms{3, 9}, kShortArms{2, 5};
constexpr int kKinkReach = 4;  ///< half width of a kink in places; its surround reaches three times as far
constexpr double kNoSpread = 1e-9;

/// Heavy tails of test statistics, made harmless.
double tame(double z) {
    return std::copysign(std::log1p(std::abs(z)), z);
}

template <typename At>
double between(double where, std::int64_t length, At at) {
    const auto low = std::min(static_cast<std::int64_t>(where), length - 1);
    const std::int64_t high = std::min(low + 1, length - 1);
    const double share = where - static_cast<double>(low);
    return at(low) * (1 - share) + at(high) * share;
}

/// The largest of the frames that row `row` of the map stands for.
template <typename At>
double largest_in(std::int64_t row, std::int64_t frames, At at) {
    const std::int64_t first = row * frames / kMapFrames;
    const std::int64_t end = ((row + 1) * frames + kMapFrames - 1) / kMapFrames;
    double largest = at(first);
    for (std::int64_t f = first + 1; f < end; ++f) largest = std::max(largest, at(f));
    return largest;
}

/// The place along the panel that a column of the map stands for, the same for every channel.
double place_of(std::int64_t column) {
    constexpr double kReach = kPlaces - 1 - 2 * kLongArms.far;
    return kLongArms.far + kReach * static_cast<double>(column) / (kMapPlaces - 1);
}

void add_growth(const kernels::OnsetMap& map, int frames, std::vector<float>& out) {
    for (std::int64_t r = 0; r < kMapFrames; ++r) {
        for (std::int64_t c = 0; c < kMapPlaces; ++c) {
            const double place = place_of(c) - map.place_first;
            out.push_back(static_cast<float>(largest_in(r, frames, [&](std::int64_t f) {
                return between(place, map.places, [&](std::int64_t p) {
                    return tame(map.at(static_cast<int>(f), static_cast<int>(p)));
                });
            })));
        }
    }
}

/// What a place bends beyond its neighbourhood, as the feature kink_middle looks for it.
double kink_at(const kernels::PanelShape& shape, std::int64_t place) {
    const auto omega = [&](std::int64_t p) {
        return shape.omega[static_cast<std::size_t>(std::clamp<std::int64_t>(p, 0, kPlaces - 1))];
    };
    const double inner = omega(place + kKinkReach) - omega(place - kKinkReach);
    const double outer = omega(place + 3 * kKinkReach) - omega(place - 3 * kKinkReach);
    return inner - (outer - inner) / 2;
}

/// Stored values of one channel.
std::size_t size_of_channel(std::size_t channel) {
    constexpr auto kGrowths = static_cast<std::size_t>(kMapGrowths);
    if (channel < kGrowths) return static_cast<std::size_t>(kMapPlane);
    return static_cast<std::size_t>(channel == kGrowths ? kMapFrames : kMapPlaces);
}

}  // namespace

std::vector<float> sequence_map(const Sequence& sequence) {
    const kernels::PanelShape shape = kernels::fit_shape(kernels::clean_tracks(view_of(sequence)));
    const kernels::BendDynamics dynamics = kernels::fit_dynamics(shape.theta, shape.weight);
    std::vector<float> out;
    out.reserve(static_cast<std::size_t>(kMapStored));
    add_growth(kernels::map_onset(shape, kLongArms, false), shape.frames, out);
    add_growth(kernels::map_onset(shape, kLongArms, true), shape.frames, out);
    add_growth(kernels::map_onset(shape, kShortArms, true), shape.frames, out);
    for (std::int64_t r = 0; r < kMapFrames; ++r) {
        out.push_back(static_cast<float>(largest_in(r, shape.frames, [&](std::int64_t f) {
            return tame(dynamics.shock_z[static_cast<std::size_t>(f)]);
        })));
    }
    for (std::int64_t c = 0; c < kMapPlaces; ++c) {
        out.push_back(static_cast<float>(
            between(place_of(c), kPlaces, [&](std::int64_t p) { return kink_at(shape, p); })));
    }
    return out;
}

SequenceMaps::SequenceMaps(const FeatureSet& set, const Dataset& dataset) : dataset_(dataset) {
    std::unordered_map<std::string_view, std::size_t> places;
    for (std::size_t i = 0; i < dataset.size(); ++i) places.emplace(dataset.info(i).name, i);
    for (std::size_t r = 0; r < set.sequence.size(); ++r) {
        const std::string& name = set.sequence[r];
        if (set.frame[r] >= 0) {
            throw JobError("bad_table", set.origin + " has rows of single frames ('" + name +
                                            "'), and a map belongs to a whole sequence; extract features "
                                            "with set=native, or use map: false");
        }
        const auto place = places.find(name);
        if (place == places.end()) {
            throw JobError("dataset_mismatch", "sequence '" + name + "' of " + set.origin +
                                                   " is not in the data set; give the data set that these "
                                                   "features were extracted from");
        }
        const SequenceInfo& info = dataset.info(place->second);
        if (info.frames < kernels::kPanelFramesMin || info.points < kernels::kPanelPointsMin) {
            throw JobError("bad_table", "sequence '" + name + "' has " + std::to_string(info.frames) +
                                            " frames and " + std::to_string(info.points) +
                                            " points; a map needs " +
                                            std::to_string(kernels::kPanelFramesMin) + " and " +
                                            std::to_string(kernels::kPanelPointsMin) +
                                            ": leave the sequence out, or use map: false");
        }
        places_.push_back(place->second);
    }
}

std::vector<float> SequenceMaps::made(std::int64_t first, std::int64_t count, int threads,
                                      const std::function<void(std::size_t done)>& progress) const {
    std::vector<float> out(static_cast<std::size_t>(count * kMapStored));
    spread(
        static_cast<std::size_t>(count), threads,
        [&](std::size_t r) {
            const std::size_t place = places_[static_cast<std::size_t>(first) + r];
            const std::vector<float> map = sequence_map(dataset_.read(place));
            std::copy(map.begin(), map.end(),
                      out.begin() + static_cast<std::ptrdiff_t>(r) * static_cast<std::ptrdiff_t>(kMapStored));
        },
        progress);
    return out;
}

MapNormalizer fit_map_normalizer(const RowStore<float>& stored) {
    std::array<double, kMapChannels> sum{}, squares{};
    std::vector<float> map(static_cast<std::size_t>(kMapStored));
    for (std::int64_t r = 0; r < stored.rows(); ++r) {
        stored.read(r, map);
        std::size_t at = 0;
        for (std::size_t channel = 0; channel < sum.size(); ++channel) {
            for (const std::size_t end = at + size_of_channel(channel); at < end; ++at) {
                const double value = map[at];
                sum[channel] += value;
                squares[channel] += value * value;
            }
        }
    }
    MapNormalizer out;
    for (std::size_t channel = 0; channel < sum.size(); ++channel) {
        const auto count = static_cast<double>(std::max<std::int64_t>(stored.rows(), 1)) *
                           static_cast<double>(size_of_channel(channel));
        const double mean = sum[channel] / count;
        const double deviation = std::sqrt(std::max(squares[channel] / count - mean * mean, 0.0));
        out.mean.push_back(mean);
        out.deviation.push_back(deviation > kNoSpread ? deviation : 1.0);
    }
    return out;
}

void expand_map(std::span<const float> stored, const MapNormalizer& normalizer, int frames, int places,
                std::span<float> out) {
    const float* shock = stored.data() + kMapGrowths * kMapPlane;
    const float* kink = shock + kMapFrames;
    for (std::int64_t channel = 0; channel < kMapChannels; ++channel) {
        const auto mean = static_cast<float>(normalizer.mean[static_cast<std::size_t>(channel)]);
        const auto scale = static_cast<float>(1 / normalizer.deviation[static_cast<std::size_t>(channel)]);
        const float* growth = stored.data() + channel * kMapPlane;
        float* to = out.data() + channel * kMapPlane;
        for (std::int64_t r = 0; r < kMapFrames; ++r) {
            const std::int64_t from_row = r - frames;
            for (std::int64_t c = 0; c < kMapPlaces; ++c, ++to) {
                const std::int64_t from = c - places;
                *to = 0;
                if (from_row < 0 || from_row >= kMapFrames || from < 0 || from >= kMapPlaces) continue;
                const float value = channel < kMapGrowths    ? growth[from_row * kMapPlaces + from]
                                    : channel == kMapGrowths ? shock[from_row]
                                                             : kink[from];
                *to = (value - mean) * scale;
            }
        }
    }
}

std::vector<float> expanded_maps(std::span<const float> stored, const MapNormalizer& normalizer) {
    const std::size_t n = stored.size() / static_cast<std::size_t>(kMapStored);
    std::vector<float> maps(n * static_cast<std::size_t>(kMapValues));
    for (std::size_t i = 0; i < n; ++i) {
        expand_map(stored.subspan(i * kMapStored, kMapStored), normalizer, 0, 0,
                   std::span(maps).subspan(i * kMapValues, kMapValues));
    }
    return maps;
}

}  // namespace nightshift::jobs
