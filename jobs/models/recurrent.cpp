#include "jobs/models/recurrent.h"

#include "jobs/models/eigen_product.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

using Eigen::Index;
using ConstMap = Eigen::Map<const FloatRows>;
using ConstRow = Eigen::Map<const Eigen::RowVectorXf>;
using FloatArray = Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

ConstMap weight_ih(const RecurrentLayer& layer, const float* parameters) {
    return {parameters + layer.weight_ih(), layer.gate_rows(), layer.in};
}

ConstMap weight_hh(const RecurrentLayer& layer, const float* parameters) {
    return {parameters + layer.weight_hh(), layer.gate_rows(), layer.hidden};
}

FloatRows or_zeros(const FloatRows& given, Index n, Index width) {
    if (given.size() > 0) return given;
    return FloatRows::Zero(n, width);
}

/// `own` holds what input and state add to the gates of one step; becomes the gates.
void lstm_step(Index h, Eigen::Ref<FloatRows> own, const Eigen::Ref<const FloatRows>& cell_before,
               Eigen::Ref<FloatRows> cell, Eigen::Ref<FloatRows> hidden) {
    own.leftCols(2 * h) = own.leftCols(2 * h).array().logistic().matrix();
    own.middleCols(2 * h, h) = own.middleCols(2 * h, h).array().tanh().matrix();
    own.rightCols(h) = own.rightCols(h).array().logistic().matrix();
    cell = own.middleCols(h, h).cwiseProduct(cell_before) +
           own.leftCols(h).cwiseProduct(own.middleCols(2 * h, h));
    hidden = own.rightCols(h).cwiseProduct(cell.array().tanh().matrix());
}

/// `own` holds what the input adds, `by_hidden` what the state adds.
void gru_step(Index h, Eigen::Ref<FloatRows> own, const FloatRows& by_hidden,
              const Eigen::Ref<const FloatRows>& hidden_before, Eigen::Ref<FloatRows> hidden) {
    own.leftCols(2 * h) = (own.leftCols(2 * h) + by_hidden.leftCols(2 * h)).array().logistic().matrix();
    own.rightCols(h) =
        (own.rightCols(h) + own.leftCols(h).cwiseProduct(by_hidden.rightCols(h))).array().tanh().matrix();
    const auto keep = own.middleCols(h, h).array();
    hidden = ((1.0F - keep) * own.rightCols(h).array() + keep * hidden_before.array()).matrix();
}

/// Derivatives by the gates of one step before their sigmoid or tanh; `by_cell` becomes that by the cell
/// before the step.
void lstm_step_back(Index h, const Eigen::Ref<const FloatRows>& gates,
                    const Eigen::Ref<const FloatRows>& cell_before, const Eigen::Ref<const FloatRows>& cell,
                    const FloatRows& by_hidden, FloatRows& by_cell, Eigen::Ref<FloatRows> out) {
    const auto in = gates.leftCols(h).array(), forget = gates.middleCols(h, h).array(),
               candidate = gates.middleCols(2 * h, h).array(), let_out = gates.rightCols(h).array();
    const FloatArray bent = cell.array().tanh();
    by_cell.array() += by_hidden.array() * let_out * (1.0F - bent.square());
    out.leftCols(h) = (by_cell.array() * candidate * in * (1.0F - in)).matrix();
    out.middleCols(h, h) = (by_cell.array() * cell_before.array() * forget * (1.0F - forget)).matrix();
    out.middleCols(2 * h, h) = (by_cell.array() * in * (1.0F - candidate.square())).matrix();
    out.rightCols(h) = (by_hidden.array() * bent * let_out * (1.0F - let_out)).matrix();
    by_cell.array() *= forget;
}

/// The same for GRU: `out` by the input's part of the gates, `out_hidden` by the state's part; `by_hidden`
/// becomes what goes straight to the state before the step.
void gru_step_back(Index h, const Eigen::Ref<const FloatRows>& gates,
                   const Eigen::Ref<const FloatRows>& candidate_hh,
                   const Eigen::Ref<const FloatRows>& hidden_before, FloatRows& by_hidden,
                   Eigen::Ref<FloatRows> out, Eigen::Ref<FloatRows> out_hidden) {
    const auto reset = gates.leftCols(h).array(), keep = gates.middleCols(h, h).array(),
               candidate = gates.rightCols(h).array();
    out.rightCols(h) = (by_hidden.array() * (1.0F - keep) * (1.0F - candidate.square())).matrix();
    out.leftCols(h) = (out.rightCols(h).array() * candidate_hh.array() * reset * (1.0F - reset)).matrix();
    out.middleCols(h, h) =
        (by_hidden.array() * (hidden_before.array() - candidate) * keep * (1.0F - keep)).matrix();
    out_hidden = out;
    out_hidden.rightCols(h).array() *= reset;
    by_hidden.array() *= keep;
}

}  // namespace

CellKind cell_of(std::string_view word) {
    if (word == "lstm") return CellKind::kLstm;
    if (word == "gru") return CellKind::kGru;
    throw JobError("bad_param", "cell is '" + std::string(word) + "'; it can be lstm or gru");
}

