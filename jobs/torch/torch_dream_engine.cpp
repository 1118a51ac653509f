#include "jobs/torch/torch_dream_engine.h"

#include <cmath>
#include <cstring>
#include <string>

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>

#include "jobs/torch/torch_device.h"

namespace nightshift::jobs {
namespace {

constexpr double kBeta1 = 0.9;
constexpr double kBeta2 = 0.999;
constexpr double kEpsilon = 1e-8;

/// Turns autocast on for a scope.
class Autocast {
  public:
    explicit Autocast(bool is_on) : is_on_(is_on) {
        if (!is_on_) return;
        at::autocast::set_autocast_enabled(at::kCUDA, true);
        at::autocast::set_autocast_dtype(at::kCUDA, at::kBFloat16);
        at::autocast::increment_nesting();
    }
    Autocast(const Autocast&) = delete;
    Autocast& operator=(const Autocast&) = delete;
    ~Autocast() {
        if (!is_on_) return;
        if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
        at::autocast::set_autocast_enabled(at::kCUDA, false);
    }

  private:
    bool is_on_;
};

class TorchDreamEngine final : public DreamEngine {
  public:
    explicit TorchDreamEngine(const DreamEngineOptions& options)
        : options_(options), layers_(dream_layers(options.shape)), device_(torch_device(options.use_cuda)) {
        // More threads than the work is worth make small steps slower; a fixed number keeps the bits.
        at::set_num_threads(options.threads);
        parameters_ = upload(options.parameters);
        first_ = at::zeros_like(parameters_);
        second_ = at::zeros_like(parameters_);
        gradients_ = at::zeros_like(parameters_);
        for (const DreamLayer& layer : layers_) {
            weights_.push_back(leaf(layer.offset, {layer.out, layer.in}));
            biases_.push_back(leaf(layer.bias_offset(), {layer.out}));
        }
    }

    DreamLosses step(const DreamBatch& batch) override {
        const std::int64_t n = batch.rows;
        const std::int64_t d = options_.shape.columns;
        const at::Tensor clean = upload(batch.clean).view({n, d});
        const at::Tensor anomalous = upload(batch.anomalous).view({n, d});
        const at::Tensor labels = upload(batch.labels).view({n, 1});
        at::Tensor keep;
        if (!batch.keep.empty()) keep = upload(batch.keep);
        gradients_.zero_();
        at::Tensor reconstruction, logits;
        {
            const Autocast autocast(options_.use_amp && device_.is_cuda());
            std::int64_t used = 0;
            const std::size_t autoencoder = dream_autoencoder_layers(options_.shape);
            reconstruction = forward(anomalous, 0, autoencoder, keep, used).to(at::kFloat);
            logits =
                forward(at::cat({anomalous, reconstruction}, 1), autoencoder, layers_.size(), keep, used);
        }
        const at::Tensor probability = at::sigmoid(logits.to(at::kFloat));
        const at::Tensor reconstruction_loss = at::mse_loss(reconstruction, clean);
        const at::Tensor discriminator_loss = at::binary_cross_entropy(probability, labels);
        const at::Tensor total = reconstruction_loss + options_.discriminator_weight * discriminator_loss;
        total.backward();
        adam();
        const at::Tensor losses =
            at::stack({total.detach(), reconstruction_loss.detach(), discriminator_loss.detach()})
                .to(at::kCPU);
        const float* values = losses.const_data_ptr<float>();
        return {values[0], values[1], values[2]};
    }

    std::vector<float> gradients() const override { return download(gradients_); }

    DreamState state() const override {
        return {download(parameters_), download(first_), download(second_), steps_};
    }

    void restore(const DreamState& state) override {
        const at::NoGradGuard no_grad;
        parameters_.copy_(upload(state.parameters));
        first_.copy_(upload(state.first_moment));
        second_.copy_(upload(state.second_moment));
        steps_ = state.steps;
    }

    std::string name() const override { return std::string("torch ") + (device_.is_cuda() ? "cuda" : "cpu"); }

  private:
    at::Tensor upload(std::span<const float> values) const {
        const at::Tensor host = at::from_blob(const_cast<float*>(values.data()),
                                              {static_cast<std::int64_t>(values.size())}, at::kFloat);
        return device_.is_cuda() ? host.to(device_) : host.clone();
    }

    static std::vector<float> download(const at::Tensor& tensor) {
        const at::Tensor host = tensor.detach().to(at::kCPU).contiguous();
        const float* data = host.const_data_ptr<float>();
        return {data, data + host.numel()};
    }

    /// A parameter that lives in the flat array, with a gradient that lives in the flat gradient: Adam is
    /// then a handful of operations on one array.
    at::Tensor leaf(std::int64_t offset, at::IntArrayRef shape) const {
        const std::int64_t size = c10::multiply_integers(shape);
        at::Tensor tensor = parameters_.narrow(0, offset, size).view(shape).detach();
        tensor.set_requires_grad(true);
        tensor.mutable_grad() = gradients_.narrow(0, offset, size).view(shape);
        return tensor;
    }

    at::Tensor forward(at::Tensor values, std::size_t begin, std::size_t end, const at::Tensor& keep,
                       std::int64_t& used) const {
        const std::int64_t n = values.size(0);
        for (std::size_t i = begin; i < end; ++i) {
            values = at::linear(values, weights_[i], biases_[i]);
            if (!layers_[i].is_hidden) continue;
            values = at::relu(values);
            if (keep.defined()) {
                values = values * keep.narrow(0, used, n * layers_[i].out).view({n, layers_[i].out});
                used += n * layers_[i].out;
            }
        }
        return values;
    }

    /// torch.optim.Adam, operation for operation, with the L2 term added to the gradient.
    void adam() {
        const at::NoGradGuard no_grad;
        ++steps_;
        const at::Tensor gradient = gradients_.add(parameters_, options_.weight_decay);
        first_.lerp_(gradient, 1 - kBeta1);
        second_.mul_(kBeta2).addcmul_(gradient, gradient, 1 - kBeta2);
        const auto steps = static_cast<double>(steps_);
        const double step_size = options_.learning_rate / (1 - std::pow(kBeta1, steps));
        const at::Tensor denominator =
            (second_.sqrt() / std::sqrt(1 - std::pow(kBeta2, steps))).add_(kEpsilon);
        parameters_.addcdiv_(first_, denominator, -step_size);
    }

    DreamEngineOptions options_;
    std::vector<DreamLayer> layers_;
    at::Device device_;
    at::Tensor parameters_, first_, second_, gradients_;  ///< flat, all of the parameters' length
    std::vector<at::Tensor> weights_, biases_;
    std::int64_t steps_ = 0;
};

}  // namespace

std::unique_ptr<DreamEngine> make_torch_dream_engine(const DreamEngineOptions& options) {
    return std::make_unique<TorchDreamEngine>(options);
}

}  // namespace nightshift::jobs
