// Stands in for the CUDA twins where nvcc is missing: every op refuses, in words.
#include "kernels/cuda/absent.h"
#include "kernels/backend.h"
#include "kernels/feature_batch.h"
#include "kernels/generator.h"
#include "kernels/launch_times.h"
#include "kernels/metrics.h"
#include "kernels/series_changes.h"

namespace nightshift::kernels {

bool cuda_available() {
    return false;
}

const char* cuda_unavailable_reason() {
    return "this build has no CUDA kernels (nvcc was not found)";
}

std::unique_ptr<Backend> make_cuda_backend(std::size_t) {
    refuse_cuda();
}

void time_launches(Backend&, bool) {}

std::vector<LaunchTime> launch_times(Backend&) {
    return {};
}

void generate_tracks_cuda(Backend&, std::span<const TrackPlan>, std::span<const TrackPlanes>) {
    refuse_cuda();
}

ScoreSteps score_steps_cuda(Backend&, std::span<const int>, std::span<const double>) {
    refuse_cuda();
}
void resampled_areas_cuda(Backend&, std::span<const ClassPlaces>, const ResampleStream&, std::uint32_t,
                          std::span<double>) {
    refuse_cuda();
}

BatchChanges cusum_batch_cuda(Backend&, const SeriesBatch&, const CusumOptions&, std::span<double>) {
    refuse_cuda();
}
BatchChanges window_batch_cuda(Backend&, const SeriesBatch&, const WindowOptions&, std::span<double>) {
    refuse_cuda();
}
BatchSegmentations pelt_batch_cuda(Backend&, const SeriesBatch&, Pelt, const PeltOptions&) {
    refuse_cuda();
}

FeatureBatch feature_batch_cuda(Backend&, std::span<const FeatureInput>, Precision) {
    refuse_cuda();
}

FeatureBatch generate_features_cuda(Backend&, std::span<const DrawnFeatureInput>, Precision) {
    refuse_cuda();
}

}  // namespace nightshift::kernels
