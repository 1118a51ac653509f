#include "jobs/models/temporal_model.h"

#include <array>
#include <cmath>

#include <nlohmann/json.hpp>

#include "jobs/models/eigen_product.h"
#include "jobs/models/initial_weights.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

using Eigen::Index;
using ConstMap = Eigen::Map<const FloatRows>;

/// Philox draw kind of the initial parameters; training and DREAM use others.
constexpr std::uint32_t kInitialDraw = 0x7e41;

/// Calls use(name, shape, begin, end) for every tensor, in the order of the flat array.
template <typename Use>
void for_each_tensor(const TemporalShape& shape, Use use) {
    using Sizes = std::vector<std::int64_t>;
    for (const RecurrentLayer& layer : temporal_layers(shape)) {
        const auto name = [&](const char* part) { return layer.prefix + part + layer.suffix; };
        use(name("weight_ih"), Sizes{layer.gate_rows(), layer.in}, layer.weight_ih(), layer.weight_hh());
        use(name("weight_hh"), Sizes{layer.gate_rows(), layer.hidden}, layer.weight_hh(), layer.bias_ih());
        use(name("bias_ih"), Sizes{layer.gate_rows()}, layer.bias_ih(), layer.bias_hh());
        use(name("bias_hh"), Sizes{layer.gate_rows()}, layer.bias_hh(), layer.end());
    }
    const std::int64_t begin = projection_offset(shape), middle = begin + shape.columns * shape.hidden;
    use(std::string("output_proj.weight"), Sizes{shape.columns, shape.hidden}, begin, middle);
    use(std::string("output_proj.bias"), Sizes{shape.columns}, middle, middle + shape.columns);
}

/// The last `n` rows of `slopes` get `more`, where there is any.
void add_to_last(FloatRows& slopes, const FloatRows& more) {
    if (more.size() > 0) slopes.bottomRows(more.rows()) += more;
}

}  // namespace

DecoderInput decoder_of(std::string_view word) {
    if (word == "state") return DecoderInput::kState;
    if (word == "sequence") return DecoderInput::kSequence;
    throw JobError("bad_param", "decoder is '" + std::string(word) + "'; it can be state or sequence");
}

std::string_view name_of(DecoderInput decoder) {
    return decoder == DecoderInput::kState ? "state" : "sequence";
}

std::vector<RecurrentLayer> temporal_layers(const TemporalShape& shape) {
    std::vector<RecurrentLayer> layers;
    std::int64_t offset = 0;
    for (const char* prefix : {"encoder.", "decoder."}) {
        for (const char* suffix : {"_l0", "_l1"}) {
            const std::int64_t in = layers.empty() ? shape.columns : shape.hidden;
            layers.push_back({shape.cell, in, shape.hidden, offset, prefix, suffix});
            offset = layers.back().end();
        }
    }
    return layers;
}

std::int64_t projection_offset(const TemporalShape& shape) {
    return temporal_layers(shape).back().end();
}

std::int64_t temporal_parameter_count(const TemporalShape& shape) {
    return projection_offset(shape) + shape.columns * (shape.hidden + 1);
}

std::vector<float> temporal_initial_parameters(const TemporalShape& shape, std::uint64_t seed) {
    std::vector<float> parameters(static_cast<std::size_t>(temporal_parameter_count(shape)));
    const float bound = 1.0F / std::sqrt(static_cast<float>(shape.hidden));
    draw_uniform(parameters, 0, static_cast<std::int64_t>(parameters.size()), bound, kInitialDraw, seed);
    return parameters;
}

TemporalPass temporal_forward(const TemporalShape& shape, const std::vector<float>& parameters,
                              const FloatRows& windows, Index n) {
    const std::vector<RecurrentLayer> layers = temporal_layers(shape);
    const Index steps = windows.rows() / n;
    const bool is_sequence = shape.decoder == DecoderInput::kSequence;
    TemporalPass pass;
    pass.traces.resize(kRecurrentLayers);
    pass.inputs.resize(kRecurrentLayers);
    for (std::size_t i = 0; i < kRecurrentLayers; ++i) {
        RecurrentState start;
        if (i == 0) {
            pass.inputs[i] = windows;
        } else if (i == 2 && !is_sequence) {
            pass.inputs[i] = pass.traces[1].last(n).hidden.replicate(steps, 1);
        } else {
            pass.inputs[i] = pass.traces[i - 1].output(n);
        }
        if (i >= 2 && is_sequence) start = pass.traces[i - 2].last(n);
        recurrent_forward(layers[i], parameters.data(), pass.inputs[i], n, start, pass.traces[i]);
    }
    const std::int64_t at = projection_offset(shape);
    const ConstMap weight(parameters.data() + at, shape.columns, shape.hidden);
    const Eigen::Map<const Eigen::RowVectorXf> bias(parameters.data() + at + weight.size(), shape.columns);
    const FloatRows& states = pass.traces.back().hidden;
    pass.reconstruction.resize(windows.rows(), shape.columns);
    kernels::multiply_by_turned(view_of(states.bottomRows(windows.rows())), view_of(weight),
                                target_of(pass.reconstruction));
    pass.reconstruction.rowwise() += bias;
    return pass;
}