std::string_view name_of(CellKind cell) {
    return cell == CellKind::kLstm ? "lstm" : "gru";
}

RecurrentState RecurrentTrace::last(Index n) const {
    RecurrentState state{hidden.bottomRows(n), {}};
    if (cell.size() > 0) state.cell = cell.bottomRows(n);
    return state;
}

void recurrent_forward(const RecurrentLayer& layer, const float* parameters, const FloatRows& input, Index n,
                       const RecurrentState& start, RecurrentTrace& trace) {
    const Index h = layer.hidden, steps = input.rows() / n;
    const bool is_lstm = layer.cell == CellKind::kLstm;
    const ConstRow bias_ih(parameters + layer.bias_ih(), layer.gate_rows());
    const ConstRow bias_hh(parameters + layer.bias_hh(), layer.gate_rows());
    // Turned once, for all steps.
    const FloatRows to_gates = weight_hh(layer, parameters).transpose();
    trace.gates.resize(steps * n, layer.gate_rows());
    kernels::multiply_by_turned(view_of(input), view_of(weight_ih(layer, parameters)),
                                target_of(trace.gates));
    trace.gates.rowwise() += bias_ih;
    trace.hidden.resize((steps + 1) * n, h);
    trace.hidden.topRows(n) = or_zeros(start.hidden, n, h);
    trace.cell.resize(is_lstm ? (steps + 1) * n : 0, h);
    trace.candidate_hh.resize(is_lstm ? 0 : steps * n, h);
    if (is_lstm) trace.cell.topRows(n) = or_zeros(start.cell, n, h);
    FloatRows by_hidden(n, layer.gate_rows());
    for (Index t = 0; t < steps; ++t) {
        kernels::multiply(view_of(trace.hidden.middleRows(t * n, n)), view_of(to_gates),
                          target_of(by_hidden));
        by_hidden.rowwise() += bias_hh;
        auto own = trace.gates.middleRows(t * n, n);
        auto hidden = trace.hidden.middleRows((t + 1) * n, n);
        if (is_lstm) {
            own += by_hidden;
            lstm_step(h, own, trace.cell.middleRows(t * n, n), trace.cell.middleRows((t + 1) * n, n), hidden);
        } else {
            trace.candidate_hh.middleRows(t * n, n) = by_hidden.rightCols(h);
            gru_step(h, own, by_hidden, trace.hidden.middleRows(t * n, n), hidden);
        }
    }
}

RecurrentSlopes recurrent_backward(const RecurrentLayer& layer, const float* parameters,
                                   const FloatRows& input, Index n, const RecurrentTrace& trace,
                                   const FloatRows& by_output, const FloatRows& by_last_cell,
                                   float* gradients) {
    const Index h = layer.hidden, steps = input.rows() / n;
    const bool is_lstm = layer.cell == CellKind::kLstm;
    const auto to_hidden = weight_hh(layer, parameters);
    // LSTM's gates take one sum, so both parts of the weights see the same derivative.
    FloatRows by_gates(steps * n, layer.gate_rows()), by_gates_hh(is_lstm ? 0 : steps * n, layer.gate_rows());
    FloatRows by_hidden = FloatRows::Zero(n, h), by_cell = or_zeros(by_last_cell, n, h);
    for (Index t = steps; t-- > 0;) {
        const Index at = t * n;
        by_hidden += by_output.middleRows(at, n);
        if (is_lstm) {
            lstm_step_back(h, trace.gates.middleRows(at, n), trace.cell.middleRows(at, n),
                           trace.cell.middleRows(at + n, n), by_hidden, by_cell, by_gates.middleRows(at, n));
            kernels::multiply(view_of(by_gates.middleRows(at, n)), view_of(to_hidden), target_of(by_hidden));
        } else {
            gru_step_back(h, trace.gates.middleRows(at, n), trace.candidate_hh.middleRows(at, n),
                          trace.hidden.middleRows(at, n), by_hidden, by_gates.middleRows(at, n),
                          by_gates_hh.middleRows(at, n));
            kernels::multiply(view_of(by_gates_hh.middleRows(at, n)), view_of(to_hidden),
                              target_of(by_hidden, true));
        }
    }
    const FloatRows& by_state_part = is_lstm ? by_gates : by_gates_hh;
    kernels::multiply_turned(view_of(by_gates), view_of(input), {gradients + layer.weight_ih(), layer.in});
    kernels::multiply_turned(view_of(by_state_part), view_of(trace.hidden.topRows(steps * n)),
                             {gradients + layer.weight_hh(), h});
    Eigen::Map<Eigen::RowVectorXf>(gradients + layer.bias_ih(), layer.gate_rows()) = by_gates.colwise().sum();
    Eigen::Map<Eigen::RowVectorXf>(gradients + layer.bias_hh(), layer.gate_rows()) =
        by_state_part.colwise().sum();
    RecurrentSlopes slopes;
    slopes.input.resize(steps * n, layer.in);
    kernels::multiply(view_of(by_gates), view_of(weight_ih(layer, parameters)), target_of(slopes.input));
    slopes.start = {by_hidden, is_lstm ? by_cell : FloatRows()};
    return slopes;
}

}  // namespace nightshift::jobs
