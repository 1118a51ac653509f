#include "jobs/models/dream_model.h"

#include <cmath>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "jobs/models/initial_weights.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

/// Philox draw kind of the initial parameters; training uses others.
constexpr std::uint32_t kInitialDraw = 0x1417;

/// Names of one part's layers. Each hidden layer is followed by its ReLU and its dropout, which count as
/// modules in them.
void name_layers(std::span<DreamLayer> layers, const std::string& prefix) {
    for (std::size_t i = 0; i < layers.size(); ++i) layers[i].name = prefix + "." + std::to_string(3 * i);
}

}  // namespace

kernels::DreamNetShape dream_net(const DreamShape& shape) {
    return {shape.columns, shape.hidden, shape.latent, shape.discriminator_width()};
}

std::vector<DreamLayer> dream_layers(const DreamShape& shape) {
    std::vector<DreamLayer> layers;
    try {
        for (const kernels::DreamNetLayer& layer : kernels::dream_net_layers(dream_net(shape)))
            layers.push_back({layer, {}});
    } catch (const std::invalid_argument& error) {
        throw JobError("bad_model", std::string("the DREAM model cannot be: ") + error.what());
    }
    const std::size_t autoencoder = dream_autoencoder_layers(shape);
    const std::span all(layers);
    name_layers(all.first(autoencoder / 2), "autoencoder.encoder");
    name_layers(all.subspan(autoencoder / 2, autoencoder / 2), "autoencoder.decoder");
    name_layers(all.subspan(autoencoder), "discriminator.net");
    return layers;
}

std::int64_t dream_parameter_count(const DreamShape& shape) {
    return dream_layers(shape).back().end();
}

std::int64_t dream_hidden_values(const DreamShape& shape) {
    return kernels::dream_net_hidden_values(dream_net(shape));
}

std::size_t dream_autoencoder_layers(const DreamShape& shape) {
    return kernels::dream_net_autoencoder(dream_net(shape));
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
      parameters_(std::move(parameters)),
      discriminator_weight_(static_cast<float>(discriminator_weight)) {
    const std::int64_t wanted = dream_parameter_count(shape_);
    if (static_cast<std::int64_t>(parameters_.size()) != wanted) {
        throw JobError("bad_model", "the DREAM model has " + std::to_string(parameters_.size()) +
                                        " parameters; its shape needs " + std::to_string(wanted) +
                                        "; train again");
    }
}

DreamModel::Output DreamModel::run(std::span<const float> rows) const {
    const std::size_t n = rows.size() / static_cast<std::size_t>(shape_.columns);
    Output out;
    out.reconstruction.resize(rows.size());
    out.latent.resize(n * static_cast<std::size_t>(shape_.latent));
    out.probability.resize(n);
    out.score.resize(n);
    kernels::dream_forward_cpu(dream_net(shape_), parameters_, discriminator_weight_, rows,
                               {out.reconstruction, out.latent, out.probability, out.score});
    return out;
}

std::vector<float> DreamModel::reconstruction(std::span<const float> rows) const {
    std::vector<float> given_back(rows.size());
    kernels::dream_forward_cpu(dream_net(shape_), parameters_, discriminator_weight_, rows,
                               {given_back, {}, {}, {}});
    return given_back;
}

std::vector<float> DreamModel::scores(std::span<const float> rows) const {
    std::vector<float> score(rows.size() / static_cast<std::size_t>(shape_.columns));
    kernels::dream_forward_cpu(dream_net(shape_), parameters_, discriminator_weight_, rows,
                               {{}, {}, {}, score});
    return score;
}

std::vector<float> DreamModel::scores(std::span<const float> rows, kernels::Backend& backend) const {
    std::vector<float> score(rows.size() / static_cast<std::size_t>(shape_.columns));
    kernels::dream_forward(backend, dream_net(shape_), parameters_, discriminator_weight_, rows,
                           {{}, {}, {}, score});
    return score;
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
