#include "scheduler/queue_view.h"

#include <doctest/doctest.h>

#include "tests/support/night.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

Job unseen(int id) {
    Job job;
    job.id = JobId{id};
    job.spec.job_class = JobClass::kTraining;
    job.spec.vram = gibibytes(4);
    return job;
}

std::string code_of(const Night& night, const Job& job) {
    const QueueView view(night.s, night.zones, night.now);
    const auto gate = view.gate_of(job);
    return gate ? gate->code : "";
}

}  // namespace

TEST_CASE("queue view: a job that lacks something itself says so, as explain() does") {
    Night night;
    Job job = unseen(500);
    job.held = true;
    CHECK(code_of(night, job) == "held");
    CHECK(night.explain(job).gates.front().code == "held");
    job.held = false;
    job.spec.not_before = night.now + hours(1);
    CHECK(code_of(night, job) == "not_before");
    job.spec.not_before.reset();
    job.spec.vram = gibibytes(4000);
    CHECK(code_of(night, job) == "unsatisfiable");
    CHECK(night.explain(job).gates.front().code == "unsatisfiable");
}

TEST_CASE("queue view: behind a full list of candidates it is the order that keeps a job waiting") {
    Night night;
    for (int id = 1; id < kCandidatesPerClass; ++id) night.wait(id, JobClass::kTraining, gibibytes(4));
    // One place is left: a pass would look at the job, so nothing is said for it here.
    CHECK(code_of(night, unseen(500)).empty());
    night.wait(kCandidatesPerClass, JobClass::kTraining, gibibytes(4));
    CHECK(code_of(night, unseen(500)) == "order_behind");
    Job other = unseen(501);
    other.spec.job_class = JobClass::kInference;
    CHECK(code_of(night, other).empty());
    other.held = true;
    CHECK(code_of(night, other) == "held");
}
