#include "scheduler/transition.h"

#include <doctest/doctest.h>

#include "tests/support/fixed_zones.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

const UnixMs kNow = utc(2026, 11, 20, 23);

struct Case {
    Job job;
    Attempt attempt;
    AttemptReport report;
    Transition end() const { return on_attempt_end(job, attempt, report, kNow); }
};

Case exited(int code) {
    Case c;
    c.job.state = JobState::kRunning;
    c.job.spec.checkpoint = CheckpointMode::kWorker;
    c.report.exit_code = code;
    return c;
}

Case leaving(const std::string& reason) {
    Case c;
    c.job.state = JobState::kYielding;
    c.job.spec.checkpoint = CheckpointMode::kWorker;
    c.attempt.stop_reason = reason;
    return c;
}

}  // namespace

TEST_CASE("transition: exit 0 is success") {
    const auto t = exited(0).end();
    CHECK(t.state == JobState::kSucceeded);
    CHECK(t.end == AttemptEnd::kOk);
    CHECK(t.outcome->code == "ok");
    for (const char* reason : {"preempted", "window", "down", "time_limit"}) {
        auto c = exited(0);
        c.attempt.stop_reason = reason;
        CHECK(c.end().state == JobState::kSucceeded);
    }
}

TEST_CASE("transition: cancel outranks everything") {
    for (const int code : {0, 1, 75, 85}) {
        auto c = exited(code);
        c.attempt.stop_reason = "cancelled";
        c.job.retries_left = 3;
        c.report.has_committed_checkpoint = true;
        CHECK(c.end().state == JobState::kCancelled);
        CHECK(c.end().outcome.has_value());
    }
    Case lost;
    lost.attempt.stop_reason = "cancelled";
    lost.report.is_lost = true;
    CHECK(lost.end().state == JobState::kCancelled);
}

TEST_CASE("transition: 85 with a committed checkpoint after a request is a preemption and costs no retry") {
    auto c = leaving("preempted");
    c.report.exit_code = 85;
    c.report.has_committed_checkpoint = true;
    const auto t = c.end();
    CHECK(t.state == JobState::kWaiting);
    CHECK(t.end == AttemptEnd::kPreempted);
    CHECK(t.counts_preemption);
    CHECK_FALSE(t.charges_retry);
    CHECK_FALSE(t.outcome.has_value());
    CHECK_FALSE(t.retry_at.has_value());
    auto window = leaving("window");
    window.report = c.report;
    CHECK(window.end().state == JobState::kWaiting);
    CHECK_FALSE(window.end().counts_preemption);
}

TEST_CASE("transition: 85 needs both the request and the checkpoint") {
    auto unasked = exited(85);
    unasked.report.has_committed_checkpoint = true;
    CHECK(unasked.end().state == JobState::kFailed);
    auto empty = leaving("preempted");
    empty.report.exit_code = 85;
    CHECK(empty.end().state == JobState::kFailed);
    empty.job.retries_left = 1;
    empty.job.spec.retries = 1;
    CHECK(empty.end().state == JobState::kWaiting);
    CHECK(empty.end().charges_retry);
}

TEST_CASE("transition: killed after the grace time resumes from what was saved before") {
    auto c = leaving("preempted");
    c.job.state = JobState::kStopping;
    c.report.signal = 9;
    CHECK(c.end().state == JobState::kWaiting);
    CHECK_FALSE(c.end().charges_retry);
    // Without checkpoints it starts over, however its process took the request.
    auto none = leaving("preempted");
    none.job.spec.checkpoint = CheckpointMode::kNone;
    none.report.exit_code = 143;
    CHECK(none.end().state == JobState::kWaiting);
    CHECK(none.end().end == AttemptEnd::kPreempted);
    // A job that can save and fails by itself while it does has failed.
    auto broken = leaving("preempted");
    broken.report.exit_code = 1;
    CHECK(broken.end().state == JobState::kFailed);
}

