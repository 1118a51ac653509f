#include "jobs/models/temporal_model.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "jobs/models/temporal_training.h"
#include "jobs/runtime/job_impl.h"
#include "tests/jobs/models/temporal_case.h"

using namespace nightshift::jobs;
using namespace nightshift::tests;

namespace {

constexpr double kTolerance = 1e-5;

FloatRows golden_windows(const TemporalCase& each) {
    return time_major(read_array<float>(each.folder + "windows.bin"), kGoldenWindows, kGoldenSteps);
}

FloatRows random_rows(Eigen::Index rows, Eigen::Index columns, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    FloatRows out(rows, columns);
    for (Eigen::Index i = 0; i < out.size(); ++i) out.data()[i] = normal(generator);
    return out;
}

double sigmoid(double x) {
    return 1 / (1 + std::exp(-x));
}

/// The textbook's LSTM, one number at a time in double: the last hidden state of one sequence.
std::vector<double> plain_lstm(const RecurrentLayer& layer, const std::vector<float>& p,
                               const FloatRows& input) {
    const auto h = static_cast<std::size_t>(layer.hidden);
    std::vector<double> hidden(h), cell(h);
    for (Eigen::Index t = 0; t < input.rows(); ++t) {
        std::vector<double> gates(4 * h);
        for (std::size_t g = 0; g < gates.size(); ++g) {
            const auto row = static_cast<std::int64_t>(g);
            const auto at = [&](std::int64_t i) {
                return static_cast<double>(p[static_cast<std::size_t>(i)]);
            };
            gates[g] = at(layer.bias_ih() + row) + at(layer.bias_hh() + row);
            for (std::int64_t j = 0; j < layer.in; ++j)
                gates[g] += at(layer.weight_ih() + row * layer.in + j) * static_cast<double>(input(t, j));
            for (std::int64_t j = 0; j < layer.hidden; ++j)
                gates[g] +=
                    at(layer.weight_hh() + row * layer.hidden + j) * hidden[static_cast<std::size_t>(j)];
        }
        for (std::size_t u = 0; u < h; ++u) {
            cell[u] = sigmoid(gates[h + u]) * cell[u] + sigmoid(gates[u]) * std::tanh(gates[2 * h + u]);
            hidden[u] = sigmoid(gates[3 * h + u]) * std::tanh(cell[u]);
        }
    }
    return hidden;
}

double loss_of(const TemporalShape& shape, const std::vector<float>& parameters, const FloatRows& windows,
               Eigen::Index n) {
    const FloatRows error = temporal_forward(shape, parameters, windows, n).reconstruction - windows;
    return error.cast<double>().squaredNorm() / static_cast<double>(error.size());
}

std::vector<float> gradients_of(const TemporalShape& shape, const std::vector<float>& parameters,
                                const FloatRows& windows, Eigen::Index n) {
    const TemporalPass pass = temporal_forward(shape, parameters, windows, n);
    const FloatRows error = pass.reconstruction - windows;
    return temporal_backward(shape, parameters, pass, n, (2.0F / static_cast<float>(error.size())) * error);
}

}  // namespace

TEST_CASE("temporal: encoder, hidden state and reconstruction of the reference's windows") {
    const auto cases = temporal_cases();
    REQUIRE(!cases.empty());
    for (const TemporalCase& each : cases) {
        CAPTURE(each.tag);
        CHECK(temporal_parameter_count(each.shape) == each.facts.at("n_parameters"));
        REQUIRE(static_cast<std::int64_t>(each.parameters.size()) == temporal_parameter_count(each.shape));
        const TemporalPass pass =
            temporal_forward(each.shape, each.parameters, golden_windows(each), kGoldenWindows);
        const std::vector<float> output = window_major(pass.traces[1].output(kGoldenWindows), kGoldenWindows);
        CHECK(largest_error(output, each.array("encoder_output")) < kTolerance);
        std::vector<float> hidden;
        for (std::size_t layer = 0; layer < 2; ++layer) {
            const FloatRows last = pass.traces[layer].last(kGoldenWindows).hidden;
            hidden.insert(hidden.end(), last.data(), last.data() + last.size());
        }
        CHECK(largest_error(hidden, each.array("encoder_hidden")) < kTolerance);
        CHECK(largest_error(window_major(pass.reconstruction, kGoldenWindows), each.array("reconstruction")) <
              kTolerance);
        const std::vector<double> scores =
            window_scores(each.shape, each.parameters, golden_windows(each), kGoldenWindows);
        CHECK(largest_error(scores, each.facts.at("window_scores").get<std::vector<double>>()) < kTolerance);
    }
}

