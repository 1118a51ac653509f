#include "tests/sim/fake_process.h"

#include <algorithm>

namespace nightshift::tests {
namespace {

constexpr Millis kNever = hours(24 * 365);

}  // namespace

FakeProcess FakeProcess::launch(Dice& dice, const Job& job, const AttemptId& attempt, UnixMs now,
                                Millis work_left) {
    FakeProcess process;
    process.attempt = attempt;
    process.up_at = now + Millis{dice.between(50, 3000)};
    process.end_at = process.up_at + work_left;
    process.report.exit_code = 0;
    if (dice.one_in(40)) {  // never comes up
        process.end_at = process.up_at;
        process.up_at = now + kNever;
        process.report.exit_code.reset();
        process.report.is_spawn_error = true;
    } else if (dice.one_in(12)) {
        process.end_at = process.up_at + Millis{work_left.value * dice.between(0, 100) / 100};
        process.report.exit_code.reset();
        switch (dice.between(0, 3)) {
            case 0:
                process.report.exit_code = 1;
                break;
            case 1:
                process.report.exit_code = 75;
                break;
            case 2:
                process.report.signal = 11;
                break;
            default:
                process.report.is_lost = true;
                break;
        }
    } else if (job.spec.preemptible && dice.one_in(200)) {
        process.end_at = now + kNever;  // hangs until it is told to leave or the night is over
    }
    return process;
}

void FakeProcess::ask_to_leave(Dice& dice, const Job& job, UnixMs now) {
    is_told_to_leave = true;
    const UnixMs answer = now + Millis{dice.between(100, 90'000)};
    if (end_at <= answer || dice.one_in(10)) return;  // finishes anyway, or ignores the request
    end_at = answer;
    report = AttemptReport{};
    if (job.spec.checkpoint == CheckpointMode::kNone) {
        report.signal = 15;
        return;
    }
    report.exit_code = dice.one_in(15) ? 1 : 85;
    report.has_committed_checkpoint = !dice.one_in(15);
}

void FakeProcess::kill(Dice& dice, UnixMs now) {
    const UnixMs dead = now + Millis{dice.between(0, 2000)};
    if (end_at <= dead) return;
    end_at = dead;
    report = AttemptReport{};
    report.signal = 9;
}

}  // namespace nightshift::tests