TEST_CASE("transition: failures use retries with back-off, then the job fails") {
    auto c = exited(1);
    c.job.spec.retries = 3;
    c.job.retries_left = 3;
    auto t = c.end();
    CHECK(t.state == JobState::kWaiting);
    CHECK(t.charges_retry);
    CHECK(t.retry_at == kNow + seconds(10));
    c.job.retries_left = 2;
    CHECK(c.end().retry_at == kNow + seconds(20));
    c.job.retries_left = 0;
    t = c.end();
    CHECK(t.state == JobState::kFailed);
    CHECK(t.outcome->code == "exit_code");
    CHECK(t.outcome->exit_code == 1);
    CHECK_FALSE(t.outcome->message.empty());
}

TEST_CASE("transition: 75, signals, losses and spawn errors use a retry too") {
    auto again = exited(75);
    again.job.spec.retries = again.job.retries_left = 1;
    CHECK(again.end().end == AttemptEnd::kTryAgain);
    CHECK(again.end().charges_retry);
    again.job.retries_left = 0;
    CHECK(again.end().state == JobState::kFailed);
    CHECK(again.end().outcome->code == "try_again");

    Case crashed;
    crashed.report.signal = 11;
    CHECK(crashed.end().outcome->code == "signal");
    CHECK(crashed.end().outcome->signal == 11);

    Case lost;
    lost.report.is_lost = true;
    CHECK(lost.end().end == AttemptEnd::kLost);
    CHECK(lost.end().state == JobState::kFailed);
    lost.job.spec.retries = lost.job.retries_left = 1;
    CHECK(lost.end().charges_retry);

    Case spawn;
    spawn.report.is_spawn_error = true;
    CHECK(spawn.end().end == AttemptEnd::kSpawnError);
    CHECK(spawn.end().outcome->code == "spawn_error");
}

TEST_CASE("transition: a machine restart costs no retry") {
    Case c;
    c.report.is_lost = true;
    c.report.is_reboot = true;
    CHECK(c.end().state == JobState::kWaiting);
    CHECK(c.end().end == AttemptEnd::kLost);
    CHECK_FALSE(c.end().charges_retry);
    CHECK_FALSE(c.end().retry_at.has_value());
}

TEST_CASE("transition: time limit and budget end the job for good") {
    auto late = leaving("time_limit");
    late.job.state = JobState::kStopping;
    late.job.retries_left = 5;
    late.report.signal = 9;
    CHECK(late.end().state == JobState::kFailed);
    CHECK(late.end().end == AttemptEnd::kTimeLimit);
    auto big = leaving("over_budget");
    big.job.retries_left = 5;
    big.report.signal = 9;
    CHECK(big.end().state == JobState::kFailed);
    CHECK(big.end().end == AttemptEnd::kOverBudget);
}

TEST_CASE("transition: out of memory is tried once more with a larger budget, at no charge") {
    auto c = exited(86);
    c.job.spec.vram = gibibytes(4);
    c.report.error_code = "out_of_memory";
    c.report.vram_max = gibibytes(8);
    c.report.peak = gibibytes(3);
    const auto t = c.end();
    CHECK(t.state == JobState::kWaiting);
    CHECK(t.end == AttemptEnd::kOverBudget);
    CHECK_FALSE(t.charges_retry);
    CHECK_FALSE(t.retry_at.has_value());
    CHECK(t.vram == gibibytes(5));
    c.report.was_raised = true;
    CHECK(c.end().state == JobState::kFailed);
    CHECK(c.end().outcome->code == "out_of_memory");
    CHECK(c.end().outcome->message.find("4.0 GiB") != std::string::npos);
    CHECK_FALSE(c.end().vram.has_value());
    // Further ones are what `retries` allows, each with more.
    c.job.spec.retries = 2;
    c.job.retries_left = 1;
    CHECK(c.end().charges_retry);
    CHECK(c.end().vram == gibibytes(5));
    CHECK(c.end().retry_at == kNow + retry_delay(2));
}