TEST_CASE("temporal: gradients and three Adam steps of the reference") {
    for (const TemporalCase& each : temporal_cases()) {
        CAPTURE(each.tag);
        const auto frames = read_array<float>(each.folder + "train_frames.bin");
        constexpr Eigen::Index kBatch = 32, kFrames = 41;
        TrainingState state = TrainingState::from(each.parameters);
        for (std::size_t step = 0; step < 3; ++step) {
            FloatRows windows(kGoldenSteps * kBatch, each.shape.columns);
            for (Eigen::Index t = 0; t < kGoldenSteps; ++t) {
                for (Eigen::Index i = 0; i < kBatch; ++i) {
                    const auto frame = static_cast<Eigen::Index>(step) * kFrames + i + t;
                    windows.row(t * kBatch + i) = Eigen::Map<const Eigen::RowVectorXf>(
                        frames.data() + frame * each.shape.columns, each.shape.columns);
                }
            }
            if (step == 0) {
                const std::vector<Tensor> slopes =
                    temporal_tensors(each.shape, gradients_of(each.shape, each.parameters, windows, kBatch));
                const auto& norms = each.facts.at("gradient_norms_first_step");
                REQUIRE(slopes.size() == norms.size());
                for (const Tensor& slope : slopes) {
                    CAPTURE(slope.name);
                    double squares = 0, sum = 0;
                    for (const float v : std::get<std::vector<float>>(slope.values)) {
                        squares += static_cast<double>(v) * static_cast<double>(v);
                        sum += static_cast<double>(v);
                    }
                    const double length = norms.at(slope.name).at("l2");
                    CHECK(std::abs(std::sqrt(squares) - length) < kTolerance * length);
                    // The sum of a thousand numbers with both signs: rounding counts against their length.
                    CHECK(std::abs(sum - norms.at(slope.name).at("sum").get<double>()) < kTolerance * length);
                }
            }
            const double loss = temporal_step(each.shape, state, windows, kBatch, 1e-3);
            const double expected = each.facts.at("train_losses_3_steps").at(step);
            CHECK(std::abs(loss - expected) < kTolerance * expected);
        }
        const TemporalPass pass =
            temporal_forward(each.shape, state.parameters, golden_windows(each), kGoldenWindows);
        CHECK(largest_error(window_major(pass.reconstruction, kGoldenWindows),
                            each.array("reconstruction_after_3_steps")) < kTolerance);
        const auto scores = window_scores(each.shape, state.parameters, golden_windows(each), kGoldenWindows);
        CHECK(largest_error(scores, each.facts.at("window_scores_after_3_steps").get<std::vector<double>>()) <
              kTolerance);
    }
}

TEST_CASE("temporal: an LSTM layer does what the textbook's loop does") {
    const TemporalShape shape{5, 7, CellKind::kLstm, DecoderInput::kState};
    const std::vector<float> parameters = temporal_initial_parameters(shape, 3);
    const RecurrentLayer layer = temporal_layers(shape).front();
    const FloatRows input = random_rows(6, 5, 1);
    RecurrentTrace trace;
    recurrent_forward(layer, parameters.data(), input, 1, {}, trace);
    const FloatRows last = trace.last(1).hidden;
    const std::vector<float> found(last.data(), last.data() + last.size());
    CHECK(largest_error(found, plain_lstm(layer, parameters, input)) < 1e-6);
}

