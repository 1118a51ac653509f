#pragma once

#include <doctest/doctest.h>

#include <cmath>

#include "jobs/models/dream_anomaly.h"
#include "jobs/models/dream_engine.h"
#include "tests/jobs/models/dream_case.h"

/// What every engine has to do, on the reference's numbers.
namespace nightshift::tests {

inline constexpr std::size_t kRows = 32;

inline jobs::DreamEngineOptions options_of(const DreamCase& each) {
    jobs::DreamEngineOptions options;
    options.shape = each.shape;
    options.parameters = each.array("weights_initial");
    options.learning_rate = each.facts.at("adam").at("lr");
    options.weight_decay = each.facts.at("adam").at("weight_decay");
    options.discriminator_weight = each.facts.at("loss").at("discriminator_weight");
    return options;
}

inline bool is_close(double value, double expected, double tolerance) {
    return std::abs(value - expected) <= tolerance * std::max(1.0, std::abs(expected));
}

inline void check_losses(const jobs::DreamLosses& found, const nlohmann::json& expected, double tolerance) {
    CHECK(is_close(found.total, expected.at(0), tolerance));
    CHECK(is_close(found.reconstruction, expected.at(1), tolerance));
    CHECK(is_close(found.discriminator, expected.at(2), tolerance));
}

inline std::span<const float> slice(const std::vector<float>& values, std::size_t index, std::size_t size) {
    return std::span<const float>(values).subspan(index * size, size);
}

inline void check_gradients(const jobs::DreamEngineFactory& factory) {
    for (const DreamCase& each : dream_cases()) {
        CAPTURE(each.tag);
        const auto engine = factory(options_of(each));
        const auto clean = each.array("batch_clean"), anomalous = each.array("batch_anomalous"),
                   labels = each.array("batch_labels");
        const jobs::DreamLosses losses = engine->step({kRows, clean, anomalous, labels, {}});
        const nlohmann::json& expected = each.facts.at("loss");
        CHECK(is_close(losses.total, expected.at("total"), 1e-6));
        CHECK(is_close(losses.reconstruction, expected.at("reconstruction"), 1e-6));
        CHECK(is_close(losses.discriminator, expected.at("discriminator"), 1e-6));
        CHECK(relative_error(engine->gradients(), each.array("gradients")) < 1e-5);
    }
}

inline void check_steps(const jobs::DreamEngineFactory& factory) {
    for (const DreamCase& each : dream_cases()) {
        CAPTURE(each.tag);
        const auto engine = factory(options_of(each));
        const std::size_t values = kRows * static_cast<std::size_t>(each.shape.columns);
        const auto clean = each.array("steps_clean"), anomalous = each.array("steps_anomalous"),
                   labels = each.array("steps_labels");
        for (std::size_t s = 0; s < 5; ++s) {
            const jobs::DreamLosses losses = engine->step(
                {kRows, slice(clean, s, values), slice(anomalous, s, values), slice(labels, s, kRows), {}});
            check_losses(losses, each.facts.at("losses_5_steps").at(s), 1e-5);
        }
        CHECK(relative_error(engine->state().parameters, each.array("weights_after_5_steps")) < 1e-5);
        if (!each.facts.contains("losses_next_30_steps")) continue;
        const jobs::DreamAnomaly anomaly(each.features());
        const auto long_clean = each.array("long_clean"), uniforms = each.array("long_uniforms");
        std::vector<float> changed(values), own_labels(kRows);
        for (std::size_t s = 0; s < 30; ++s) {
            anomaly.apply(slice(long_clean, s, values), slice(uniforms, s, anomaly.uniforms(kRows)), changed,
                          own_labels);
            const jobs::DreamLosses losses =
                engine->step({kRows, slice(long_clean, s, values), changed, own_labels, {}});
            check_losses(losses, each.facts.at("losses_next_30_steps").at(s), 1e-4);
        }
        const jobs::DreamModel model(each.shape, engine->state().parameters,
                                     options_of(each).discriminator_weight);
        CHECK(relative_error(model.run(each.array("input")).score, each.array("score_after_35_steps")) <
              1e-4);
    }
}

inline void check_restore(const jobs::DreamEngineFactory& factory) {
    const DreamCase each = dream_cases().front();
    const auto clean = each.array("batch_clean"), anomalous = each.array("batch_anomalous"),
               labels = each.array("batch_labels");
    std::vector<float> keep(kRows * static_cast<std::size_t>(jobs::dream_hidden_values(each.shape)), 1.25F);
    for (std::size_t i = 0; i < keep.size(); i += 5) keep[i] = 0;
    const jobs::DreamBatch batch{kRows, clean, anomalous, labels, keep};
    const auto one = factory(options_of(each));
    for (int s = 0; s < 4; ++s) one->step(batch);
    const jobs::DreamState state = one->state();
    const auto two = factory(options_of(each));
    two->restore(state);
    const jobs::DreamLosses a = one->step(batch), b = two->step(batch);
    CHECK(a.total == b.total);
    CHECK(one->state().parameters == two->state().parameters);
    CHECK(one->state().second_moment == two->state().second_moment);
    CHECK(one->state().steps == 5);
    const auto without = factory(options_of(each));
    without->restore(state);
    CHECK(without->step({kRows, clean, anomalous, labels, {}}).total != a.total);
}

}  // namespace nightshift::tests
