// The definition: plain loops in double over float parameters.
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "kernels/cpu/dream_checks.h"
#include "kernels/cpu/host_dream_step.h"
#include "kernels/dream_step.h"

namespace nightshift::kernels {
namespace {

/// Values of each layer, [rows, width].
struct Pass {
    std::vector<std::vector<double>> inputs, outputs;
};

double& at(std::vector<double>& values, std::int64_t index) {
    return values[static_cast<std::size_t>(index)];
}

std::vector<double> apply(const DreamNetLayer& layer, std::span<const float> parameters, std::int64_t rows,
                          const std::vector<double>& input, const float* keep) {
    std::vector<double> output(static_cast<std::size_t>(rows * layer.out));
    const float* weight = parameters.data() + layer.offset;
    for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t o = 0; o < layer.out; ++o) {
            double sum = static_cast<double>(parameters[static_cast<std::size_t>(layer.bias_offset() + o)]);
            for (std::int64_t i = 0; i < layer.in; ++i) {
                sum += static_cast<double>(weight[o * layer.in + i]) *
                       input[static_cast<std::size_t>(r * layer.in + i)];
            }
            if (layer.is_hidden && sum < 0) sum = 0;
            if (keep != nullptr) sum *= static_cast<double>(keep[r * layer.out + o]);
            at(output, r * layer.out + o) = sum;
        }
    }
    return output;
}

/// `keep` is the whole batch's, or empty.
Pass forward(const DreamNetShape& shape, std::span<const float> parameters, std::span<const float> rows,
             std::span<const float> keep) {
    const std::int64_t d = shape.columns, n = static_cast<std::int64_t>(rows.size()) / d;
    const std::size_t autoencoder = dream_net_autoencoder(shape);
    Pass pass;
    const std::vector<double> seen(rows.begin(), rows.end());
    std::int64_t used = 0;
    for (const DreamNetLayer& layer : dream_net_layers(shape)) {
        const std::size_t i = pass.outputs.size();
        if (i == autoencoder) {
            std::vector<double> joined;
            for (std::int64_t r = 0; r < n; ++r) {
                joined.insert(joined.end(), seen.begin() + r * d, seen.begin() + (r + 1) * d);
                const auto& given_back = pass.outputs.back();
                joined.insert(joined.end(), given_back.begin() + r * d, given_back.begin() + (r + 1) * d);
            }
            pass.inputs.push_back(std::move(joined));
        } else {
            pass.inputs.push_back(i == 0 ? seen : pass.outputs.back());
        }
        const bool drops = layer.is_hidden && !keep.empty();
        pass.outputs.push_back(
            apply(layer, parameters, n, pass.inputs.back(), drops ? keep.data() + used : nullptr));
        if (drops) used += n * layer.out;
    }
    return pass;
}

double probability_of(double logit) {
    return 1 / (1 + std::exp(-logit));
}

class DreamStepReference final : public HostDreamStep {
  public:
    explicit DreamStepReference(const DreamStepOptions& options)
        : HostDreamStep(options, DreamWeights::plain) {}

  private:
    DreamStepLosses learn(const DreamStepBatch& batch) override {
        const std::int64_t d = options_.shape.columns, n = batch.rows;
        const std::size_t autoencoder = dream_net_autoencoder(options_.shape);
        pass_ = forward(options_.shape, parameters_, batch.anomalous, batch.keep);
        DreamStepLosses losses;
        std::vector<double> slope(static_cast<std::size_t>(n));
        for (std::int64_t r = 0; r < n; ++r) {
            const auto label = static_cast<double>(batch.labels[static_cast<std::size_t>(r)]);
            const double probability = probability_of(at(pass_.outputs.back(), r));
            losses.discriminator -=
                std::max(std::log(label > 0.5 ? probability : 1 - probability), kDreamLogMin);
            at(slope, r) = options_.discriminator_weight / static_cast<double>(n) * (probability - label);
        }
        back_through(autoencoder, layers_.size(), batch, slope);
        std::vector<double> by_reconstruction(static_cast<std::size_t>(n * d));
        for (std::int64_t r = 0; r < n; ++r) {
            for (std::int64_t j = 0; j < d; ++j) {
                const double error = at(pass_.outputs[autoencoder - 1], r * d + j) -
                                     static_cast<double>(batch.clean[static_cast<std::size_t>(r * d + j)]);
                losses.reconstruction += error * error;
                at(by_reconstruction, r * d + j) =
                    at(slope, r * 2 * d + d + j) + 2 * error / static_cast<double>(n * d);
            }
        }
        back_through(0, autoencoder, batch, by_reconstruction);
        return losses;
    }

