#include "scheduler/job.h"

#include <doctest/doctest.h>

#include "scheduler/attempt.h"
#include "scheduler/cron.h"

using namespace nightshift;

namespace {

constexpr std::array kStates{JobState::kWaiting,   JobState::kStarting, JobState::kRunning,
                             JobState::kYielding,  JobState::kParked,   JobState::kStopping,
                             JobState::kSucceeded, JobState::kFailed,   JobState::kCancelled,
                             JobState::kSkipped,   JobState::kExpired};

}  // namespace

TEST_CASE("job: every name is read back") {
    for (const auto state : kStates) CHECK(parse_job_state(to_string(state)) == state);
    for (const auto c : kJobClasses) CHECK(parse_job_class(to_string(c)) == c);
    for (const auto mode : {CheckpointMode::kWorker, CheckpointMode::kSignal, CheckpointMode::kNone}) {
        CHECK(parse_checkpoint_mode(to_string(mode)) == mode);
    }
    for (const auto kind : {DependencyKind::kSuccess, DependencyKind::kAny, DependencyKind::kFailure}) {
        CHECK(parse_dependency_kind(to_string(kind)) == kind);
    }
    for (int end = 0; end <= static_cast<int>(AttemptEnd::kSpawnError); ++end) {
        CHECK(parse_attempt_end(to_string(static_cast<AttemptEnd>(end))) == static_cast<AttemptEnd>(end));
    }
    for (int grade = 0; grade <= static_cast<int>(EnforcementGrade::kNone); ++grade) {
        CHECK(parse_enforcement_grade(to_string(static_cast<EnforcementGrade>(grade))) ==
              static_cast<EnforcementGrade>(grade));
    }
    CHECK_FALSE(parse_job_state("Running").has_value());
    CHECK_FALSE(parse_job_class("").has_value());
}

TEST_CASE("job: a state is live, terminal or waiting") {
    for (const auto state : kStates) {
        const int kinds = is_live(state) + is_terminal(state) + (state == JobState::kWaiting);
        CAPTURE(to_string(state));
        CHECK(kinds == 1);
    }
}

TEST_CASE("job: terminal is terminal") {
    for (const auto from : kStates) {
        for (const auto to : kStates) {
            if (is_terminal(from)) CHECK_FALSE(may_change(from, to));
            CHECK_FALSE(may_change(from, from));
        }
    }
}

TEST_CASE("job: a waiting job only starts or ends without an attempt") {
    for (const auto to : kStates) {
        const bool is_allowed = to == JobState::kStarting || to == JobState::kCancelled ||
                                to == JobState::kSkipped || to == JobState::kExpired;
        CHECK(may_change(JobState::kWaiting, to) == is_allowed);
    }
}

TEST_CASE("job: every live state can end, and only waiting jobs are skipped or expire") {
    for (const auto from : kStates) {
        if (!is_live(from)) continue;
        for (const auto to :
             {JobState::kWaiting, JobState::kSucceeded, JobState::kFailed, JobState::kCancelled}) {
            CHECK(may_change(from, to));
        }
        CHECK_FALSE(may_change(from, JobState::kSkipped));
        CHECK_FALSE(may_change(from, JobState::kExpired));
        CHECK_FALSE(may_change(from, JobState::kStarting));
    }
    CHECK_FALSE(may_change(JobState::kStopping, JobState::kRunning));
    CHECK_FALSE(may_change(JobState::kStopping, JobState::kYielding));
    CHECK_FALSE(may_change(JobState::kYielding, JobState::kRunning));
    CHECK_FALSE(may_change(JobState::kRunning, JobState::kParked));
}

TEST_CASE("job: inference goes before training and evaluation, synthesis last") {
    CHECK(rank_of(JobClass::kInference) == 0);
    CHECK(rank_of(JobClass::kTraining) == 1);
    CHECK(rank_of(JobClass::kEvaluation) == 1);
    CHECK(rank_of(JobClass::kSynthesis) == 2);
}
