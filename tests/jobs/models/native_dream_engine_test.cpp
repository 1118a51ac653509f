#include "jobs/models/native_dream_engine.h"

#include <doctest/doctest.h>

#include "tests/jobs/models/engine_checks.h"

using nightshift::jobs::make_native_dream_engine;
using namespace nightshift::tests;

TEST_CASE("native dream: loss and gradients of the reference's batch") {
    check_gradients(make_native_dream_engine);
}

TEST_CASE("native dream: five Adam steps, and thirty more from the uniforms") {
    check_steps(make_native_dream_engine);
}

TEST_CASE("native dream: a restored state goes on with the same bits, dropout included") {
    check_restore(make_native_dream_engine);
}