TEST_CASE("temporal: gradients agree with differences of the loss, for both cells and both decoders") {
    constexpr Eigen::Index kCount = 3, kLength = 4;
    for (const CellKind cell : {CellKind::kLstm, CellKind::kGru}) {
        for (const DecoderInput decoder : {DecoderInput::kState, DecoderInput::kSequence}) {
            CAPTURE(name_of(cell));
            CAPTURE(name_of(decoder));
            const TemporalShape shape{4, 5, cell, decoder};
            const std::vector<float> parameters = temporal_initial_parameters(shape, 11);
            const FloatRows windows = random_rows(kLength * kCount, 4, 2);
            const auto slopes = gradients_of(shape, parameters, windows, kCount);
            for (const Tensor& tensor : temporal_tensors(shape, slopes)) {
                CAPTURE(tensor.name);
                // Along the gradient of this tensor alone the loss rises by its squared length.
                const auto& own = std::get<std::vector<float>>(tensor.values);
                std::vector<float> masked(slopes.size());
                std::size_t offset = 0;
                for (const Tensor& each : temporal_tensors(shape, slopes)) {
                    if (each.name == tensor.name) break;
                    offset += each.size();
                }
                double squares = 0;
                for (std::size_t i = 0; i < own.size(); ++i) {
                    masked[offset + i] = own[i];
                    squares += static_cast<double>(own[i]) * static_cast<double>(own[i]);
                }
                REQUIRE(squares > 0);
                const float size = 0.02F / static_cast<float>(std::sqrt(squares));
                std::vector<float> up = parameters, down = parameters;
                for (std::size_t i = 0; i < up.size(); ++i) {
                    up[i] += size * masked[i];
                    down[i] -= size * masked[i];
                }
                const double slope =
                    (loss_of(shape, up, windows, kCount) - loss_of(shape, down, windows, kCount)) /
                    (2 * static_cast<double>(size));
                CHECK(std::abs(slope - squares) < 0.02 * squares);
            }
        }
    }
}

TEST_CASE("temporal: behind the bottleneck the decoder sees the last state of a window and nothing else") {
    constexpr Eigen::Index kCount = 2, kLength = 5;
    const FloatRows windows = random_rows(kLength * kCount, 3, 4);
    for (const CellKind cell : {CellKind::kLstm, CellKind::kGru}) {
        CAPTURE(name_of(cell));
        const TemporalShape shape{3, 4, cell, DecoderInput::kState};
        const TemporalPass pass =
            temporal_forward(shape, temporal_initial_parameters(shape, 5), windows, kCount);
        const FloatRows last = pass.traces[1].last(kCount).hidden;
        CHECK(last.row(0) != last.row(1));
        for (Eigen::Index t = 0; t < kLength; ++t)
            CHECK(pass.inputs[2].middleRows(t * kCount, kCount) == last);
        for (const std::size_t layer : {2u, 3u}) {
            CHECK(pass.traces[layer].hidden.topRows(kCount).isZero(0));
            if (cell == CellKind::kLstm) CHECK(pass.traces[layer].cell.topRows(kCount).isZero(0));
        }
    }
}

TEST_CASE("temporal: a model comes back from its folder, and a damaged one is named") {
    TemporalModel model;
    model.shape = {3, 4, CellKind::kGru, DecoderInput::kState};
    model.window = 7;
    model.is_mean = true;
    model.parameters = temporal_initial_parameters(model.shape, 1);
    Model stored;
    stored.kind = "temporal";
    stored.features = {"a", "b", "c"};
    stored.settings_json = temporal_settings(model);
    stored.tensors = temporal_tensors(model.shape, model.parameters);
    CHECK(stored.tensors[4].name == "encoder.weight_ih_l1");
    CHECK(stored.tensors[4].shape == std::vector<std::int64_t>{12, 4});
    const TemporalModel back = temporal_of_model(stored);
    CHECK(back.parameters == model.parameters);
    CHECK(back.window == 7);
    CHECK(back.is_mean);
    CHECK(back.shape.cell == CellKind::kGru);
    CHECK(back.shape.decoder == DecoderInput::kState);
    stored.features.push_back("d");
    CHECK_THROWS_WITH_AS(temporal_of_model(stored), doctest::Contains("'encoder.weight_ih_l0'"), JobError);
}
