#include "jobs/models/dream_model.h"

#include <cmath>

#include <Eigen/Core>
#include <nlohmann/json.hpp>

#include "jobs/models/initial_weights.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Philox draw kind of the initial parameters; training uses others.
constexpr std::uint32_t kInitialDraw = 0x1417;

void add_stack(std::vector<DreamLayer>& layers, const std::string& prefix,
               const std::vector<std::int64_t>& widths) {
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
        DreamLayer layer;
        // Each hidden layer is followed by its ReLU and its dropout, which count as modules in the names.
        layer.name = prefix + "." + std::to_string(3 * i);
        layer.in = widths[i];
        layer.out = widths[i + 1];
        layer.offset = layers.empty() ? 0 : layers.back().end();
        layer.is_hidden = i + 2 < widths.size();
        layers.push_back(layer);
    }
}

Rows apply(const DreamLayer& layer, const std::vector<float>& parameters, const Rows& input) {
    const Eigen::Map<const Rows> weight(parameters.data() + layer.offset, layer.out, layer.in);
    const Eigen::Map<const Eigen::RowVectorXf> bias(parameters.data() + layer.bias_offset(), layer.out);
    Rows output = (input * weight.transpose()).rowwise() + bias;
    if (layer.is_hidden) output = output.cwiseMax(0.0F);
    return output;
}

std::vector<float> flat(const Rows& rows) {
    return {rows.data(), rows.data() + rows.size()};
}

}  // namespace

std::vector<DreamLayer> dream_layers(const DreamShape& shape) {
    std::vector<std::int64_t> encoder{shape.columns};
    encoder.insert(encoder.end(), shape.hidden.begin(), shape.hidden.end());
    encoder.push_back(shape.latent);
    const std::vector<std::int64_t> decoder(encoder.rbegin(), encoder.rend());
    std::vector<DreamLayer> layers;
    add_stack(layers, "autoencoder.encoder", encoder);
    add_stack(layers, "autoencoder.decoder", decoder);
    add_stack(layers, "discriminator.net", {2 * shape.columns, shape.discriminator_width(), 1});
    return layers;
}

std::int64_t dream_parameter_count(const DreamShape& shape) {
    return dream_layers(shape).back().end();
}

std::int64_t dream_hidden_values(const DreamShape& shape) {
    std::int64_t values = 0;
    for (const DreamLayer& layer : dream_layers(shape)) values += layer.is_hidden ? layer.out : 0;
    return values;
}

std::size_t dream_autoencoder_layers(const DreamShape& shape) {
    return 2 * (shape.hidden.size() + 1);
}

std::vector<float> dream_initial_parameters(const DreamShape& shape, std::uint64_t seed) {
    std::vector<float> parameters(static_cast<std::size_t>(dream_parameter_count(shape)));
    for (const DreamLayer& layer : dream_layers(shape)) {
        const float bound = 1.0F / std::sqrt(static_cast<float>(layer.in));
        draw_uniform(parameters, layer.offset, layer.end(), bound, kInitialDraw, seed);
    }
    return parameters;
}

DreamModel::DreamModel(DreamShape shape, std::vector<float> parameters, double discriminator_weight)
    : shape_(std::move(shape)),
      layers_(dream_layers(shape_)),
      parameters_(std::move(parameters)),
      discriminator_weight_(static_cast<float>(discriminator_weight)) {
    if (static_cast<std::int64_t>(parameters_.size()) != layers_.back().end()) {
        throw JobError("bad_model", "the DREAM model has " + std::to_string(parameters_.size()) +
                                        " parameters; its shape needs " +
                                        std::to_string(layers_.back().end()) + "; train again");
    }
}

DreamModel::Output DreamModel::run(std::span<const float> rows) const {
    const std::int64_t d = shape_.columns;
    const std::int64_t n = static_cast<std::int64_t>(rows.size()) / d;
    const Rows input = Eigen::Map<const Rows>(rows.data(), n, d);
    const std::size_t autoencoder = dream_autoencoder_layers(shape_);
    Output out;
    Rows state = input;
    for (std::size_t i = 0; i < autoencoder; ++i) {
        state = apply(layers_[i], parameters_, state);
        if (i + 1 == autoencoder / 2) out.latent = flat(state);
    }
    const Rows reconstruction = state;
    Rows joined(n, 2 * d);
    joined << input, reconstruction;
    state = joined;
    for (std::size_t i = autoencoder; i < layers_.size(); ++i) state = apply(layers_[i], parameters_, state);
    const Eigen::ArrayXf probability = 1.0F / (1.0F + (-state.array().col(0)).exp());
    const Eigen::ArrayXf error = (input - reconstruction).array().square().rowwise().mean();
    const Eigen::ArrayXf score = error * (1.0F + discriminator_weight_ * probability);
    out.reconstruction = flat(reconstruction);
    out.probability.assign(probability.data(), probability.data() + n);
    out.score.assign(score.data(), score.data() + n);
    return out;
}

std::vector<Tensor> dream_tensors(const DreamShape& shape, std::span<const float> parameters) {
    std::vector<Tensor> tensors;
    const auto slice = [&](std::int64_t begin, std::int64_t end) {
        return std::vector<float>(parameters.begin() + begin, parameters.begin() + end);
    };
    for (const DreamLayer& layer : dream_layers(shape)) {
        tensors.push_back(
            {layer.name + ".weight", {layer.out, layer.in}, slice(layer.offset, layer.bias_offset())});
        tensors.push_back({layer.name + ".bias", {layer.out}, slice(layer.bias_offset(), layer.end())});
    }
    return tensors;
}

void put_dream(const DreamModel& dream, Model& model) {
    model.tensors = dream_tensors(dream.shape(), dream.parameters());
    model.settings_json = nlohmann::json{{"hidden", dream.shape().hidden},
                                         {"latent", dream.shape().latent},
                                         {"discriminator_weight", kDiscriminatorWeight}}
                              .dump();
}

DreamModel dream_of_model(const Model& model) {
    DreamShape shape;
    double weight = kDiscriminatorWeight;
    try {
        const nlohmann::json settings = nlohmann::json::parse(model.settings_json);
        shape.columns = static_cast<std::int64_t>(model.features.size());
        settings.at("hidden").get_to(shape.hidden);
        settings.at("latent").get_to(shape.latent);
        weight = settings.value("discriminator_weight", kDiscriminatorWeight);
    } catch (const nlohmann::json::exception& error) {
        throw JobError("bad_model", std::string("settings of the DREAM model cannot be read (") +
                                        error.what() + "); train again");
    }
    std::vector<float> parameters;
    for (const DreamLayer& layer : dream_layers(shape)) {
        for (const char* part : {".weight", ".bias"}) {
            const Tensor& tensor = model.tensor(layer.name + part);
            const auto* values = std::get_if<std::vector<float>>(&tensor.values);
            if (values == nullptr)
                throw JobError("bad_model", "tensor '" + tensor.name + "' is not float32; train again");
            parameters.insert(parameters.end(), values->begin(), values->end());
        }
    }
    return {shape, std::move(parameters), weight};
}

}  // namespace nightshift::jobs
