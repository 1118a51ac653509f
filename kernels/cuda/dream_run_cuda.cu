#include "kernels/dream_run.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "kernels/cpu/dream_run_checks.h"
#include "kernels/cpu/host_dream_step.h"
#include "kernels/cuda/dream_drawn.cuh"
#include "kernels/cuda/dream_state.cuh"
#include "kernels/cuda/graph.cuh"

namespace nightshift::kernels {
namespace {

using namespace cuda;

/// Batches of one launch of the kernel that stays: some milliseconds, so that a display's driver does not
/// take it for hung and a stop is soon obeyed.
constexpr std::int64_t kBatchesPerLaunch = 256;

/// Scratch of a launch.
struct RunScratch {
    float4 *values, *slopes;     ///< [blocks, net.width]
    double* losses;              ///< [batches, blocks, 2]
    const AdamFactors* factors;  ///< [batches]
    std::int64_t blocks;         ///< of a whole batch
};

/// The batch's sum of slope times value for one parameter, rows in their order.
__device__ float gradient_of(const DreamDeviceNet& net, const RunScratch& s, std::int64_t blocks,
                             std::int64_t p) {
    int l = 0;
    while (l + 1 < net.count && p >= net.layers[l + 1].weight) ++l;
    const DreamDeviceLayer layer = net.layers[l];
    const bool is_bias = p >= layer.bias;
    const std::int64_t at = p - layer.weight;
    const std::int64_t o = is_bias ? p - layer.bias : at / layer.in, i = is_bias ? 0 : at % layer.in;
    float sum = 0;
    for (std::int64_t b = 0; b < blocks; ++b) {
        const float4 slope = s.slopes[b * net.width + layer.output + o];
        const float4 value = is_bias ? make_float4(1, 1, 1, 1) : s.values[b * net.width + layer.input + i];
        for (int q = 0; q < kDreamRows; ++q) sum = fmaf(of(slope)[q], of(value)[q], sum);
    }
    return sum;
}

/// Stays on the device for `batches` steps, two barriers of the grid each.
__global__ void __launch_bounds__(kDreamThreads)
    run_batches(DreamDeviceNet net, DreamRunTables run, std::int64_t batches, RunScratch s,
                DreamLearnt learnt, std::int64_t parameters) {
    for (std::int64_t index = 0; index < batches; ++index) {
        const DrawnBatch batch = DrawnBatch::at(run, index);
        const std::int64_t blocks = (batch.rows + kDreamRows - 1) / kDreamRows;
        for (std::int64_t b = blockIdx.x; b < blocks; b += gridDim.x)
            learn_block(net, batch, b, s.values + b * net.width, s.slopes + b * net.width,
                        s.losses + 2 * (index * s.blocks + b));
        grid_barrier();
        for (std::int64_t p = static_cast<std::int64_t>(blockIdx.x) * kDreamThreads + threadIdx.x;
             p < parameters; p += static_cast<std::int64_t>(gridDim.x) * kDreamThreads)
            adam_parameter(learnt, s.factors[index], p, gradient_of(net, s, blocks, p));
        grid_barrier();
    }
}

// A large batch: the same kernels for each batch, so that they can be recorded; which one it is lies in
// device memory.

__global__ void learn_drawn(DreamDeviceNet net, DreamRunTables run, const std::int64_t* index, RunScratch s) {
    const std::int64_t b = blockIdx.x;
    learn_block(net, DrawnBatch::at(run, *index), b, s.values + b * net.width, s.slopes + b * net.width,
                s.losses + 2 * (*index * s.blocks + b));
}

__global__ void adam_drawn(const float* partial, int parts, std::int64_t count, const std::int64_t* index,
                           RunScratch s, DreamLearnt learnt) {
    adam_of_parts(partial, parts, count, s.factors[*index], learnt);
}

__global__ void next_batch(std::int64_t* index) {
    ++*index;
}

class DreamRunCuda final : public DreamRun {
  public:
    DreamRunCuda(Backend& backend, const DreamRunOptions& options, std::span<const float> rows)
        : backend_(backend),
          options_(options),
          state_(backend, "dream_run", options.step),
          count_(static_cast<std::int64_t>(rows.size()) / options.step.shape.columns) {
        const Op op(backend, "dream_run", words());
        const std::int64_t d = options.step.shape.columns;
        std::vector<int> scaling_of(static_cast<std::size_t>(d), -1);
        for (std::size_t s = 0; s < options.scalings.size(); ++s)
            scaling_of[static_cast<std::size_t>(options.scalings[s].column)] = static_cast<int>(s);
        rows_ = {backend, rows, "dream.rows"};
        scaling_of_ = {backend, scaling_of, "dream.layers"};
        scalings_ = {backend, options.scalings, "dream.layers"};
        index_ = {backend, 1, "dream.layers"};
        blocks_ = blocks_for(options.batch, kDreamRows);
        const auto values = static_cast<std::size_t>(blocks_ * state_.width());
        values_ = {backend, values, "dream.values"};
        slopes_ = {backend, values, "dream.values"};
        if (options.batch > kDreamTogether)
            partial_ = {backend, static_cast<std::size_t>(parts_of(options.batch) * state_.count()),
                        "dream.gradients"};
    }