std::vector<float> temporal_backward(const TemporalShape& shape, const std::vector<float>& parameters,
                                     const TemporalPass& pass, Index n, const FloatRows& by_reconstruction) {
    const std::vector<RecurrentLayer> layers = temporal_layers(shape);
    std::vector<float> gradients(parameters.size());
    const std::int64_t at = projection_offset(shape);
    const ConstMap weight(parameters.data() + at, shape.columns, shape.hidden);
    const FloatRows& states = pass.traces.back().hidden;
    kernels::multiply_turned(view_of(by_reconstruction), view_of(states.bottomRows(by_reconstruction.rows())),
                             {gradients.data() + at, shape.hidden});
    Eigen::Map<Eigen::RowVectorXf>(gradients.data() + at + weight.size(), shape.columns) =
        by_reconstruction.colwise().sum();
    FloatRows by_output(by_reconstruction.rows(), shape.hidden);
    kernels::multiply(view_of(by_reconstruction), view_of(weight), target_of(by_output));
    // The reference's decoder starts from the encoder's last states: their derivatives wait here.
    std::array<RecurrentState, kRecurrentLayers> by_last;
    for (std::size_t i = kRecurrentLayers; i-- > 0;) {
        add_to_last(by_output, by_last[i].hidden);
        RecurrentSlopes slopes =
            recurrent_backward(layers[i], parameters.data(), pass.inputs[i], n, pass.traces[i], by_output,
                               by_last[i].cell, gradients.data());
        if (i >= 2 && shape.decoder == DecoderInput::kSequence) by_last[i - 2] = std::move(slopes.start);
        if (i == 2 && shape.decoder == DecoderInput::kState) {
            FloatRows by_state = FloatRows::Zero(n, shape.hidden);
            for (Index t = 0; t < slopes.input.rows(); t += n) by_state += slopes.input.middleRows(t, n);
            by_output = FloatRows::Zero(slopes.input.rows(), shape.hidden);
            add_to_last(by_output, by_state);
        } else {
            by_output = std::move(slopes.input);
        }
    }
    return gradients;
}

std::vector<double> window_scores(const TemporalShape& shape, const std::vector<float>& parameters,
                                  const FloatRows& windows, Index n) {
    const FloatRows error = temporal_forward(shape, parameters, windows, n).reconstruction - windows;
    const Eigen::VectorXd squares = error.cast<double>().rowwise().squaredNorm();
    const Index steps = windows.rows() / n;
    std::vector<double> scores(static_cast<std::size_t>(n));
    for (Index row = 0; row < squares.size(); ++row)
        scores[static_cast<std::size_t>(row % n)] += squares(row) / static_cast<double>(steps);
    return scores;
}

std::vector<Tensor> temporal_tensors(const TemporalShape& shape, std::span<const float> parameters) {
    std::vector<Tensor> tensors;
    for_each_tensor(shape, [&](const std::string& name, const std::vector<std::int64_t>& sizes,
                               std::int64_t begin, std::int64_t end) {
        tensors.push_back(
            {name, sizes, std::vector<float>(parameters.begin() + begin, parameters.begin() + end)});
    });
    return tensors;
}

std::string temporal_settings(const TemporalModel& model) {
    return nlohmann::json{{"cell", name_of(model.shape.cell)},         {"hidden", model.shape.hidden},
                          {"decoder", name_of(model.shape.decoder)},   {"window", model.window},
                          {"overlap", model.is_mean ? "mean" : "max"}, {"compat", model.is_compat}}
        .dump();
}

TemporalModel temporal_of_model(const Model& model) {
    TemporalModel out;
    try {
        const nlohmann::json settings = nlohmann::json::parse(model.settings_json);
        out.shape.columns = static_cast<std::int64_t>(model.features.size());
        out.shape.cell = cell_of(settings.at("cell").get<std::string>());
        out.shape.decoder = decoder_of(settings.at("decoder").get<std::string>());
        settings.at("hidden").get_to(out.shape.hidden);
        settings.at("window").get_to(out.window);
        out.is_mean = settings.at("overlap") == "mean";
        settings.at("compat").get_to(out.is_compat);
    } catch (const nlohmann::json::exception& error) {
        throw JobError("bad_model", std::string("settings of the temporal model cannot be read (") +
                                        error.what() + "); train again");
    }
    if (out.shape.hidden < 1 || out.window < 1)
        throw JobError("bad_model", "hidden and window of the temporal model are below 1; train again");
    for_each_tensor(out.shape, [&](const std::string& name, const std::vector<std::int64_t>&,
                                   std::int64_t begin, std::int64_t end) {
        const auto* values = std::get_if<std::vector<float>>(&model.tensor(name).values);
        if (values == nullptr || static_cast<std::int64_t>(values->size()) != end - begin) {
            throw JobError("bad_model", "tensor '" + name + "' of the temporal model does not have the " +
                                            std::to_string(end - begin) +
                                            " float32 numbers of its shape; train again");
        }
        out.parameters.insert(out.parameters.end(), values->begin(), values->end());
    });
    return out;
}

}  // namespace nightshift::jobs
