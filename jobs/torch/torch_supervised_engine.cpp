#include "jobs/torch/torch_supervised_engine.h"

#include <cmath>
#include <cstring>

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include "jobs/torch/torch_device.h"

namespace nightshift::jobs {
namespace {

class TorchSupervisedEngine final : public SupervisedEngine {
  public:
    explicit TorchSupervisedEngine(const SupervisedEngineOptions& options)
        : shape_(options.shape),
          layers_(supervised_layers(options.shape)),
          device_(torch_device(options.use_cuda)) {
        at::set_num_threads(options.threads);
        // The same numbers again after a resume.
        at::globalContext().setDeterministicCuDNN(true);
        at::globalContext().setBenchmarkCuDNN(false);
        gradient_ = at::zeros({supervised_parameter_count(shape_)}, at::kFloat).to(device_);
    }

    SupervisedLosses gradients(std::span<const float> parameters, const SupervisedBatch& batch,
                               std::span<float> out) override {
        parameters_ = upload(parameters);
        gradient_.zero_();
        used_ = 0;
        const std::int64_t n = batch.rows;
        const at::Tensor features = upload(batch.features).view({n, shape_.columns});
        const at::Tensor keep = batch.keep.empty() ? at::Tensor() : upload(batch.keep);
        at::Tensor joined = hidden(layers_.features[0], features, keep);
        joined = hidden(layers_.features[1], joined, keep);
        if (shape_.has_map) joined = at::cat({joined, kept(summary_of_map(batch), keep)}, 1);
        joined = hidden(layers_.join, joined, keep);
        const at::Tensor log_odds = linear(layers_.damaged, joined) + linear(layers_.line, features);
        const at::Tensor weights = upload(batch.weights).view({n, 1});
        const at::Tensor damaged = at::binary_cross_entropy_with_logits(
            log_odds, upload(batch.labels).view({n, 1}), weights, {}, at::Reduction::Mean);
        at::Tensor scenario = at::zeros({}, damaged.options());
        if (!layers_.scenario.empty() && !batch.scenarios.empty()) {
            const at::Tensor wanted =
                at::from_blob(const_cast<std::int64_t*>(batch.scenarios.data()), {n}, at::kLong).to(device_);
            const at::Tensor each = at::cross_entropy_loss(linear(layers_.scenario.front(), joined), wanted,
                                                           {}, at::Reduction::None);
            scenario = (each.view({n, 1}) * weights).mean();
        }
        const at::Tensor total = damaged + kScenarioShare * scenario;
        total.backward();
        const at::Tensor host = gradient_.to(at::kCPU);
        std::memcpy(out.data(), host.const_data_ptr<float>(), out.size_bytes());
        const at::Tensor losses =
            at::stack({total.detach(), damaged.detach(), scenario.detach()}).to(at::kCPU);
        const float* values = losses.const_data_ptr<float>();
        return {values[0], values[1], values[2]};
    }

    std::string name() const override { return std::string("torch ") + (device_.is_cuda() ? "cuda" : "cpu"); }

  private:
    /// Borrows the numbers on the CPU: they outlive the call.
    at::Tensor upload(std::span<const float> values) const {
        return at::from_blob(const_cast<float*>(values.data()), {static_cast<std::int64_t>(values.size())},
                             at::kFloat)
            .to(device_);
    }

    /// A parameter that lives in the flat array, with a gradient that lives in the flat gradient.
    at::Tensor leaf(std::int64_t offset, at::IntArrayRef sides) const {
        const std::int64_t size = c10::multiply_integers(sides);
        at::Tensor tensor = parameters_.narrow(0, offset, size).view(sides).detach();
        tensor.set_requires_grad(true);
        tensor.mutable_grad() = gradient_.narrow(0, offset, size).view(sides);
        return tensor;
    }

    at::Tensor bias(const SupervisedLayer& layer) const { return leaf(layer.bias_offset(), {layer.out}); }

    at::Tensor linear(const SupervisedLayer& layer, const at::Tensor& rows) const {
        return at::linear(rows, leaf(layer.offset, {layer.out, layer.in}), bias(layer));
    }

    at::Tensor kept(const at::Tensor& rows, const at::Tensor& keep) {
        if (!keep.defined()) return rows;
        const at::Tensor factors = keep.narrow(0, used_, rows.numel()).view(rows.sizes());
        used_ += rows.numel();
        return rows * factors;
    }

    at::Tensor hidden(const SupervisedLayer& layer, const at::Tensor& rows, const at::Tensor& keep) {
        return kept(at::relu(linear(layer, rows)), keep);
    }

    at::Tensor summary_of_map(const SupervisedBatch& batch) const {
        at::Tensor planes = upload(batch.maps).view({batch.rows, kMapChannels, kMapFrames, kMapPlaces});
        for (const SupervisedLayer& layer : layers_.map) {
            if (&layer != &layers_.map.front()) planes = at::max_pool2d(planes, {2, 2});
            planes = at::relu(
                at::conv2d(planes, leaf(layer.offset, {layer.out, layer.in, 3, 3}), bias(layer), 1, 1));
        }
        return at::cat({planes.amax({2, 3}), planes.mean({2, 3})}, 1);
    }

    SupervisedShape shape_;
    SupervisedLayers layers_;
    at::Device device_;
    at::Tensor parameters_, gradient_;  ///< flat, all of the parameters' length
    std::int64_t used_ = 0;             ///< dropout factors taken in this pass
};

}  // namespace

std::unique_ptr<SupervisedEngine> make_torch_supervised_engine(const SupervisedEngineOptions& options) {
    return std::make_unique<TorchSupervisedEngine>(options);
}

}  // namespace nightshift::jobs
