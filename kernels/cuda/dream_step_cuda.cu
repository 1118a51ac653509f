#include "kernels/dream_step.h"

#include <algorithm>
#include <memory>
#include <string>

#include "kernels/cpu/host_dream_step.h"
#include "kernels/cuda/dream_learn.cuh"
#include "kernels/cuda/dream_state.cuh"

namespace nightshift::kernels {
namespace {

using namespace cuda;

/// Rows that go through the layers at once; larger batches take several passes.
constexpr std::int64_t kRowsPerPass = 1 << 16;

/// grid: one block for four rows. Scratch values and slopes [blocks, net.width]; losses [blocks, 2].
__global__ void learn_rows(DreamDeviceNet net, GivenBatch batch, float4* scratch, float4* slopes,
                           double* losses) {
    learn_block(net, batch, blockIdx.x, scratch + blockIdx.x * net.width, slopes + blockIdx.x * net.width,
                losses + 2 * blockIdx.x);
}

__global__ void adam_step(const float* partial, int parts, std::int64_t count, AdamFactors f,
                          DreamLearnt learnt) {
    adam_of_parts(partial, parts, count, f, learnt);
}

class DreamStepCuda final : public DreamStep {
  public:
    DreamStepCuda(Backend& backend, const DreamStepOptions& options)
        : backend_(backend), state_(backend, "dream_step", options) {}

    DreamStepLosses step(const DreamStepBatch& batch) override {
        const DreamStepOptions& options = state_.options();
        check_fits(options, batch);
        const Op op(backend_, "dream_step",
                    std::to_string(batch.rows) + " rows of " + std::to_string(options.shape.columns) + ", " +
                        std::to_string(state_.count()) + " parameters");
        DreamStepLosses losses;
        std::int64_t parts = 0;
        for (std::int64_t at = 0; at < batch.rows; at += kRowsPerPass) {
            const std::int64_t rows = std::min(kRowsPerPass, batch.rows - at);
            const std::int64_t wanted =
                std::clamp<std::int64_t>(rows / kGradientPartRows, 1, kGradientPartsMax);
            if (at == 0) parts = wanted;
            pass(op, batch, at, rows, parts, losses);
        }
        launch(op, "adam_step", blocks_for(state_.count(), kDreamThreads), kDreamThreads, 0, adam_step,
               partial_.data(), static_cast<int>(parts), state_.count(), state_.next_step(), state_.learnt());
        finish_losses(options, batch.rows, losses);
        return losses;
    }

    std::vector<float> gradients() const override { return state_.gradients(); }
    DreamStepState state() const override { return state_.state(); }
    void set_state(DreamStepState state) override { state_.set_state(state); }

  private:
    /// The batch's rows from `at` on, as the device has them. A pass of a larger batch has its own factors.
    GivenBatch to_device(const DreamStepBatch& batch, std::int64_t at, std::int64_t rows) {
        const std::int64_t d = state_.options().shape.columns;
        const auto part = [&](std::span<const float> all, std::int64_t width) {
            return all.subspan(static_cast<std::size_t>(at * width), static_cast<std::size_t>(rows * width));
        };
        float* const clean = room(backend_, clean_, rows * d, "dream.batch");
        float* const anomalous = room(backend_, anomalous_, rows * d, "dream.batch");
        float* const labels = room(backend_, labels_, rows, "dream.batch");
        float* keep = nullptr;
        clean_.upload(part(batch.clean, d));
        anomalous_.upload(part(batch.anomalous, d));
        labels_.upload(part(batch.labels, 1));
        if (!batch.keep.empty()) {
            const auto hidden = static_cast<std::int64_t>(batch.keep.size()) / batch.rows;
            keep = room(backend_, keep_, rows * hidden, "dream.batch");
            for (const DreamDeviceLayer& layer : state_.table()) {
                if (layer.is_hidden == 0) continue;
                const auto first = static_cast<std::size_t>(layer.keep * batch.rows + at * layer.out);
                keep_.upload(batch.keep.subspan(first, static_cast<std::size_t>(rows * layer.out)),
                             static_cast<std::size_t>(layer.keep * rows));
            }
        }
        return {clean,
                anomalous,
                labels,
                keep,
                rows,
                static_cast<double>(batch.rows),
                state_.options().discriminator_weight,
                static_cast<int>(d)};
    }

    void pass(const Op& op, const DreamStepBatch& batch, std::int64_t at, std::int64_t rows,
              std::int64_t parts, DreamStepLosses& losses) {
        const std::int64_t blocks = blocks_for(rows, kDreamRows), width = state_.width();
        const std::int64_t per_part = (blocks + parts - 1) / parts;
        float4* const values = room(backend_, values_, blocks * width, "dream.values");
        float4* const slopes = room(backend_, slopes_, blocks * width, "dream.values");
        double* const sums = room(backend_, losses_, 2 * blocks, "dream.losses");
        float* const partial = room(backend_, partial_, parts * state_.count(), "dream.gradients");
        launch(op, "learn_rows", static_cast<unsigned>(blocks), kDreamThreads, kDreamSharedBytes, learn_rows,
               state_.net(), to_device(batch, at, rows), values, slopes, sums);
        const dim3 grid(static_cast<unsigned>(state_.tiles().size()), static_cast<unsigned>(parts));
        launch(op, "gradient_tiles", grid, kDreamThreads, 0, gradient_tiles, state_.net(),
               state_.tiles().data(), values, slopes, blocks, per_part, state_.count(), at > 0, partial);
        sums_.resize(static_cast<std::size_t>(2 * blocks));
        losses_.download(sums_);
        for (std::size_t b = 0; b < sums_.size(); b += 2) {
            losses.reconstruction += sums_[b];
            losses.discriminator += sums_[b + 1];
        }
    }

    Backend& backend_;
    DreamDeviceState state_;
    Buffer<float> clean_, anomalous_, labels_, keep_, partial_;
    Buffer<float4> values_, slopes_;
    Buffer<double> losses_;
    std::vector<double> sums_;
};

}  // namespace

std::unique_ptr<DreamStep> make_dream_step_cuda(Backend& backend, const DreamStepOptions& options) {
    return std::make_unique<DreamStepCuda>(backend, options);
}

}  // namespace nightshift::kernels
