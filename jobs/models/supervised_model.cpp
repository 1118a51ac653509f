#include "jobs/models/supervised_model.h"

#include <algorithm>
#include <cmath>

#include <Eigen/Core>
#include <nlohmann/json.hpp>

#include "jobs/models/initial_weights.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr std::uint32_t kInitialDraw = 0x5b01;
constexpr std::int64_t kKernelSide = 3;
/// Channels after each convolution.
constexpr std::int64_t kMapWidths[] = {8, 16, 32};
constexpr std::int64_t kMapSummary = 2 * kMapWidths[2];

SupervisedLayer next(std::int64_t& end, std::string name, std::int64_t in, std::int64_t out,
                     std::int64_t kernel = 1) {
    SupervisedLayer layer{std::move(name), in, out, kernel, end};
    end = layer.end();
    return layer;
}

Eigen::Map<const Rows> weight(const SupervisedLayer& layer, std::span<const float> parameters) {
    return {parameters.data() + layer.offset, layer.out, layer.in * layer.kernel};
}

Rows linear(const SupervisedLayer& layer, std::span<const float> parameters, const Rows& rows) {
    Rows out = rows * weight(layer, parameters).transpose();
    out.rowwise() += Eigen::Map<const Eigen::RowVectorXf>(parameters.data() + layer.bias_offset(), layer.out);
    return out;
}

/// 3 x 3 with a border of zeros, then ReLU: planes [in, height * width] to [out, height * width].
Rows convolved(const SupervisedLayer& layer, std::span<const float> parameters, const Rows& planes,
               std::int64_t height, std::int64_t width) {
    Rows windows = Rows::Zero(layer.in * layer.kernel, height * width);
    for (std::int64_t channel = 0; channel < layer.in; ++channel) {
        const float* plane = planes.data() + channel * height * width;
        for (std::int64_t k = 0; k < layer.kernel; ++k) {
            const std::int64_t down = k / kKernelSide - 1, right = k % kKernelSide - 1;
            float* to = windows.data() + (channel * layer.kernel + k) * height * width;
            const std::int64_t first = std::max<std::int64_t>(0, -right);
            const std::int64_t last = std::min(width, width - right);
            for (std::int64_t y = std::max<std::int64_t>(0, -down); y < std::min(height, height - down);
                 ++y) {
                const float* from = plane + (y + down) * width + right;
                std::copy(from + first, from + last, to + y * width + first);
            }
        }
    }
    Rows out = weight(layer, parameters) * windows;
    out.colwise() += Eigen::Map<const Eigen::VectorXf>(parameters.data() + layer.bias_offset(), layer.out);
    return out.cwiseMax(0.0F);
}

/// The largest of each 2 x 2; sides are even.
Rows halved(const Rows& planes, std::int64_t height, std::int64_t width) {
    Rows out(planes.rows(), height * width / 4);
    for (Eigen::Index c = 0; c < planes.rows(); ++c) {
        const float* plane = planes.data() + c * height * width;
        float* to = out.data() + c * out.cols();
        for (std::int64_t y = 0; y + 1 < height; y += 2) {
            for (std::int64_t x = 0; x + 1 < width; x += 2) {
                const float* at = plane + y * width + x;
                *to++ = std::max(std::max(at[0], at[1]), std::max(at[width], at[width + 1]));
            }
        }
    }
    return out;
}

Eigen::RowVectorXf summary_of_map(const SupervisedLayers& layers, std::span<const float> parameters,
                                  std::span<const float> map) {
    std::int64_t height = kMapFrames, width = kMapPlaces;
    Rows planes = Eigen::Map<const Rows>(map.data(), kMapChannels, kMapPlane);
    for (std::size_t i = 0; i < layers.map.size(); ++i) {
        planes = convolved(layers.map[i], parameters, planes, height, width);
        if (i + 1 == layers.map.size()) break;
        planes = halved(planes, height, width);
        height /= 2;
        width /= 2;
    }
    Eigen::RowVectorXf out(kMapSummary);
    out << planes.rowwise().maxCoeff().transpose(), planes.rowwise().mean().transpose();
    return out;
}

}  // namespace

SupervisedLayers supervised_layers(const SupervisedShape& shape) {
    SupervisedLayers out;
    std::int64_t end = 0;
    out.features.push_back(next(end, "features.0", shape.columns, shape.width));
    out.features.push_back(next(end, "features.1", shape.width, shape.width));
    if (shape.has_map) {
        std::int64_t in = kMapChannels;
        for (const std::int64_t channels : kMapWidths) {
            out.map.push_back(
                next(end, "map." + std::to_string(out.map.size()), in, channels, kKernelSide * kKernelSide));
            in = channels;
        }
    }
    out.join = next(end, "join", shape.width + (shape.has_map ? kMapSummary : 0), shape.width);
    out.damaged = next(end, "damaged", shape.width, 1);
    out.line = next(end, "line", shape.columns, 1);
    if (shape.scenarios > 0) out.scenario.push_back(next(end, "scenario", shape.width, shape.scenarios));
    return out;
}

std::vector<SupervisedLayer> SupervisedLayers::all() const {
    std::vector<SupervisedLayer> out = features;
    out.insert(out.end(), map.begin(), map.end());
    out.insert(out.end(), {join, damaged, line});
    out.insert(out.end(), scenario.begin(), scenario.end());
    return out;
}

