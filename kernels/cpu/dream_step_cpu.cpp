#include <algorithm>
#include <atomic>
#include <cmath>
#include <deque>
#include <utility>

#include "kernels/cpu/dream_block.h"
#include "kernels/cpu/host_dream_step.h"
#include "kernels/cpu/in_threads.h"
#include "kernels/dream_step.h"

namespace nightshift::kernels {
namespace {

/// Rows of a batch whose gradients are summed apart, at least, and how many such chunks there are, at most:
/// neither depends on the threads, so no bit does.
constexpr std::int64_t kChunkRows = 512;
constexpr std::int64_t kChunksMax = 64;

/// Takes rows of a batch forward and back, block by block, and adds up what they teach. One thread.
class DreamLearner {
  public:
    explicit DreamLearner(const DreamStepOptions& options) : options_(options), block_(options.shape) {
        std::int64_t widest = 2 * options.shape.columns;
        for (const DreamNetLayer& layer : block_.layers()) widest = std::max({widest, layer.in, layer.out});
        const auto values = static_cast<std::size_t>(widest * DreamBlock::kRows);
        for (AlignedFloats* each : {&slope_, &next_slope_, &slope_rows_, &clean_, &error_})
            each->resize(values);
    }

    /// Rows begin..end: sums of their losses, and their gradients into `gradients`. Weights lie turned in
    /// both.
    DreamStepLosses learn(std::span<const float> parameters, const DreamStepBatch& batch, std::int64_t begin,
                          std::int64_t end, std::span<float> gradients) {
        const std::int64_t d = options_.shape.columns;
        parameters_ = parameters.data();
        gradients_ = gradients.data();
        block_.take_weights(parameters);
        DreamStepLosses losses;
        for (std::int64_t at = begin; at < end; at += DreamBlock::kRows) {
            adds_ = at > begin;
            block_.take_rows(batch.anomalous.data() + at * d, std::min(DreamBlock::kRows, end - at));
            if (batch.keep.empty()) {
                block_.without_keep();
            } else {
                block_.take_keep(batch.keep.data(), batch.rows, at);
            }
            block_.run_autoencoder();
            block_.run_discriminator();
            learn_block(batch, at, losses);
        }
        return losses;
    }

  private:
    /// Adds the block's losses and gradients; `at` is its first row in the batch.
    void learn_block(const DreamStepBatch& batch, std::int64_t at, DreamStepLosses& losses) {
        const std::int64_t d = options_.shape.columns, lanes = block_.lanes(), rows = block_.rows();
        const std::size_t autoencoder = block_.autoencoder();
        block_.ops().transpose(batch.clean.data() + at * d, d, rows, d, clean_.data(), lanes);
        losses.reconstruction +=
            block_.ops().squared_error(block_.reconstruction(), clean_.data(), error_.data(), d, lanes, rows);
        losses.discriminator += cross_entropy(batch, at);
        back_through(autoencoder, block_.layers().size());
        // slope_ is now by the reconstruction as the discriminator saw it.
        const float share = 2.0F / static_cast<float>(batch.rows * d);
        for (std::int64_t i = 0; i < d * lanes; ++i)
            slope_[static_cast<std::size_t>(i)] += share * error_[static_cast<std::size_t>(i)];
        back_through(0, autoencoder);
    }

    /// Also leaves its derivative by the logits in slope_.
    double cross_entropy(const DreamStepBatch& batch, std::int64_t at) {
        const float* logits = block_.output(block_.layers().size() - 1);
        const float share =
            static_cast<float>(options_.discriminator_weight) / static_cast<float>(batch.rows);
        std::fill_n(slope_.begin(), block_.lanes(), 0.0F);
        double sum = 0;
        for (std::int64_t lane = 0; lane < block_.rows(); ++lane) {
            const float label = batch.labels[static_cast<std::size_t>(at + lane)];
            const float probability = 1.0F / (1.0F + std::exp(-logits[lane]));
            const auto wide = static_cast<double>(probability);
            sum -= std::max(std::log(label > 0.5F ? wide : 1 - wide), kDreamLogMin);
            slope_[static_cast<std::size_t>(lane)] = share * (probability - label);
        }
        return sum;
    }