    std::vector<DreamStepLosses> run(std::span<const std::int64_t> order, std::int64_t epoch,
                                     std::int64_t first_batch) override {
        check_batches(options_, count_, order, epoch, first_batch);
        const Op op(backend_, "dream_run", words());
        std::vector<DreamStepLosses> losses;
        const auto at_once = static_cast<std::size_t>(options_.batch * kBatchesPerLaunch);
        for (std::size_t at = 0; at < order.size(); at += at_once) {
            const auto part = order.subspan(at, std::min(at_once, order.size() - at));
            const auto number = first_batch + static_cast<std::int64_t>(losses.size());
            learn(op, part, epoch, number, losses);
        }
        return losses;
    }

    DreamStepState state() const override { return state_.state(); }
    void set_state(DreamStepState state) override { state_.set_state(state); }

  private:
    static std::int64_t parts_of(std::int64_t rows) {
        return std::clamp<std::int64_t>(rows / kGradientPartRows, 1, kGradientPartsMax);
    }
    std::string words() const {
        return std::to_string(count_) + " rows, batches of " + std::to_string(options_.batch) + ", " +
               std::to_string(state_.count()) + " parameters";
    }

    /// At most kBatchesPerLaunch batches.
    void learn(const Op& op, std::span<const std::int64_t> order, std::int64_t epoch,
               std::int64_t first_batch, std::vector<DreamStepLosses>& losses) {
        const auto in_order = static_cast<std::int64_t>(order.size());
        const std::int64_t batches = (in_order + options_.batch - 1) / options_.batch;
        std::vector<AdamFactors> factors;
        for (std::int64_t b = 0; b < batches; ++b) factors.push_back(state_.next_step());
        // Of one size always: what was recorded keeps their addresses.
        room(backend_, order_, options_.batch * kBatchesPerLaunch, "dream.batch");
        room(backend_, factors_, kBatchesPerLaunch, "dream.batch");
        room(backend_, losses_, 2 * blocks_ * kBatchesPerLaunch, "dream.losses");
        order_.upload(order);
        factors_.upload(factors);
        const RunScratch scratch{values_.data(), slopes_.data(), losses_.data(), factors_.data(), blocks_};
        const DreamRunTables tables = tables_of(in_order, epoch, first_batch);
        if (options_.batch <= kDreamTogether) {
            const auto wanted = static_cast<unsigned>(
                std::max<std::int64_t>(blocks_, blocks_for(state_.count(), kDreamThreads)));
            const unsigned grid =
                std::min(wanted, blocks_together(op, run_batches, kDreamThreads, kDrawnSharedBytes));
            launch_together(op, "run_batches", grid, kDreamThreads, kDrawnSharedBytes, run_batches,
                            state_.net(), tables, batches, scratch, state_.learnt(), state_.count());
        } else {
            large_batches(op, tables, batches, scratch);
        }
        add_losses(in_order, batches, losses);
    }

