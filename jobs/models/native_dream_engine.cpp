#include "jobs/models/native_dream_engine.h"

#include <algorithm>
#include <cmath>

#include <Eigen/Core>

namespace nightshift::jobs {
namespace {

using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using ConstMap = Eigen::Map<const Rows>;

/// Smallest logarithm in the cross entropy, as in PyTorch.
constexpr double kLogMin = -100;

class NativeDreamEngine final : public DreamEngine {
  public:
    explicit NativeDreamEngine(const DreamEngineOptions& options)
        : options_(options), layers_(dream_layers(options.shape)), gradients_(options.parameters.size()) {
        state_ = DreamState::from(options.parameters);
        outputs_.resize(layers_.size());
    }

    DreamLosses step(const DreamBatch& batch) override {
        const Eigen::Index n = batch.rows;
        const Eigen::Index d = options_.shape.columns;
        const std::size_t autoencoder = dream_autoencoder_layers(options_.shape);
        const ConstMap clean(batch.clean.data(), n, d);
        const ConstMap labels(batch.labels.data(), n, 1);
        const Rows anomalous = ConstMap(batch.anomalous.data(), n, d);
        find_keep_factors(batch);
        forward(anomalous, 0, autoencoder);
        const Rows& reconstruction = outputs_[autoencoder - 1];
        Rows joined(n, 2 * d);
        joined << anomalous, reconstruction;
        forward(joined, autoencoder, layers_.size());
        const Rows probability = (1.0F + (-outputs_.back().array()).exp()).inverse().matrix();
        const Rows error = reconstruction - clean;
        const DreamLosses losses = losses_of(error, probability, labels);
        const float share = static_cast<float>(options_.discriminator_weight) / static_cast<float>(n);
        const Rows to_joined = backward(joined, share * (probability - labels), autoencoder, layers_.size());
        const Rows to_reconstruction = to_joined.rightCols(d) + (2.0F / static_cast<float>(n * d)) * error;
        backward(anomalous, to_reconstruction, 0, autoencoder);
        adam_step(state_, gradients_, options_.learning_rate, options_.weight_decay);
        return losses;
    }

    std::vector<float> gradients() const override { return gradients_; }
    DreamState state() const override { return state_; }
    void restore(const DreamState& state) override { state_ = state; }
    std::string name() const override { return "native cpu"; }

  private:
    ConstMap weight(std::size_t layer) const {
        return {state_.parameters.data() + layers_[layer].offset, layers_[layer].out, layers_[layer].in};
    }

    void find_keep_factors(const DreamBatch& batch) {
        keep_.assign(layers_.size(), nullptr);
        if (batch.keep.empty()) return;
        const float* next = batch.keep.data();
        for (std::size_t i = 0; i < layers_.size(); ++i) {
            if (!layers_[i].is_hidden) continue;
            keep_[i] = next;
            next += batch.rows * layers_[i].out;
        }
    }

    void forward(const Rows& input, std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            const Rows& from = i == begin ? input : outputs_[i - 1];
            const Eigen::Map<const Eigen::RowVectorXf> bias(
                state_.parameters.data() + layers_[i].bias_offset(), layers_[i].out);
            Rows& to = outputs_[i];
            to.noalias() = from * weight(i).transpose();
            to.rowwise() += bias;
            if (!layers_[i].is_hidden) continue;
            to = to.cwiseMax(0.0F);
            if (keep_[i] != nullptr) to.array() *= ConstMap(keep_[i], to.rows(), to.cols()).array();
        }
    }

    /// `slope` is the loss's derivative by the output of layer end - 1; returns that by `input`.
    Rows backward(const Rows& input, Rows slope, std::size_t begin, std::size_t end) {
        for (std::size_t i = end; i-- > begin;) {
            if (layers_[i].is_hidden) {
                // An output of 0 was cut by ReLU or dropped: both pass nothing back.
                slope.array() *= (outputs_[i].array() > 0.0F).cast<float>();
                if (keep_[i] != nullptr)
                    slope.array() *= ConstMap(keep_[i], slope.rows(), slope.cols()).array();
            }
            const Rows& from = i == begin ? input : outputs_[i - 1];
            Eigen::Map<Rows> to_weight(gradients_.data() + layers_[i].offset, layers_[i].out, layers_[i].in);
            Eigen::Map<Eigen::RowVectorXf> to_bias(gradients_.data() + layers_[i].bias_offset(),
                                                   layers_[i].out);
            to_weight.noalias() = slope.transpose() * from;
            to_bias = slope.colwise().sum();
            slope = slope * weight(i);
        }
        return slope;
    }

    DreamLosses losses_of(const Rows& error, const Rows& probability, const ConstMap& labels) const {
        DreamLosses losses;
        losses.reconstruction = error.cast<double>().squaredNorm() / static_cast<double>(error.size());
        for (Eigen::Index r = 0; r < labels.rows(); ++r) {
            const double p = static_cast<double>(probability(r, 0));
            const double likelihood = labels(r, 0) > 0.5F ? p : 1 - p;
            losses.discriminator -=
                std::max(std::log(likelihood), kLogMin) / static_cast<double>(labels.rows());
        }
        losses.total = losses.reconstruction + options_.discriminator_weight * losses.discriminator;
        return losses;
    }

    DreamEngineOptions options_;
    std::vector<DreamLayer> layers_;
    DreamState state_;
    std::vector<float> gradients_;
    std::vector<Rows> outputs_;       ///< of each layer, after ReLU and dropout
    std::vector<const float*> keep_;  ///< dropout factors of each layer in the batch, or nullptr
};

}  // namespace

std::unique_ptr<DreamEngine> make_native_dream_engine(const DreamEngineOptions& options) {
    return std::make_unique<NativeDreamEngine>(options);
}

}  // namespace nightshift::jobs
