#include "jobs/torch/torch_dream_engine.h"

#include <doctest/doctest.h>

#include "tests/jobs/models/engine_checks.h"

using nightshift::jobs::make_torch_dream_engine;
using namespace nightshift::tests;

TEST_CASE("torch dream: loss and gradients of the reference's batch") {
    check_gradients(make_torch_dream_engine);
}

TEST_CASE("torch dream: five Adam steps, and thirty more from the uniforms") {
    check_steps(make_torch_dream_engine);
}

TEST_CASE("torch dream: a restored state goes on with the same bits, dropout included") {
    check_restore(make_torch_dream_engine);
}