    DreamRunTables tables_of(std::int64_t in_order, std::int64_t epoch, std::int64_t first_batch) const {
        DreamRunTables tables{};
        tables.rows = rows_.data();
        tables.order = order_.data();
        tables.scaling_of = scaling_of_.data();
        tables.scalings = scalings_.data();
        tables.in_order = in_order;
        tables.batch = options_.batch;
        tables.seed = options_.seed;
        tables.anomaly_kind = options_.anomaly_kind;
        tables.dropout_kind = options_.dropout_kind;
        tables.epoch = static_cast<std::uint32_t>(epoch);
        tables.first_batch = static_cast<std::uint32_t>(first_batch);
        tables.drop = options_.drop;
        tables.kept = 1.0F / (1.0F - options_.drop);
        tables.discriminator_weight = options_.step.discriminator_weight;
        tables.columns = static_cast<int>(options_.step.shape.columns);
        return tables;
    }

    /// Whole batches are recorded at this call's first one; the last of an epoch may be smaller, and is
    /// launched as it is.
    void large_batches(const Op& op, const DreamRunTables& tables, std::int64_t batches,
                       const RunScratch& scratch) {
        const std::int64_t zero = 0, whole = tables.in_order / options_.batch;
        index_.upload({&zero, 1});
        const auto step = [&](std::int64_t rows) {
            const std::int64_t blocks = blocks_for(rows, kDreamRows), parts = parts_of(rows);
            launch(op, "learn_drawn", static_cast<unsigned>(blocks), kDreamThreads, kDrawnSharedBytes,
                   learn_drawn, state_.net(), tables, index_.data(), scratch);
            const dim3 grid(static_cast<unsigned>(state_.tiles().size()), static_cast<unsigned>(parts));
            launch(op, "gradient_tiles", grid, kDreamThreads, 0, gradient_tiles, state_.net(),
                   state_.tiles().data(), values_.data(), slopes_.data(), blocks,
                   (blocks + parts - 1) / parts, state_.count(), false, partial_.data());
            launch(op, "adam_drawn", blocks_for(state_.count(), kDreamThreads), kDreamThreads, 0, adam_drawn,
                   partial_.data(), static_cast<int>(parts), state_.count(), index_.data(), scratch,
                   state_.learnt());
            launch(op, "next_batch", 1, 1, 0, next_batch, index_.data());
        };
        if (whole > 0) {
            // Epoch and first batch are arguments of the kernels, so a record serves one call.
            Graph graph;
            graph.record(op, [&] { step(options_.batch); });
            for (std::int64_t b = 0; b < whole; ++b) graph.launch(op);
            backend_.synchronize();
        }
        if (whole < batches) step(tables.in_order - whole * options_.batch);
    }

    void add_losses(std::int64_t in_order, std::int64_t batches, std::vector<DreamStepLosses>& losses) {
        std::vector<double> sums(static_cast<std::size_t>(2 * blocks_ * batches));
        losses_.download(sums);
        for (std::int64_t index = 0; index < batches; ++index) {
            const std::int64_t rows = std::min(options_.batch, in_order - index * options_.batch);
            DreamStepLosses own;
            for (std::int64_t b = 0; b < blocks_for(rows, kDreamRows); ++b) {
                own.reconstruction += sums[static_cast<std::size_t>(2 * (index * blocks_ + b))];
                own.discriminator += sums[static_cast<std::size_t>(2 * (index * blocks_ + b) + 1)];
            }
            finish_losses(options_.step, rows, own);
            losses.push_back(own);
        }
    }

    Backend& backend_;
    DreamRunOptions options_;
    DreamDeviceState state_;
    std::int64_t count_;  ///< rows
    std::int64_t blocks_ = 0;
    Buffer<float> rows_, partial_;
    Buffer<int> scaling_of_;
    Buffer<DreamScaling> scalings_;
    Buffer<std::int64_t> index_, order_;
    Buffer<AdamFactors> factors_;
    Buffer<float4> values_, slopes_;
    Buffer<double> losses_;
};

}  // namespace

std::unique_ptr<DreamRun> make_dream_run_cuda(Backend& backend, const DreamRunOptions& options,
                                              std::span<const float> rows) {
    check_run(options, rows);
    return std::make_unique<DreamRunCuda>(backend, options, rows);
}

}  // namespace nightshift::kernels
