#include "jobs/models/supervised_model.h"

#include "jobs/models/scorer.h"
#include "jobs/runtime/job_impl.h"
#include "tests/jobs/models/supervised_case.h"
#include "tests/jobs/models/temporary_folder.h"

using namespace nightshift::jobs;
using namespace nightshift::tests;

namespace {

/// The weights of one layer and nothing else.
std::vector<float> only(const SupervisedShape& shape, const SupervisedLayer& layer, float weight,
                        float bias) {
    std::vector<float> parameters(static_cast<std::size_t>(supervised_parameter_count(shape)), 0.0F);
    for (std::int64_t i = layer.offset; i < layer.bias_offset(); ++i)
        parameters[static_cast<std::size_t>(i)] = weight;
    for (std::int64_t i = layer.bias_offset(); i < layer.end(); ++i)
        parameters[static_cast<std::size_t>(i)] = bias;
    return parameters;
}

void set(std::vector<float>& parameters, const SupervisedLayer& layer, std::int64_t out, std::int64_t in,
         float weight) {
    parameters[static_cast<std::size_t>(layer.offset + out * layer.in * layer.kernel + in)] = weight;
}

}  // namespace

TEST_CASE("supervised model: the line alone is the sum of the features") {
    const SupervisedShape shape{3, 4, 0, false};
    const auto parameters = only(shape, supervised_layers(shape).line, 2, 0.5F);
    const std::vector<float> rows{1, 2, 3, -1, 0, 4};
    CHECK(supervised_log_odds(shape, parameters, rows, {}) == std::vector<float>{12.5F, 6.5F});
}

TEST_CASE("supervised model: a path through the map finds the largest value and the mean, borders included") {
    SupervisedShape shape{1, 2, 0, true};
    const SupervisedLayers layers = supervised_layers(shape);
    auto parameters = only(shape, layers.line, 0, 0);
    // Each convolution passes the value at its middle on from channel 0 to channel 0.
    for (const SupervisedLayer& layer : layers.map) set(parameters, layer, 0, 4, 1);
    set(parameters, layers.join, 0, shape.width, 1);  // largest of channel 0
    set(parameters, layers.damaged, 0, 0, 1);
    std::vector<float> map(static_cast<std::size_t>(kMapValues), 0.0F);
    map[static_cast<std::size_t>(kMapPlane - 1)] = 3;    // the last corner of channel 0
    map[static_cast<std::size_t>(kMapPlane + 5)] = 100;  // another channel
    const std::vector<float> feature{0};
    CHECK(supervised_log_odds(shape, parameters, feature, map) == std::vector<float>{3});
    // The mean instead: one of 8 x 6 cells is left with 3.
    set(parameters, layers.join, 0, shape.width, 0);
    set(parameters, layers.join, 0, shape.width + 32, 48);
    CHECK(supervised_log_odds(shape, parameters, feature, map).front() == doctest::Approx(3));
    // The first place has no neighbour to its left, nor the first frame one above: who looks right or down
    // from there must not be found at the end of the row before.
    for (const auto& [kernel, at] : {std::pair<std::int64_t, std::int64_t>{5, kMapPlaces}, {7, 0}}) {
        auto beyond = parameters;
        set(beyond, layers.map[0], 0, 4, 0);
        set(beyond, layers.map[0], 0, kernel, 1);
        map.assign(map.size(), 0.0F);
        map[static_cast<std::size_t>(at)] = 3;
        CHECK(supervised_log_odds(shape, beyond, feature, map) == std::vector<float>{0});
    }
}

TEST_CASE("supervised model: a folder gives back the same log-odds, and what is missing is named") {
    const NetworkCase network(true);
    Model model;
    model.kind = "supervised";
    model.features = {"a", "b", "c", "d", "e", "f", "g"};
    put_supervised(
        {network.shape, {std::vector<double>(5, .1), std::vector<double>(5, 2)}, network.parameters}, model);
    const TemporaryFolder folder;
    write_model(model, folder.path() / "model");
    const SupervisedModel read = supervised_of_model(read_model(folder.path() / "model"));
    CHECK(read.parameters == network.parameters);
    CHECK(read.map_normalizer.deviation == std::vector<double>(5, 2));
    CHECK(supervised_log_odds(read.shape, read.parameters, network.features, network.maps) ==
          supervised_log_odds(network.shape, network.parameters, network.features, network.maps));
    Model broken = model;
    broken.tensors.pop_back();
    CHECK_THROWS_WITH_AS(supervised_of_model(broken), doctest::Contains("no tensor 'scenario.bias'"),
                         JobError);
    broken = model;
    broken.features.pop_back();
    const SupervisedModel narrow = supervised_of_model(broken);
    CHECK_THROWS_WITH_AS(
        supervised_log_odds(narrow.shape, narrow.parameters, std::vector<float>(6, 0), network.maps),
        doctest::Contains("train again"), JobError);
}

TEST_CASE("supervised model: one with maps says that it needs the data set") {
    const NetworkCase network(true);
    Model model;
    model.kind = "supervised";
    model.features = {"a", "b", "c", "d", "e", "f", "g"};
    put_supervised(
        {network.shape, {std::vector<double>(5, 0), std::vector<double>(5, 1)}, network.parameters}, model);
    FeatureSet set;
    set.names = model.features;
    set.put_values({7, std::vector<double>(7)});
    set.sequence = {"s"};
    set.frame = {-1};
    ScoreOptions options;
    options.name = "job:5";
    CHECK_THROWS_WITH_AS(score_rows(model, set, options),
                         doctest::Contains("give the data set of these features with dataset"), JobError);
}
