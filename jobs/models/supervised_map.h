#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "jobs/fpcb/dataset.h"
#include "jobs/models/feature_set.h"

namespace nightshift::jobs {

/// Rows and columns of a map: the sequence's time, and places along the panel.
inline constexpr std::int64_t kMapFrames = 32, kMapPlaces = 24;
/// Growth of a bend at (place, from frame on) as the onset scan sees it in three ways, the shock of each
/// frame (the same at every place), the standing kink of each place (the same in every frame).
inline constexpr std::int64_t kMapGrowths = 3, kMapChannels = kMapGrowths + 2;
inline constexpr std::int64_t kMapPlane = kMapFrames * kMapPlaces;
inline constexpr std::int64_t kMapValues = kMapChannels * kMapPlane;
/// As stored: what is the same along one side is kept once.
inline constexpr std::int64_t kMapStored = kMapGrowths * kMapPlane + kMapFrames + kMapPlaces;

/// The map of one sequence, [kMapStored]: test statistics z as sign(z) log(1 + |z|); a row of it is the
/// largest of its frames, so that a shock of one frame is not lost; places are interpolated. Turning,
/// moving or scaling the picture changes it by rounding alone. About 1 ms; any thread.
/// The sequence needs kernels::kPanelFramesMin frames and kPanelPointsMin points.
std::vector<float> sequence_map(const Sequence& sequence);

/// Where the maps of a set's rows come from. The data set has to outlive it. Any thread.
class SequenceMaps {
  public:
    /// Throws JobError: bad_table (a row is no whole sequence, or one too short), dataset_mismatch (names a
    /// sequence that the data set does not have).
    SequenceMaps(const FeatureSet& set, const Dataset& dataset);

    std::int64_t count() const { return static_cast<std::int64_t>(places_.size()); }
    /// [count, kMapStored] of the rows from `first` on, made on several threads. `progress` as for spread().
    std::vector<float> made(std::int64_t first, std::int64_t count, int threads,
                            const std::function<void(std::size_t done)>& progress = {}) const;

  private:
    const Dataset& dataset_;
    std::vector<std::size_t> places_;
};

/// Mean and deviation of each channel over the training maps, frozen with the model.
struct MapNormalizer {
    std::vector<double> mean, deviation;  ///< [kMapChannels]
};
MapNormalizer fit_map_normalizer(const RowStore<float>& stored);

/// One stored map at full size [kMapChannels, kMapFrames, kMapPlaces], normalised, moved by whole frames and
/// places; what moves in from outside is the mean.
void expand_map(std::span<const float> stored, const MapNormalizer& normalizer, int frames, int places,
                std::span<float> out);

/// Stored maps [n, kMapStored] at full size [n, kMapValues], not moved.
std::vector<float> expanded_maps(std::span<const float> stored, const MapNormalizer& normalizer);

}  // namespace nightshift::jobs
