#include "jobs/torch/torch_supervised_engine.h"

#include <cmath>

#include "tests/jobs/models/supervised_case.h"

using namespace nightshift::jobs;
using namespace nightshift::tests;

namespace {

std::unique_ptr<SupervisedEngine> engine_of(const NetworkCase& network) {
    return make_torch_supervised_engine({network.shape, 1, false});
}

SupervisedBatch batch_of(const NetworkCase& network, const std::vector<float>& labels,
                         const std::vector<float>& weights, const std::vector<std::int64_t>& scenarios) {
    SupervisedBatch batch;
    batch.rows = network.rows;
    batch.features = network.features;
    batch.maps = network.maps;
    batch.labels = labels;
    batch.weights = weights;
    batch.scenarios = scenarios;
    return batch;
}

/// Log-odds of one row by LibTorch, from its loss against the label that makes it large.
double torch_log_odds(const NetworkCase& network, std::size_t row, bool is_positive) {
    const auto d = static_cast<std::size_t>(network.shape.columns);
    const std::vector<float> label{is_positive ? 0.0F : 1.0F}, weight{1};
    SupervisedBatch batch;
    batch.rows = 1;
    batch.features = std::span(network.features).subspan(row * d, d);
    if (network.shape.has_map) batch.maps = std::span(network.maps).subspan(row * kMapValues, kMapValues);
    batch.labels = label;
    batch.weights = weight;
    std::vector<float> gradient(network.parameters.size());
    const double loss = engine_of(network)->gradients(network.parameters, batch, gradient).damaged;
    const double size = std::log(std::expm1(loss));  // of log(1 + exp(size))
    return is_positive ? size : -size;
}

}  // namespace

TEST_CASE("torch supervised: the forward pass in Eigen is LibTorch's, with and without a map") {
    for (const bool has_map : {false, true}) {
        CAPTURE(has_map);
        const NetworkCase network(has_map);
        const std::vector<float> own =
            supervised_log_odds(network.shape, network.parameters, network.features, network.maps);
        for (std::size_t r = 0; r < own.size(); ++r) {
            CAPTURE(r);
            const double expected = torch_log_odds(network, r, own[r] > 0);
            CHECK(std::abs(static_cast<double>(own[r]) - expected) <=
                  1e-5 * std::max(1.0, std::abs(expected)));
        }
    }
}

TEST_CASE("torch supervised: the gradient is the loss's slope for every layer") {
    NetworkCase network(true);
    const std::vector<float> labels{1, 0, 1, 1, 0}, weights{.5F, 1, 2, 1, .5F};
    const std::vector<std::int64_t> scenarios{0, 1, 2, 2, 1};
    const auto engine = engine_of(network);
    const SupervisedBatch batch = batch_of(network, labels, weights, scenarios);
    std::vector<float> gradient(network.parameters.size()), unused(gradient.size());
    const SupervisedLosses losses = engine->gradients(network.parameters, batch, gradient);
    CHECK(losses.total == doctest::Approx(losses.damaged + kScenarioShare * losses.scenario));
    for (const SupervisedLayer& layer : supervised_layers(network.shape).all()) {
        CAPTURE(layer.name);
        // One step along the layer's own gradient changes the loss by its squared length.
        double squared = 0;
        for (std::int64_t i = layer.offset; i < layer.end(); ++i)
            squared += std::pow(static_cast<double>(gradient[static_cast<std::size_t>(i)]), 2);
        REQUIRE(squared > 0);
        const double step = 2e-3 / std::sqrt(squared);
        double loss[2] = {0, 0};
        for (const int side : {0, 1}) {
            std::vector<float> moved = network.parameters;
            for (std::int64_t i = layer.offset; i < layer.end(); ++i) {
                const auto at = static_cast<std::size_t>(i);
                moved[at] +=
                    static_cast<float>((side == 0 ? -step : step) * static_cast<double>(gradient[at]));
            }
            loss[side] = engine->gradients(moved, batch, unused).total;
        }
        CHECK((loss[1] - loss[0]) / (2 * step) == doctest::Approx(squared).epsilon(.02));
    }
}

TEST_CASE("torch supervised: dropout factors, weights and scenarios each change the loss as they should") {
    const NetworkCase network(true);
    const std::vector<float> labels{1, 0, 1, 1, 0}, ones(5, 1), twos(5, 2);
    const auto engine = engine_of(network);
    std::vector<float> gradient(network.parameters.size());
    const SupervisedBatch plain = batch_of(network, labels, ones, {});
    const double loss = engine->gradients(network.parameters, plain, gradient).total;
    CHECK(engine->gradients(network.parameters, plain, gradient).total == loss);  // no state between calls
    CHECK(engine->gradients(network.parameters, batch_of(network, labels, twos, {}), gradient).total ==
          doctest::Approx(2 * loss));
    SupervisedBatch dropped = plain;
    std::vector<float> keep(static_cast<std::size_t>(5 * supervised_hidden_values(network.shape)), 1);
    dropped.keep = keep;
    CHECK(engine->gradients(network.parameters, dropped, gradient).total == loss);
    // Without anything from the last layer the line is all that is left.
    std::fill(keep.end() - 5 * network.shape.width, keep.end(), 0.0F);
    const SupervisedLayers layers = supervised_layers(network.shape);
    std::vector<float> line = network.parameters;
    for (std::int64_t i = layers.damaged.offset; i < layers.damaged.bias_offset(); ++i)
        line[static_cast<std::size_t>(i)] = 0;
    CHECK(engine->gradients(network.parameters, dropped, gradient).total ==
          doctest::Approx(engine->gradients(line, plain, gradient).total));
}