TEST_CASE("transition: out of memory with all there is, or without a budget, is a failure") {
    auto c = exited(86);
    c.job.spec.vram = gibibytes(8);
    c.job.retries_left = 3;
    c.report.error_code = "out_of_memory";
    c.report.vram_max = gibibytes(8);
    CHECK(c.end().state == JobState::kFailed);
    c.job.spec.vram = Bytes{0};
    CHECK(c.end().charges_retry);  // a failure like another: memory of the host
    CHECK_FALSE(c.end().vram.has_value());
}

TEST_CASE("transition: who had to leave for holding too much comes back with a budget for it") {
    auto c = leaving("over_budget");
    c.job.spec.vram = gibibytes(4);
    c.report.exit_code = 85;
    c.report.has_committed_checkpoint = true;
    c.report.peak = gibibytes(6);
    c.report.vram_max = gibibytes(8);
    c.report.was_raised = true;  // it saved, so nothing is lost by trying again
    CHECK(c.end().state == JobState::kWaiting);
    CHECK(c.end().vram > gibibytes(6));
    CHECK_FALSE(c.end().counts_preemption);
    c.report.has_committed_checkpoint = false;
    CHECK(c.end().outcome->code == "over_budget");
}

TEST_CASE("transition: a yield whose save failed is still a yield") {
    auto c = leaving("preempted");
    c.report.exit_code = 1;
    c.report.error_code = "checkpoint_failed";
    CHECK(c.end().state == JobState::kWaiting);
    CHECK(c.end().end == AttemptEnd::kPreempted);
    c.attempt.stop_reason.clear();
    CHECK(c.end().state == JobState::kFailed);
}

TEST_CASE("transition: the worker's own words and code reach the outcome") {
    auto c = exited(1);
    c.report.error_code = "dataset_missing";
    c.report.message = "The data set /data/x does not exist.";
    CHECK(c.end().outcome->code == "dataset_missing");
    CHECK(c.end().outcome->message == "The data set /data/x does not exist.");
    auto cached = exited(0);
    cached.report.cached = true;
    CHECK(cached.end().outcome->cached);
}

TEST_CASE("transition: every end is allowed from the job's state, and outcomes go with terminal states") {
    for (const auto state : {JobState::kStarting, JobState::kRunning, JobState::kYielding, JobState::kParked,
                             JobState::kStopping}) {
        for (const char* reason : {"", "cancelled", "time_limit", "preempted", "window", "down"}) {
            for (int bits = 0; bits < 64; ++bits) {
                Case c;
                c.job.state = state;
                c.job.spec.retries = c.job.retries_left = bits & 1;
                c.attempt.stop_reason = reason;
                if (bits & 2)
                    c.report.exit_code = bits & 4 ? 85 : 1;
                else
                    c.report.signal = 9;
                c.report.has_committed_checkpoint = bits & 8;
                c.report.is_lost = bits & 16;
                c.job.spec.checkpoint = bits & 32 ? CheckpointMode::kNone : CheckpointMode::kWorker;
                const auto t = c.end();
                CHECK(may_change(state, t.state));
                CHECK(t.outcome.has_value() == is_terminal(t.state));
                CHECK_FALSE((t.charges_retry && t.counts_preemption));
                if (t.charges_retry) CHECK(c.job.retries_left > 0);
            }
        }
    }
}

TEST_CASE("transition: back-off doubles from 10 s to 15 min") {
    CHECK(retry_delay(1) == seconds(10));
    CHECK(retry_delay(2) == seconds(20));
    CHECK(retry_delay(7) == seconds(640));
    CHECK(retry_delay(8) == minutes(15));
    CHECK(retry_delay(100) == minutes(15));
    CHECK(retry_delay(0) == seconds(10));
}
