#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <new>

#include "jobs/runtime/context.h"
#include "jobs/runtime/result_file.h"
#include "kernels/memory_ledger.h"
#include "tests/jobs/runtime/fake_daemon.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::jobs;

namespace {

struct Notes final : Reporter {
    std::vector<Progress> reports;
    std::vector<Checkpoint> checkpoints;
    std::vector<wire::MemoryReport> memories;
    int starts = 0;
    void started(const wire::Started&) override { ++starts; }
    void progress(const Progress& progress) override { reports.push_back(progress); }
    void memory(const wire::MemoryReport& report) override { memories.push_back(report); }
    void checkpoint(const Checkpoint& checkpoint) override { checkpoints.push_back(checkpoint); }
    void log(std::string_view) override {}
};

struct FunctionJob final : JobImpl {
    std::function<void(JobContext&)> body;
    explicit FunctionJob(std::function<void(JobContext&)> work) : body(std::move(work)) {}
    void run(JobContext& context) override { body(context); }
};

struct Bench {
    tests::ScratchFolder folder;
    Notes notes;
    StopSignal stop;
    Context context;
    explicit Bench(Bytes vram = {}, bool saves_on_interrupt = false)
        : context(around(folder, vram, saves_on_interrupt), notes, stop) {}

    static Surroundings around(const tests::ScratchFolder& folder, Bytes vram, bool saves_on_interrupt) {
        Surroundings it;
        it.attempt = {JobId{4}, 1};
        it.data = folder.path();
        it.state = folder / "state";
        it.output = folder / "state/output";
        it.base = folder.path();
        it.vram = vram;
        it.saves_on_interrupt = saves_on_interrupt;
        return it;
    }
    wire::Done run(std::function<void(JobContext&)> body) {
        return context.run([&] { return std::make_unique<FunctionJob>(std::move(body)); });
    }
};

void save_nothing(const std::filesystem::path& folder) {
    std::ofstream(folder / "x") << "x";
}

}  // namespace

TEST_CASE("context: every way to end has its code") {
    Bench bench;
    wire::Done done;
    SUBCASE("well") {
        done = bench.run([](JobContext& context) { context.mark_cached(); });
        CHECK(done.exit_code == 0);
        CHECK(done.error_code.empty());
        CHECK(done.cached);
    }
    SUBCASE("with an error of the kind") {
        done = bench.run([](JobContext&) { throw JobError("bad_bundle", "row 3 has two numbers"); });
        CHECK(done.exit_code == 1);
        CHECK(done.error_code == "bad_bundle");
        CHECK(done.message == "row 3 has two numbers");
    }
    SUBCASE("asking for another try") {
        done = bench.run([](JobContext&) { throw JobError("try_again", "the GPU is busy"); });
        CHECK(done.exit_code == 75);
    }
    SUBCASE("out of memory") {
        done = bench.run([](JobContext&) { throw std::bad_alloc(); });
        CHECK(done.error_code == "out_of_memory");
    }
    SUBCASE("beyond the budget of our own kernels") {
        done = bench.run([](JobContext&) { kernels::MemoryLedger(1 << 20).take(2 << 20, "knn.bank"); });
        CHECK(done.error_code == "out_of_memory");
        CHECK(done.message.find("knn.bank needs 2.0 MiB") != std::string::npos);
    }
    SUBCASE("out of the GPU's memory, in a library's words") {
        done = bench.run([](JobContext&) { throw std::runtime_error("CUDA out of memory. Tried 2 GiB"); });
        CHECK(done.error_code == "out_of_memory");
    }
    SUBCASE("with something unexpected") {
        done = bench.run([](JobContext&) { throw std::out_of_range("vector"); });
        CHECK(done.error_code == "exception");
        CHECK(done.message == "vector");
    }
    SUBCASE("not even made") {
        done = bench.context.run([]() -> std::unique_ptr<JobImpl> { throw JobError("bad_param", "no"); });
        CHECK(done.error_code == "bad_param");
        CHECK(bench.notes.starts == 0);
    }
    bench.context.leave_result(done, UnixMs{1});
    const wire::ResultFile result = read_result(bench.folder / "state");
    CHECK(result.done.error_code == done.error_code);
    CHECK(result.done.exit_code == done.exit_code);
}

