#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <Eigen/Core>

namespace nightshift::jobs {

enum class CellKind { kLstm, kGru };

/// "lstm" or "gru"; throws JobError("bad_param").
CellKind cell_of(std::string_view word);
std::string_view name_of(CellKind cell);

using FloatRows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// One layer of cells in a flat parameter array: weight_ih [gates * hidden, in], weight_hh
/// [gates * hidden, hidden], bias_ih, bias_hh [gates * hidden], in that order from `offset`. Names and gate
/// order are PyTorch's: i, f, g, o for LSTM; r, z, n for GRU.
struct RecurrentLayer {
    CellKind cell = CellKind::kLstm;
    std::int64_t in = 0, hidden = 0;
    std::int64_t offset = 0;
    std::string prefix;  ///< "encoder."
    std::string suffix;  ///< "_l0"

    std::int64_t gate_rows() const { return (cell == CellKind::kLstm ? 4 : 3) * hidden; }
    std::int64_t weight_ih() const { return offset; }
    std::int64_t weight_hh() const { return weight_ih() + gate_rows() * in; }
    std::int64_t bias_ih() const { return weight_hh() + gate_rows() * hidden; }
    std::int64_t bias_hh() const { return bias_ih() + gate_rows(); }
    std::int64_t end() const { return bias_hh() + gate_rows(); }
};

/// States of n sequences between two steps, [n, hidden]; `cell` is used by LSTM only. Empty = zeros.
struct RecurrentState {
    FloatRows hidden, cell;
};

/// What a forward pass leaves for the backward one. Time-major: row t * n + i is step t of sequence i.
struct RecurrentTrace {
    FloatRows gates;         ///< [steps * n, gate_rows] after their sigmoid or tanh
    FloatRows hidden;        ///< [(steps + 1) * n, hidden]: the start, then the state after each step
    FloatRows cell;          ///< the same for LSTM's cell
    FloatRows candidate_hh;  ///< GRU: what the hidden state adds to the candidate, [steps * n, hidden]

    /// The state after each step, [steps * n, hidden].
    FloatRows output(Eigen::Index n) const { return hidden.bottomRows(hidden.rows() - n); }
    RecurrentState last(Eigen::Index n) const;
};

/// input [steps * n, in]. Pure: reads `parameters`, writes `trace` alone.
void recurrent_forward(const RecurrentLayer& layer, const float* parameters, const FloatRows& input,
                       Eigen::Index n, const RecurrentState& start, RecurrentTrace& trace);

/// Derivatives of the loss by what went into a forward pass.
struct RecurrentSlopes {
    FloatRows input;       ///< [steps * n, in]
    RecurrentState start;  ///< of the state before the first step
};

/// `by_output` [steps * n, hidden]: the loss's derivative by the state after each step; `by_last_cell` that
/// by LSTM's last cell (empty = 0). Writes the layer's part of `gradients`.
RecurrentSlopes recurrent_backward(const RecurrentLayer& layer, const float* parameters,
                                   const FloatRows& input, Eigen::Index n, const RecurrentTrace& trace,
                                   const FloatRows& by_output, const FloatRows& by_last_cell,
                                   float* gradients);

}  // namespace nightshift::jobs
