#include "tests/product_sim/worker.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/product_sim/sim_machine.h"

namespace nightshift::tests {

namespace {

// As jobs/runtime/control.h has them.
constexpr Millis kReconnectFirst{50};
constexpr Millis kReconnectMax{2000};
constexpr Millis kStartWait = seconds(60);
constexpr Millis kByeWaitAlone = seconds(10);
constexpr Millis kByeWaitConnected = seconds(60);
constexpr int kExitNoDaemon = 69;
constexpr int kExitRefused = 76;
constexpr int kSigterm = 15;
constexpr int kSigkill = 9;
constexpr int kSigsegv = 11;
constexpr Millis kReportStep = seconds(25);

}  // namespace

Truth& Worker::truth() {
    return machine_.truth(attempt_);
}

void Worker::later(Millis wait, std::function<void()> act) {
    machine_.agenda().after(wait, [weak = weak_from_this(), act = std::move(act)] {
        const auto self = weak.lock();
        if (self && !self->is_gone_ && !self->is_frozen_) act();
    });
}

void Worker::begin() {
    back_off_ = kReconnectFirst;
    alone_since_ = machine_.agenda().steady();
    if (fate_.dies_early) {
        later(fate_.up_after, [this] { end({std::nullopt, kSigsegv}); });
        return;
    }
    later(fate_.up_after, [this] { connect(); });
    give_up_alone();
}

void Worker::connect() {
    if (line_) return;
    line_ = machine_.knock(*this);
    if (!line_) {
        later(back_off_, [this] { connect(); });
        back_off_ = std::min(back_off_ + back_off_, kReconnectMax);
        return;
    }
    is_greeted_ = false;
    line_->attach(
        [weak = weak_from_this()](const wire::FromDaemon& message) {
            const auto self = weak.lock();
            if (self && !self->is_gone_ && !self->is_frozen_) self->hear(message);
        },
        [weak = weak_from_this()] {
            if (const auto self = weak.lock(); self && !self->is_gone_) self->on_cut();
        });
    wire::Hello hello;
    hello.attempt = attempt_;
    hello.token = token_;
    hello.worker = identity_;
    hello.is_started = has_start_;
    hello.build = "simulated";
    line_->say(hello);
}

void Worker::on_cut() {
    line_.reset();
    is_greeted_ = false;
    alone_since_ = machine_.agenda().steady();
    later(back_off_, [this] { connect(); });
    back_off_ = std::min(back_off_ + back_off_, kReconnectMax);
    give_up_alone();
}

void Worker::give_up_alone() {
    const Millis since = alone_since_;
    const auto is_still_alone = [this, since] { return !line_ && alone_since_ == since; };
    if (!has_start_) {
        later(kStartWait, [this, is_still_alone] {
            if (is_still_alone() && !has_start_) end({kExitNoDaemon, std::nullopt});
        });
    }
    later(kByeWaitAlone, [this, is_still_alone] {
        if (is_still_alone() && done_) end({done_->exit_code.value_or(1), std::nullopt});
    });
}

void Worker::lose_daemon() {
    if (line_) line_->lose_daemon();
}

void Worker::hear(const wire::FromDaemon& message) {
    if (const auto* start = std::get_if<wire::Start>(&message)) {
        on_start(*start);
    } else if (std::holds_alternative<wire::Welcome>(message)) {
        greet_again();
    } else if (const auto* yield = std::get_if<wire::YieldRequest>(&message)) {
        machine_.note_asked(attempt_, false);
        leave(*yield);
    } else if (std::holds_alternative<wire::CancelRequest>(message)) {
        machine_.note_asked(attempt_, true);
        stop();
    } else if (const auto* ping = std::get_if<wire::Ping>(&message)) {
        if (line_) line_->say(wire::Pong{ping->n});
    } else if (std::holds_alternative<wire::Refuse>(message)) {
        end({kExitRefused, std::nullopt});
    } else if (std::holds_alternative<wire::Bye>(message) && done_) {
        later(Millis{machine_.dice().between(0, 200)}, [this] {
            end({done_->exit_code.value_or(1), std::nullopt});
        });
    }
}

void Worker::on_start(const wire::Start& start) {
    if (!has_start_) {
        has_start_ = true;
        start_ = start;
        machine_.note_start(*this, start);
        truth().is_started = true;
        work_total_ = Millis{nlohmann::json::parse(start.params_json).value("work_ms", 1000)};
        // A checkpoint's folder is named after the milliseconds that were done by then.
        const std::size_t slash = start.resume_folder.rfind('/');
        if (slash != std::string::npos)
            work_before_ = Millis{std::stoll(start.resume_folder.substr(slash + 1))};
        later(Millis{machine_.dice().between(1, 400)}, [this] { work(); });
    }
    greet_again();
}

void Worker::say(const wire::FromWorker& message) {
    if (line_ && is_greeted_) line_->say(message);
}

void Worker::greet_again() {
    is_greeted_ = true;
    back_off_ = kReconnectFirst;
    if (started_) {
        started_->ran = machine_.agenda().steady() - work_from_;
        say(*started_);
    }
    if (checkpoint_) say(wire::CheckpointCommitted{*checkpoint_});
    if (progress_) say(wire::ProgressReport{*progress_});
    if (memory_.peak.value > 0) say(memory_);
    if (done_) say(*done_);
}

Millis Worker::done_so_far() const {
    return is_at_work_ ? work_before_ + (machine_.agenda().steady() - work_from_) : work_before_;
}

void Worker::work() {
    if (done_) return;
    is_at_work_ = true;
    work_from_ = machine_.agenda().steady();
    truth().began_at = work_from_;
    started_at_ = machine_.agenda().now();
    started_ = wire::Started{};
    say(*started_);
    const std::int64_t used = start_.vram.value / 100 * (100 + fate_.over_budget_percent);
    memory_ = {Bytes{used}, Bytes{used}};
    say(memory_);
    report();
    if (start_.checkpoint != CheckpointMode::kNone) {
        later(seconds(machine_.dice().between(15, 120)), [this] { save(); });
    }
    const std::int64_t all = std::max<std::int64_t>((work_total_ - work_before_).value, 1);
    const Millis length{std::max<std::int64_t>(all * fate_.percent / 100, 1)};
    if (fate_.ending == Ending::kHang) return;
    later(length, [this] {
        if (done_) return;
        switch (fate_.ending) {
            case Ending::kSilence:
                return end({std::nullopt, kSigkill});
            case Ending::kSignal:
                return finish(std::nullopt, kSigsegv);
            default:
                return finish(fate_.exit_code, std::nullopt);
        }
    });
}

void Worker::report() {
    if (done_) return;
    Progress progress;
    progress.phase = "work";
    progress.step = done_so_far().value;
    progress.steps = work_total_.value;
    progress.eta = Millis{std::max<std::int64_t>((work_total_ - done_so_far()).value, 0)};
    progress_ = progress;
    say(wire::ProgressReport{progress});
    later(kReportStep, [this] { report(); });
}

void Worker::save() {
    if (done_) return;
    Checkpoint checkpoint;
    checkpoint.job = attempt_.job;
    checkpoint.attempt = attempt_.number;
    checkpoint.step = std::min(done_so_far(), work_total_).value;
    checkpoint.path = "jobs/" + std::to_string(attempt_.job.value) + "/" + std::to_string(attempt_.number) +
                      "/checkpoint/" + std::to_string(checkpoint.step);
    checkpoint.bytes = mebibytes(1);
    checkpoint.sha256 = std::string(64, 'c');
    checkpoint.committed_at = machine_.agenda().now();
    truth().checkpoints.insert(checkpoint.path);
    checkpoint_ = checkpoint;
    say(wire::CheckpointCommitted{checkpoint});
    later(seconds(machine_.dice().between(20, 200)), [this] { save(); });
}

void Worker::leave(const wire::YieldRequest& request) {
    if (done_) return;
    const bool has_nothing_to_save = start_.checkpoint == CheckpointMode::kNone;
    const Millis soon{machine_.dice().between(50, 8000)};
    switch (answer_to_yield(machine_.dice())) {
        case Answer::kIgnores:
        case Answer::kGoesOn:
            return;
        case Answer::kFails:
            return later(soon, [this] { finish(1, std::nullopt); });
        case Answer::kForgetsToSave:
            return later(soon, [this] { finish(85, std::nullopt); });
        case Answer::kSavesLate:
            return later(request.grace + soon, [this] {
                if (start_.checkpoint != CheckpointMode::kNone) save();
                finish(85, std::nullopt);
            });
        case Answer::kSaves:
            return later(soon, [this, has_nothing_to_save] {
                if (has_nothing_to_save) return finish(std::nullopt, kSigterm);
                save();
                finish(85, std::nullopt);
            });
    }
}

void Worker::stop() {
    if (done_ || machine_.dice().one_in(5)) return;  // ends anyway, or ignores it
    const Millis soon = machine_.dice().one_in(4) ? seconds(machine_.dice().between(5, 20))
                                                  : Millis{machine_.dice().between(10, 4000)};
    const int roll = machine_.dice().between(0, 3);
    later(soon, [this, roll] {
        if (roll == 0) return finish(0, std::nullopt);
        if (roll == 1) return finish(1, std::nullopt);
        finish(std::nullopt, kSigterm);
    });
}

void Worker::finish(std::optional<int> exit_code, std::optional<int> signal) {
    if (done_) return;
    wire::Done done;
    done.exit_code = exit_code;
    done.signal = signal;
    done.ran = is_at_work_ ? machine_.agenda().steady() - work_from_ : Millis{};
    done_ = done;
    if (fate_.ending == Ending::kNoFile) {
        done_->error_code = "io_error";
    } else {
        write_result();
    }
    if (fate_.dies_before_done) return end({std::nullopt, kSigkill});
    truth().said = *done_;
    say(*done_);
    later(kByeWaitConnected, [this] { end({done_->exit_code.value_or(1), std::nullopt}); });
    alone_since_ = machine_.agenda().steady();
    give_up_alone();
}

void Worker::write_result() {
    wire::ResultFile result;
    result.attempt = attempt_;
    result.done = *done_;
    result.checkpoint = checkpoint_;
    result.artifacts = {{"out.bin", "file", mebibytes(1), std::string(64, 'a')}};
    result.peak_vram = memory_.peak;
    result.started_at = started_at_;
    result.ended_at = machine_.agenda().now();
    const std::filesystem::path folder = start_.folder;
    std::ofstream(folder / "result.json.tmp", std::ios::binary) << wire::encode(result);
    std::filesystem::rename(folder / "result.json.tmp", folder / "result.json");
    truth().result = *done_;
}

bool Worker::kill() {
    if (is_frozen_) return false;
    if (fate_.stuck_after_kill.value == 0) {
        end({std::nullopt, kSigkill});
        return true;
    }
    is_frozen_ = true;
    machine_.agenda().after(fate_.stuck_after_kill, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->end({std::nullopt, kSigkill});
    });
    return false;
}

void Worker::lose_power() {
    if (is_gone_) return;
    truth().is_power_lost = true;
    end({});
}

void Worker::end(daemon::ExitStatus status) {
    if (is_gone_) return;
    is_gone_ = true;
    Truth& true_end = truth();
    true_end.is_gone = true;
    true_end.status = status;
    true_end.gone_at = machine_.agenda().steady();
    if (line_) line_->hang_up();
    line_.reset();
    machine_.on_gone(*this);
}

}  // namespace nightshift::tests