    const float* keep_of(std::size_t layer, const DreamStepBatch& batch) const {
        if (batch.keep.empty() || !layers_[layer].is_hidden) return nullptr;
        const float* keep = batch.keep.data();
        for (std::size_t i = 0; i < layer; ++i)
            keep += layers_[i].is_hidden ? batch.rows * layers_[i].out : 0;
        return keep;
    }

    /// `slope` is by the outputs of layer end - 1 and becomes that by the inputs of layer `begin`.
    void back_through(std::size_t begin, std::size_t end, const DreamStepBatch& batch,
                      std::vector<double>& slope) {
        for (std::size_t l = end; l-- > begin;) {
            const DreamNetLayer& layer = layers_[l];
            const float* keep = keep_of(l, batch);
            std::vector<double> by_input(static_cast<std::size_t>(batch.rows * layer.in));
            std::vector<double> gradient(static_cast<std::size_t>(layer.end() - layer.offset));
            for (std::int64_t r = 0; r < batch.rows; ++r) {
                for (std::int64_t o = 0; o < layer.out; ++o) {
                    double by_output = at(slope, r * layer.out + o);
                    if (layer.is_hidden && !(at(pass_.outputs[l], r * layer.out + o) > 0)) by_output = 0;
                    if (keep != nullptr) by_output *= static_cast<double>(keep[r * layer.out + o]);
                    at(gradient, layer.in * layer.out + o) += by_output;
                    for (std::int64_t i = 0; i < layer.in; ++i) {
                        const auto w = static_cast<std::size_t>(layer.offset + o * layer.in + i);
                        at(gradient, o * layer.in + i) += by_output * at(pass_.inputs[l], r * layer.in + i);
                        at(by_input, r * layer.in + i) += by_output * static_cast<double>(parameters_[w]);
                    }
                }
            }
            std::transform(gradient.begin(), gradient.end(), gradients_.begin() + layer.offset,
                           [](double value) { return static_cast<float>(value); });
            slope = std::move(by_input);
        }
    }

    Pass pass_;
};

}  // namespace

void dream_forward_reference(const DreamNetShape& shape, std::span<const float> parameters, float weight,
                             std::span<const float> rows, const DreamNetOutput& out) {
    const std::int64_t n = checked_rows(shape, parameters, rows, out), d = shape.columns;
    Pass pass = forward(shape, parameters, rows, {});
    const std::size_t autoencoder = dream_net_autoencoder(shape);
    const auto narrow = [](const std::vector<double>& from, std::span<float> to) {
        if (!to.empty()) std::copy(from.begin(), from.end(), to.begin());
    };
    narrow(pass.outputs[autoencoder - 1], out.reconstruction);
    narrow(pass.outputs[autoencoder / 2 - 1], out.latent);
    for (std::int64_t r = 0; r < n; ++r) {
        const auto row = static_cast<std::size_t>(r);
        const double probability = probability_of(at(pass.outputs.back(), r));
        double squares = 0;
        for (std::int64_t j = r * d; j < (r + 1) * d; ++j) {
            const double error =
                static_cast<double>(rows[static_cast<std::size_t>(j)]) - at(pass.outputs[autoencoder - 1], j);
            squares += error * error;
        }
        if (!out.probability.empty()) out.probability[row] = static_cast<float>(probability);
        if (!out.score.empty()) {
            out.score[row] = static_cast<float>(squares / static_cast<double>(d) *
                                                (1 + static_cast<double>(weight) * probability));
        }
    }
}

std::unique_ptr<DreamStep> make_dream_step_reference(const DreamStepOptions& options) {
    return std::make_unique<DreamStepReference>(options);
}

}  // namespace nightshift::kernels