TEST_CASE("context: a yield is obeyed where the job can save, a cancel everywhere") {
    Bench bench;
    SUBCASE("nothing asked") {
        CHECK(bench.run([](JobContext& context) { context.check(5, save_nothing); }).exit_code == 0);
        CHECK(bench.notes.checkpoints.empty());
    }
    SUBCASE("yield with save") {
        bench.stop.ask(StopLevel::kYield, seconds(1), "window");
        CHECK(bench.run([](JobContext& context) { context.check(5, save_nothing); }).exit_code == 85);
        REQUIRE(bench.notes.checkpoints.size() == 1);
        CHECK(bench.notes.checkpoints[0].step == 5);
    }
    SUBCASE("yield without save goes on") {
        bench.stop.ask(StopLevel::kYield, seconds(1), "window");
        CHECK(bench.run([](JobContext& context) { context.check(5, nullptr); }).exit_code == 0);
    }
    SUBCASE("cancel") {
        bench.stop.ask(StopLevel::kYield, seconds(1), "window");
        bench.stop.ask(StopLevel::kCancel, seconds(1), "by the user");
        const wire::Done done = bench.run([](JobContext& context) { context.check(5, save_nothing); });
        CHECK(done.error_code == "cancelled");
        CHECK(done.message.find("by the user") != std::string::npos);
        CHECK(bench.notes.checkpoints.empty());
    }
    SUBCASE("a lower request does not take back a higher one") {
        bench.stop.ask(StopLevel::kCancel, seconds(1), "by the user");
        bench.stop.ask(StopLevel::kYield, seconds(9), "window");
        CHECK(bench.stop.level() == StopLevel::kCancel);
        CHECK(bench.stop.reason() == "by the user");
        CHECK(bench.stop.grace() == seconds(1));
    }
}

TEST_CASE("context: an interrupt by a person ends also what cannot save") {
    Bench bench({}, true);
    bench.stop.ask(StopLevel::kYield, seconds(1), "Ctrl-C");
    CHECK(bench.run([](JobContext& context) { context.check(5, nullptr); }).error_code == "cancelled");
}

TEST_CASE("context: the time left is estimated within a phase") {
    Bench bench;
    bench.run([](JobContext& context) {
        context.progress({.phase = "load", .step = 100, .steps = 100, .eta = {}, .metrics = {}});
        context.progress({.phase = "train", .step = 1, .steps = 10, .eta = {}, .metrics = {}});
        context.progress({.phase = "train", .step = 2, .steps = 10, .eta = {}, .metrics = {}});
        context.progress({.phase = "train", .step = 3, .steps = 10, .eta = Millis{7}, .metrics = {}});
    });
    const auto& reports = bench.notes.reports;
    REQUIRE(reports.size() == 4);
    CHECK_FALSE(reports[0].eta.has_value());
    CHECK_FALSE(reports[1].eta.has_value());
    REQUIRE(reports[2].eta.has_value());
    CHECK(reports[2].eta->value >= 0);
    CHECK(reports[2].eta->value < 60'000);
    CHECK(reports[3].eta == Millis{7});
    const std::string log = tests::read_file(bench.folder / "state/progress.jsonl");
    CHECK(std::count(log.begin(), log.end(), '\n') == 4);
}

TEST_CASE("context: the budget is claimed unless the job says otherwise") {
    Bench bench(gibibytes(2));
    bench.run([](JobContext& context) {
        context.claim(gibibytes(5));
        context.claim(gibibytes(1));
    });
    REQUIRE(bench.notes.memories.size() == 3);
    CHECK(bench.notes.memories[0].used == gibibytes(2));
    CHECK(bench.notes.memories[2].used == gibibytes(1));
    CHECK(bench.notes.memories[2].peak == gibibytes(5));
}

TEST_CASE("context: a checkpoint that cannot be written costs only itself, unless it is the last one") {
    const auto no_room = [](const std::filesystem::path&) { throw JobError("disk_full", "no room"); };
    SUBCASE("between steps") {
        Bench bench;
        const auto done = bench.run([&](JobContext& context) {
            context.checkpoint(1, save_nothing);
            context.checkpoint(2, no_room);
            context.checkpoint(3, save_nothing);
        });
        CHECK(done.exit_code == 0);
        REQUIRE(bench.notes.checkpoints.size() == 2);
        CHECK(bench.notes.checkpoints[1].step == 3);
    }
    SUBCASE("at a yield") {
        Bench bench;
        const auto done = bench.run([&](JobContext& context) {
            context.checkpoint(1, save_nothing);
            bench.stop.ask(StopLevel::kYield, seconds(1), "preempted");
            context.check(2, no_room);
        });
        CHECK(done.exit_code == 1);
        CHECK(done.error_code == "checkpoint_failed");
        CHECK(done.message.find("no room") != std::string::npos);
        CHECK(bench.notes.checkpoints.size() == 1);
    }
}
