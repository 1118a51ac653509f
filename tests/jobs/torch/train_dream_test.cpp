#include "jobs/torch/torch_dream_engine.h"

#include "tests/jobs/models/training_checks.h"

using nightshift::jobs::make_torch_dream_engine;
using namespace nightshift::tests;

TEST_CASE("train.dream on torch: preempted and resumed ends with the bits of an undisturbed run") {
    check_resume(make_torch_dream_engine);
}

TEST_CASE("train.dream on torch: a checkpoint of other data is refused") {
    check_foreign_checkpoint(make_torch_dream_engine);
}

TEST_CASE("train.dream on torch: learns, reports and takes the threshold from the validation split") {
    check_learning(make_torch_dream_engine);
}
