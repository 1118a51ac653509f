// The one place where a backend's kind decides which code an op runs. On the CPU a backend's budget is for
// buffers of the caller's own; ops there keep their scratch on the host.
#include "kernels/coreset.h"
#include "kernels/dream_run.h"
#include "kernels/dream_step.h"
#include "kernels/feature_batch.h"
#include "kernels/generator.h"
#include "kernels/histogram.h"
#include "kernels/knn.h"
#include "kernels/letterbox.h"
#include "kernels/metrics.h"
#include "kernels/nms.h"
#include "kernels/normalise.h"
#include "kernels/series_changes.h"
#include "kernels/top_k.h"

namespace nightshift::kernels {
namespace {

bool is_cuda(const Backend& backend) {
    return backend.info().kind == BackendKind::cuda;
}

template <typename T>
Neighbours knn_on(Backend& backend, Rows<T> bank, Rows<T> queries, int k) {
    return is_cuda(backend) ? knn_cuda(backend, bank, queries, k)
                            : knn_cpu(bank, queries, k, backend.info().threads);
}

}  // namespace

Neighbours knn(Backend& backend, Rows<double> bank, Rows<double> queries, int k) {
    return knn_on(backend, bank, queries, k);
}
Neighbours knn(Backend& backend, Rows<float> bank, Rows<float> queries, int k) {
    return knn_on(backend, bank, queries, k);
}

Coreset greedy_coreset(Backend& backend, Rows<double> data, std::int64_t count, std::int64_t start,
                       const CoresetProgress& progress) {
    return is_cuda(backend) ? greedy_coreset_cuda(backend, data, count, start, progress)
                            : greedy_coreset_cpu(data, count, start, backend.info().threads, progress);
}

void generate_tracks(Backend& backend, std::span<const TrackPlan> plans, std::span<const TrackPlanes> out) {
    if (is_cuda(backend)) return generate_tracks_cuda(backend, plans, out);
    generate_tracks_cpu(plans, out, backend.info().threads);
}

FeatureBatch feature_batch(Backend& backend, std::span<const FeatureInput> sequences, Precision precision) {
    return is_cuda(backend) ? feature_batch_cuda(backend, sequences, precision)
                            : feature_batch_cpu(sequences, precision, backend.info().threads);
}

FeatureBatch generate_features(Backend& backend, std::span<const DrawnFeatureInput> sequences,
                               Precision precision) {
    return is_cuda(backend) ? generate_features_cuda(backend, sequences, precision)
                            : generate_features_cpu(sequences, precision, backend.info().threads);
}

std::unique_ptr<DreamStep> make_dream_step(Backend& backend, const DreamStepOptions& options) {
    if (is_cuda(backend)) return make_dream_step_cuda(backend, options);
    DreamStepOptions own = options;
    own.threads = backend.info().threads;
    return make_dream_step_cpu(own);
}

std::unique_ptr<DreamRun> make_dream_run(Backend& backend, const DreamRunOptions& options,
                                         std::span<const float> rows) {
    if (is_cuda(backend)) return make_dream_run_cuda(backend, options, rows);
    DreamRunOptions own = options;
    own.step.threads = backend.info().threads;
    return make_dream_run_cpu(own, rows);
}

void dream_forward(Backend& backend, const DreamNetShape& shape, std::span<const float> parameters,
                   float weight, std::span<const float> rows, const DreamNetOutput& out) {
    if (is_cuda(backend)) return dream_forward_cuda(backend, shape, parameters, weight, rows, out);
    dream_forward_cpu(shape, parameters, weight, rows, out);
}

ScoreSteps score_steps(Backend& backend, std::span<const int> labels, std::span<const double> scores) {
    return is_cuda(backend) ? score_steps_cuda(backend, labels, scores) : score_steps(labels, scores);
}

void resampled_areas(Backend& backend, std::span<const ClassPlaces> scores, const ResampleStream& stream,
                     std::uint32_t first, std::span<double> areas) {
    if (is_cuda(backend)) return resampled_areas_cuda(backend, scores, stream, first, areas);
    resampled_areas(scores, stream, first, areas);
}

BatchChanges cusum_batch(Backend& backend, const SeriesBatch& batch, const CusumOptions& options,
                         std::span<double> scores) {
    return is_cuda(backend) ? cusum_batch_cuda(backend, batch, options, scores)
                            : cusum_batch_cpu(batch, options, scores, backend.info().threads);
}

BatchChanges window_batch(Backend& backend, const SeriesBatch& batch, const WindowOptions& options,
                          std::span<double> scores) {
    return is_cuda(backend) ? window_batch_cuda(backend, batch, options, scores)
                            : window_batch_cpu(batch, options, scores, backend.info().threads);
}

BatchSegmentations pelt_batch(Backend& backend, const SeriesBatch& batch, Pelt pelt,
                              const PeltOptions& options) {
    return is_cuda(backend) ? pelt_batch_cuda(backend, batch, pelt, options)
                            : pelt_batch_cpu(batch, pelt, options, backend.info().threads);
}

LetterboxPlace letterbox(Backend& backend, const TensorView<const std::uint8_t, 3>& in,
                         const TensorView<float, 3>& out, const LetterboxParams& params) {
    return is_cuda(backend) ? letterbox_cuda(backend, in, out, params) : letterbox_cpu(in, out, params);
}

void normalise(Backend& backend, const TensorView<const std::uint8_t, 3>& in, const TensorView<float, 3>& out,
               const PixelScale& scale) {
    is_cuda(backend) ? normalise_cuda(backend, in, out, scale) : normalise_cpu(in, out, scale);
}
void normalise(Backend& backend, const TensorView<const float, 3>& in, const TensorView<float, 3>& out,
               const PixelScale& scale) {
    is_cuda(backend) ? normalise_cuda(backend, in, out, scale) : normalise_cpu(in, out, scale);
}

std::vector<std::int64_t> nms(Backend& backend, const TensorView<const float, 2>& boxes,
                              const TensorView<const float, 1>& scores,
                              const TensorView<const std::int32_t, 1>& classes, const NmsParams& params) {
    return is_cuda(backend) ? nms_cuda(backend, boxes, scores, classes, params)
                            : nms_cpu(boxes, scores, classes, params);
}

TopK top_k(Backend& backend, const TensorView<const float, 2>& in, std::int64_t k) {
    return is_cuda(backend) ? top_k_cuda(backend, in, k) : top_k_cpu(in, k);
}

ByteCounts byte_histogram(Backend& backend, const TensorView<const std::uint8_t, 2>& in) {
    return is_cuda(backend) ? byte_histogram_cuda(backend, in) : byte_histogram_cpu(in);
}
ValueCounts value_histogram(Backend& backend, const TensorView<const float, 2>& in, const BinRange& range) {
    return is_cuda(backend) ? value_histogram_cuda(backend, in, range) : value_histogram_cpu(in, range);
}

}  // namespace nightshift::kernels
