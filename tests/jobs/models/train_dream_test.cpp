#include "jobs/models/native_dream_engine.h"

#include "tests/jobs/models/training_checks.h"

using nightshift::jobs::make_native_dream_engine;
using namespace nightshift::tests;

TEST_CASE("train.dream on native: preempted and resumed ends with the bits of an undisturbed run") {
    check_resume(make_native_dream_engine);
}

TEST_CASE("train.dream on native: a checkpoint of other data is refused") {
    check_foreign_checkpoint(make_native_dream_engine);
}

TEST_CASE("train.dream on native: learns, reports and takes the threshold from the validation split") {
    check_learning(make_native_dream_engine);
}
