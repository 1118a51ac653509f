#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "jobs/models/model_folder.h"
#include "jobs/models/recurrent.h"

namespace nightshift::jobs {

/// What the decoder sees.
enum class DecoderInput {
    /// The encoder's last state alone, at every step, starting from zeros: `hidden` numbers stand for the
    /// whole window, so what is unusual does not fit through.
    kState,
    /// The reference's: the whole encoded sequence, starting from the encoder's last states. It can copy.
    kSequence,
};

/// "state" or "sequence"; throws JobError("bad_param").
DecoderInput decoder_of(std::string_view word);
std::string_view name_of(DecoderInput decoder);

/// An autoencoder of windows: two recurrent layers, two more, a linear layer back to the columns.
struct TemporalShape {
    std::int64_t columns = 0;
    std::int64_t hidden = 64;
    CellKind cell = CellKind::kLstm;
    DecoderInput decoder = DecoderInput::kState;
};

inline constexpr std::size_t kRecurrentLayers = 4;  ///< encoder _l0, _l1, decoder _l0, _l1

/// In the order of the reference's state dictionary.
std::vector<RecurrentLayer> temporal_layers(const TemporalShape& shape);
/// Where output_proj.weight [columns, hidden] begins; output_proj.bias follows it.
std::int64_t projection_offset(const TemporalShape& shape);
std::int64_t temporal_parameter_count(const TemporalShape& shape);

/// U(-1/sqrt(hidden), 1/sqrt(hidden)) everywhere, PyTorch's default for all of these layers, from Philox.
std::vector<float> temporal_initial_parameters(const TemporalShape& shape, std::uint64_t seed);

/// Everything between a batch of windows and its reconstruction. Time-major: row t * n + i is step t of
/// window i.
struct TemporalPass {
    std::vector<RecurrentTrace> traces;  ///< of the layers
    std::vector<FloatRows> inputs;       ///< of the layers
    FloatRows reconstruction;            ///< [steps * n, columns]
};

/// windows [steps * n, columns]. Pure.
TemporalPass temporal_forward(const TemporalShape& shape, const std::vector<float>& parameters,
                              const FloatRows& windows, Eigen::Index n);
/// `by_reconstruction`: the loss's derivative. Returns that by every parameter.
std::vector<float> temporal_backward(const TemporalShape& shape, const std::vector<float>& parameters,
                                     const TemporalPass& pass, Eigen::Index n,
                                     const FloatRows& by_reconstruction);

/// Score of each of n windows: the squared error summed over the columns, mean over the steps.
std::vector<double> window_scores(const TemporalShape& shape, const std::vector<float>& parameters,
                                  const FloatRows& windows, Eigen::Index n);

/// Tensors with PyTorch's names, and back. Throws JobError("bad_model").
std::vector<Tensor> temporal_tensors(const TemporalShape& shape, std::span<const float> parameters);
/// A temporal model as it was trained.
struct TemporalModel {
    TemporalShape shape;
    std::int64_t window = 10;
    bool is_mean = false;    ///< a frame's score: the mean over the windows that cover it, else the largest
    bool is_compat = false;  ///< windows are attributed to frames as the reference does
    std::vector<float> parameters;
};
TemporalModel temporal_of_model(const Model& model);
/// What temporal_of_model reads, for Model::settings_json.
std::string temporal_settings(const TemporalModel& model);

}  // namespace nightshift::jobs