    /// Takes slope_ from the outputs of layer end - 1 to the inputs of layer `begin` (of the discriminator's
    /// to the reconstruction alone, of the autoencoder's to nothing), adding up gradients.
    void back_through(std::size_t begin, std::size_t end) {
        const ArrayOps& ops = block_.ops();
        const std::int64_t d = options_.shape.columns, lanes = block_.lanes(), rows = block_.rows();
        for (std::size_t i = end; i-- > begin;) {
            const DreamNetLayer& layer = block_.layers()[i];
            if (layer.is_hidden)
                ops.pass_back(slope_.data(), block_.output(i), block_.keep(i), layer.out * lanes);
            ops.transpose(slope_.data(), lanes, layer.out, rows, slope_rows_.data(), layer.out);
            ops.column_sums(slope_rows_.data(), rows, layer.out, layer.out, gradients_ + layer.bias_offset(),
                            adds_);
            // Both products take their left side as it lies, [m, k].
            ops.multiply({layer.in, layer.out, rows, block_.input(i), 1, slope_rows_.data(), layer.out,
                          gradients_ + layer.offset, layer.out, adds_, lanes});
            if (i == 0) return;
            // Of what the discriminator saw only the reconstruction, its second half, passes a slope on.
            const std::int64_t first = i == block_.autoencoder() ? d : 0;
            ops.multiply({layer.in - first, lanes, layer.out, parameters_ + layer.offset + first * layer.out,
                          1, slope_.data(), lanes, next_slope_.data(), lanes, false, layer.out});
            std::swap(slope_, next_slope_);
        }
    }

    DreamStepOptions options_;
    DreamBlock block_;
    const float* parameters_ = nullptr;
    float* gradients_ = nullptr;
    bool adds_ = false;  ///< to the gradients, rather than begins them
    // Of the block and the layer at hand: [width, lanes], and the same as rows [rows, width].
    AlignedFloats slope_, next_slope_, slope_rows_, clean_, error_;
};

class DreamStepCpu final : public HostDreamStep {
  public:
    explicit DreamStepCpu(const DreamStepOptions& options) : HostDreamStep(options, DreamWeights::turned) {
        learners_.emplace_back(options);
    }

  private:
    struct Chunk {
        AlignedFloats gradients;
        DreamStepLosses losses;
    };

    /// Chunks are shared out among the threads, then added up in their order.
    DreamStepLosses learn(const DreamStepBatch& batch) override {
        if (batch.rows <= kChunkRows)
            return learners_.front().learn(parameters_, batch, 0, batch.rows, gradients_);
        const std::int64_t each = std::max(kChunkRows, (batch.rows + kChunksMax - 1) / kChunksMax);
        chunks_.resize(static_cast<std::size_t>((batch.rows + each - 1) / each));
        while (learners_.size() <
               std::min(static_cast<std::size_t>(std::max(options_.threads, 1)), chunks_.size()))
            learners_.emplace_back(options_);
        std::atomic<std::size_t> taken{0};
        in_threads(chunks_.size(), options_.threads, [&] {
            return [&, learner = &learners_[taken++]](std::size_t c) {
                const std::int64_t begin = static_cast<std::int64_t>(c) * each;
                chunks_[c].gradients.resize(gradients_.size());
                chunks_[c].losses = learner->learn(parameters_, batch, begin,
                                                   std::min(begin + each, batch.rows), chunks_[c].gradients);
            };
        });
        DreamStepLosses losses;
        std::fill(gradients_.begin(), gradients_.end(), 0.0F);
        for (const Chunk& chunk : chunks_) {
            losses.reconstruction += chunk.losses.reconstruction;
            losses.discriminator += chunk.losses.discriminator;
            for (std::size_t p = 0; p < gradients_.size(); ++p) gradients_[p] += chunk.gradients[p];
        }
        return losses;
    }

    std::deque<DreamLearner> learners_;  ///< one a thread
    std::vector<Chunk> chunks_;
};

}  // namespace

std::unique_ptr<DreamStep> make_dream_step_cpu(const DreamStepOptions& options) {
    return std::make_unique<DreamStepCpu>(options);
}

}  // namespace nightshift::kernels
