#include "jobs/models/dream_model.h"

#include <doctest/doctest.h>

#include <set>

#include "jobs/models/dream_anomaly.h"
#include "jobs/models/dream_draws.h"
#include "jobs/runtime/job_impl.h"
#include "tests/jobs/models/dream_case.h"

using namespace nightshift::jobs;
using nightshift::tests::dream_cases;
using nightshift::tests::relative_error;

TEST_CASE("dream: the forward pass gives the reference's numbers") {
    const auto cases = dream_cases();
    REQUIRE(cases.size() >= 2);
    for (const auto& each : cases) {
        CAPTURE(each.tag);
        CHECK(dream_parameter_count(each.shape) == each.facts.at("n_parameters").get<std::int64_t>());
        const double weight = each.facts.at("loss").at("discriminator_weight");
        const DreamModel model(each.shape, each.array("weights_initial"), weight);
        const DreamModel::Output out = model.run(each.array("input"));
        CHECK(relative_error(out.reconstruction, each.array("reconstruction")) < 1e-6);
        CHECK(model.reconstruction(each.array("input")) == out.reconstruction);
        std::int64_t hidden = 0;
        for (const DreamLayer& layer : dream_layers(each.shape)) hidden += layer.is_hidden ? layer.out : 0;
        CHECK(dream_hidden_values(each.shape) == hidden);
        CHECK(relative_error(out.latent, each.array("latent")) < 1e-6);
        CHECK(relative_error(out.probability, each.array("discriminator")) < 1e-6);
        CHECK(relative_error(out.score, each.array("score")) < 1e-6);
        const DreamModel trained(each.shape, each.array("weights_after_5_steps"), weight);
        CHECK(relative_error(trained.run(each.array("input")).score, each.array("score_after_5_steps")) <
              1e-6);
    }
}

TEST_CASE("dream: anomalous batches are bit-equal from the uniforms") {
    for (const auto& each : dream_cases()) {
        CAPTURE(each.tag);
        const DreamAnomaly anomaly(each.features());
        CHECK(anomaly.is_fallback() == each.facts.at("fallback_rule_used").get<bool>());
        std::vector<std::int64_t> columns;
        for (const auto& scaling : anomaly.scalings()) columns.push_back(scaling.column);
        CHECK(columns == each.facts.at("scaled_columns_in_draw_order").get<std::vector<std::int64_t>>());
        const auto clean = each.array("batch_clean");
        std::vector<float> anomalous(clean.size()), labels(32);
        anomaly.apply(clean, each.array("batch_uniforms"), anomalous, labels);
        CHECK(anomalous == each.array("batch_anomalous"));
        CHECK(labels == each.array("batch_labels"));
    }
}

TEST_CASE("dream: parameters survive the model folder's tensors, wrong ones are refused") {
    DreamShape shape;
    shape.columns = 5;
    const std::vector<float> parameters = dream_initial_parameters(shape, 3);
    Model model;
    model.features = {"a", "b", "c", "d", "e"};
    model.settings_json = R"({"hidden": [64, 32, 16], "latent": 8})";
    model.tensors = dream_tensors(shape, parameters);
    CHECK(dream_of_model(model).parameters() == parameters);
    model.tensors.pop_back();
    CHECK_THROWS_AS(dream_of_model(model), JobError);
    CHECK_THROWS_AS(DreamModel(shape, std::vector<float>(7)), JobError);
    for (const char* settings : {R"({"hidden": [0], "latent": 8})", R"({"hidden": [64], "latent": -1})",
                                 R"({"hidden": [9000000000000000000], "latent": 8})"}) {
        model.settings_json = settings;
        CHECK_THROWS_WITH_AS(dream_of_model(model), doctest::Contains("a layer of width"), JobError);
    }
}

TEST_CASE("dream: draws depend on seed, epoch and batch alone") {
    const DreamDraws draws(9);
    auto order = draws.order(1000, 3);
    CHECK(order == DreamDraws(9).order(1000, 3));
    CHECK(order != draws.order(1000, 4));
    CHECK(std::set<std::int64_t>(order.begin(), order.end()).size() == 1000);
    std::vector<float> one(1001), two(1001), keep(100'000);
    draws.anomaly_uniforms(2, 5, one);
    draws.anomaly_uniforms(2, 5, two);
    CHECK(one == two);
    draws.anomaly_uniforms(2, 6, two);
    CHECK(one != two);
    draws.keep_factors(0, 0, keep);
    double dropped = 0, sum = 0;
    for (const float factor : keep) {
        dropped += factor == 0 ? 1 : 0;
        sum += static_cast<double>(factor);
    }
    // Five standard errors of a share of 0.1 in 100,000 draws.
    CHECK(std::abs(dropped / 1e5 - 0.1) < 0.005);
    CHECK(std::abs(sum / 1e5 - 1) < 0.006);
}
