#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <string>

#include "kernels/cpu/score_keys.h"
#include "kernels/cuda/radix_sort.cuh"
#include "kernels/cuda/scan.cuh"

namespace nightshift::kernels {

namespace {

using namespace cuda;

constexpr int kThreads = 256;

__device__ std::int64_t own_index() {
    return static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
}

__device__ double score_of(std::uint64_t key) {
    return __longlong_as_double(static_cast<long long>(score_key(key)));
}

/// keys: bits of the scores, which become keys. positive: 1 or 0. has_nan: set where a score is no number.
__global__ void make_keys(std::uint64_t* keys, const int* labels, std::int64_t count, std::uint8_t* positive,
                          unsigned* has_nan) {
    const std::int64_t i = own_index();
    if (i >= count) return;
    const double score = __longlong_as_double(static_cast<long long>(keys[i]));
    if (score != score) *has_nan = 1;
    keys[i] = score_key(keys[i]);
    positive[i] = labels[i] == 1 ? 1 : 0;
}

/// is_first [count + 1]: a step begins with this key, 0 behind the last. positives [count + 1] the same.
__global__ void mark_steps(const std::uint64_t* keys, const std::uint8_t* positive, std::int64_t count,
                           unsigned* is_first, unsigned* positives) {
    const std::int64_t i = own_index();
    if (i > count) return;
    // Scores are compared, not keys: 0 and -0 are equal.
    const bool begins = i < count && (i == 0 || score_of(keys[i]) != score_of(keys[i - 1]));
    is_first[i] = begins ? 1 : 0;
    positives[i] = i < count ? positive[i] : 0;
}

/// step [count + 1]: steps that begin before a key. starts [steps + 1]: the first key of each, and count.
__global__ void find_starts(const std::uint64_t* keys, const unsigned* step, std::int64_t count,
                            unsigned* starts, double* scores) {
    const std::int64_t i = own_index();
    if (i > count) return;
    if (i == count) {
        starts[step[i]] = static_cast<unsigned>(i);
    } else if (step[i + 1] != step[i]) {
        starts[step[i]] = static_cast<unsigned>(i);
        scores[step[i]] = score_of(keys[i]);
    }
}

/// before [rows + 1]: positives before a key. out positives and negatives [steps].
__global__ void count_classes(const unsigned* starts, const unsigned* before, std::int64_t steps,
                              unsigned* positives, unsigned* negatives) {
    const std::int64_t s = own_index();
    if (s >= steps) return;
    const unsigned first = starts[s], end = starts[s + 1];
    positives[s] = before[end] - before[first];
    negatives[s] = end - first - positives[s];
}

/// The scores as keys and what class each is of; false where one is no number.
bool take_keys(const Op& op, std::span<const int> labels, std::span<const double> scores, SortedKeys& out) {
    static_assert(sizeof(double) == sizeof(std::uint64_t));
    const std::size_t count = scores.size();
    out.keys = Buffer<std::uint64_t>(op.backend(), count, "scores.keys");
    out.bytes = Buffer<std::uint8_t>(op.backend(), count, "scores.classes");
    op.backend().upload(out.keys.data(), scores.data(), scores.size_bytes());
    const Buffer<int> given(op.backend(), labels, "scores.labels");
    Buffer<unsigned> has_nan(op.backend(), 1, "scores.has_nan");
    op.fill(has_nan.data(), 0, sizeof(unsigned));
    launch(op, "make_keys", blocks_for(static_cast<std::int64_t>(count), kThreads), kThreads, 0, make_keys,
           out.keys.data(), given.data(), static_cast<std::int64_t>(count), out.bytes.data(), has_nan.data());
    return has_nan.to_host()[0] == 0;
}

}  // namespace

ScoreSteps score_steps_cuda(Backend& backend, std::span<const int> labels, std::span<const double> scores) {
    check_ranked(labels, scores);
    const Op op(backend, "score_steps", std::to_string(scores.size()) + " scores");
    if (scores.empty()) return {};
    const auto count = static_cast<std::int64_t>(scores.size());
    SortedKeys sorted;
    if (!take_keys(op, labels, scores, sorted)) return {};
    sort_keys(op, sorted, count);
    Buffer<unsigned> step(backend, scores.size() + 1, "scores.steps");
    Buffer<unsigned> before(backend, scores.size() + 1, "scores.positives");
    const unsigned blocks = blocks_for(count + 1, kThreads);
    launch(op, "mark_steps", blocks, kThreads, 0, mark_steps, sorted.keys.data(), sorted.bytes.data(), count,
           step.data(), before.data());
    scan(op, step.data(), count + 1);
    scan(op, before.data(), count + 1);
    unsigned steps = 0, positive_rows = 0;
    step.download({&steps, 1}, scores.size());
    before.download({&positive_rows, 1}, scores.size());

    Buffer<double> score(backend, steps, "scores.score");
    Buffer<unsigned> starts(backend, std::size_t{steps} + 1, "scores.starts");
    launch(op, "find_starts", blocks, kThreads, 0, find_starts, sorted.keys.data(), step.data(), count,
           starts.data(), score.data());
    Buffer<unsigned> positives(backend, steps, "scores.positives_of_steps");
    Buffer<unsigned> negatives(backend, steps, "scores.negatives_of_steps");
    launch(op, "count_classes", blocks_for(steps, kThreads), kThreads, 0, count_classes, starts.data(),
           before.data(), static_cast<std::int64_t>(steps), positives.data(), negatives.data());
    return {score.to_host(), positives.to_host(), negatives.to_host(), positive_rows, count - positive_rows};
}

}  // namespace nightshift::kernels
