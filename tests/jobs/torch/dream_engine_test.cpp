#include "jobs/torch/torch_dream_engine.h"

#include <doctest/doctest.h>

#include "jobs/models/dream_draws.h"
#include "jobs/models/native_dream_engine.h"
#include "tests/jobs/models/engine_checks.h"

using nightshift::jobs::make_native_dream_engine;
using nightshift::jobs::make_torch_dream_engine;
using namespace nightshift::tests;
using namespace nightshift;

TEST_CASE("torch dream: loss and gradients of the reference's batch") {
    check_gradients(make_torch_dream_engine);
}

TEST_CASE("torch dream: five Adam steps, and thirty more from the uniforms") {
    check_steps(make_torch_dream_engine);
}

TEST_CASE("torch dream: a restored state goes on with the same bits, dropout included") {
    check_restore(make_torch_dream_engine);
}

TEST_CASE("torch dream: a hundred losses are those of our own engine, with dropout and without") {
    for (const DreamCase& each : dream_cases()) {
        for (const bool drops : {false, true}) {
            CAPTURE(each.tag);
            CAPTURE(drops);
            const auto torch = make_torch_dream_engine(options_of(each));
            const auto native = make_native_dream_engine(options_of(each));
            const jobs::DreamDraws draws(17);
            const jobs::DreamAnomaly anomaly(each.features());
            const auto clean = each.array("batch_clean");
            std::vector<float> anomalous(clean.size()), labels(kRows), uniforms(anomaly.uniforms(kRows)),
                keep;
            if (drops) keep.resize(kRows * static_cast<std::size_t>(jobs::dream_hidden_values(each.shape)));
            for (std::int64_t batch = 0; batch < 100; ++batch) {
                draws.anomaly_uniforms(0, batch, uniforms);
                anomaly.apply(clean, uniforms, anomalous, labels);
                draws.keep_factors(0, batch, keep);
                const jobs::DreamBatch given{kRows, clean, anomalous, labels, keep};
                const jobs::DreamLosses a = torch->step(given), b = native->step(given);
                CAPTURE(batch);
                CHECK(is_close(b.total, a.total, 1e-5));
                CHECK(is_close(b.reconstruction, a.reconstruction, 1e-5));
                CHECK(is_close(b.discriminator, a.discriminator, 1e-5));
            }
        }
    }
}