std::int64_t supervised_parameter_count(const SupervisedShape& shape) {
    return supervised_layers(shape).all().back().end();
}

std::int64_t supervised_hidden_values(const SupervisedShape& shape) {
    return 3 * shape.width + (shape.has_map ? kMapSummary : 0);
}

std::vector<float> supervised_initial_parameters(const SupervisedShape& shape, std::uint64_t seed) {
    std::vector<float> parameters(static_cast<std::size_t>(supervised_parameter_count(shape)), 0.0F);
    for (const SupervisedLayer& layer : supervised_layers(shape).all()) {
        if (layer.name == "line") continue;
        const float bound = std::sqrt(6.0F / static_cast<float>(layer.in * layer.kernel)) *
                            (layer.name == "damaged" || layer.name == "scenario" ? 0.3F : 1.0F);
        draw_uniform(parameters, layer.offset, layer.bias_offset(), bound, kInitialDraw, seed);
    }
    return parameters;
}

std::vector<float> supervised_log_odds(const SupervisedShape& shape, std::span<const float> parameters,
                                       std::span<const float> features, std::span<const float> maps) {
    const SupervisedLayers layers = supervised_layers(shape);
    const auto n = static_cast<Eigen::Index>(features.size()) / std::max<Eigen::Index>(shape.columns, 1);
    if (static_cast<std::int64_t>(parameters.size()) != layers.all().back().end() ||
        (shape.has_map && static_cast<std::int64_t>(maps.size()) != n * kMapValues)) {
        throw JobError("bad_model", "the supervised model has " + std::to_string(parameters.size()) +
                                        " parameters; its shape needs " +
                                        std::to_string(layers.all().back().end()) + "; train again");
    }
    const Rows input = Eigen::Map<const Rows>(features.data(), n, shape.columns);
    Rows joined(n, layers.join.in);
    const Rows first = linear(layers.features[0], parameters, input).cwiseMax(0.0F);
    joined.leftCols(shape.width) = linear(layers.features[1], parameters, first).cwiseMax(0.0F);
    for (Eigen::Index r = 0; shape.has_map && r < n; ++r) {
        joined.row(r).tail(kMapSummary) = summary_of_map(
            layers, parameters, maps.subspan(static_cast<std::size_t>(r * kMapValues), kMapValues));
    }
    const Rows hidden = linear(layers.join, parameters, joined).cwiseMax(0.0F);
    const Rows out = linear(layers.damaged, parameters, hidden) + linear(layers.line, parameters, input);
    return {out.data(), out.data() + n};
}

void put_supervised(const SupervisedModel& supervised, Model& model) {
    const SupervisedShape& shape = supervised.shape;
    model.settings_json = nlohmann::json{{"width", shape.width},
                                         {"scenarios", shape.scenarios},
                                         {"map", shape.has_map},
                                         {"map_mean", supervised.map_normalizer.mean},
                                         {"map_deviation", supervised.map_normalizer.deviation}}
                              .dump();
    model.tensors.clear();
    const auto slice = [&](std::int64_t begin, std::int64_t end) {
        return std::vector<float>(supervised.parameters.begin() + begin, supervised.parameters.begin() + end);
    };
    for (const SupervisedLayer& layer : supervised_layers(shape).all()) {
        std::vector<std::int64_t> sides{layer.out, layer.in};
        if (layer.kernel > 1) sides.insert(sides.end(), 2, kKernelSide);
        model.tensors.push_back({layer.name + ".weight", sides, slice(layer.offset, layer.bias_offset())});
        model.tensors.push_back({layer.name + ".bias", {layer.out}, slice(layer.bias_offset(), layer.end())});
    }
}

SupervisedModel supervised_of_model(const Model& model) {
    SupervisedModel out;
    try {
        const nlohmann::json settings = nlohmann::json::parse(model.settings_json);
        out.shape.columns = static_cast<std::int64_t>(model.features.size());
        settings.at("width").get_to(out.shape.width);
        settings.at("scenarios").get_to(out.shape.scenarios);
        settings.at("map").get_to(out.shape.has_map);
        settings.at("map_mean").get_to(out.map_normalizer.mean);
        settings.at("map_deviation").get_to(out.map_normalizer.deviation);
    } catch (const nlohmann::json::exception& error) {
        throw JobError("bad_model", std::string("settings of the supervised model cannot be read (") +
                                        error.what() + "); train again");
    }
    const auto channels = static_cast<std::size_t>(out.shape.has_map ? kMapChannels : 0);
    if (out.map_normalizer.mean.size() != channels || out.map_normalizer.deviation.size() != channels)
        throw JobError("bad_model", "the supervised model's map numbers do not fit; train again");
    for (const SupervisedLayer& layer : supervised_layers(out.shape).all()) {
        for (const char* part : {".weight", ".bias"}) {
            const Tensor& tensor = model.tensor(layer.name + part);
            const auto* values = std::get_if<std::vector<float>>(&tensor.values);
            if (values == nullptr)
                throw JobError("bad_model", "tensor '" + tensor.name + "' is not float32; train again");
            out.parameters.insert(out.parameters.end(), values->begin(), values->end());
        }
    }
    return out;
}

}  // namespace nightshift::jobs
