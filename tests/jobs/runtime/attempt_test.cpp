#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>

#include "tests/jobs/runtime/worker_bench.h"

using namespace nightshift;
using namespace nightshift::tests;

TEST_CASE("attempt: hello, start, started, progress, done, bye") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "token-1");
    const wire::Hello hello = bench.daemon.accept();
    CHECK(hello.token == "token-1");
    CHECK(hello.attempt == kAttempt);
    CHECK(hello.protocol == wire::kProtocol);
    CHECK_FALSE(hello.is_started);
    CHECK(hello.worker.pid == worker.pid());
    CHECK(hello.worker.start_ticks > 0);
    CHECK_FALSE(hello.worker.boot_id.empty());

    bench.daemon.send(bench.start_of(worker, kAttempt, "sleep", R"({"seconds": 0.3})"));
    CHECK(std::holds_alternative<wire::Started>(bench.daemon.receive()));
    const wire::Done done = bench.daemon.receive_a<wire::Done>();
    CHECK(done.exit_code == 0);
    CHECK(done.error_code.empty());
    // Whoever hears Done may read the result: it is on disk before the word is said.
    const wire::ResultFile result = jobs::read_result(worker.folder());
    CHECK(result.attempt == kAttempt);
    CHECK(result.done.exit_code == 0);
    CHECK(result.ended_at >= result.started_at);
    const auto reports = bench.daemon.passed<wire::ProgressReport>();
    REQUIRE_FALSE(reports.empty());
    CHECK(reports.back().progress.step == reports.back().progress.steps);
    bench.daemon.send(wire::Bye{});
    CHECK(worker.wait() == 0);
}

TEST_CASE("attempt: does nothing before its start") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "t");
    bench.daemon.accept();
    bench.daemon.send(wire::Ping{41});
    CHECK(bench.daemon.receive_a<wire::Pong>().n == 41);
    CHECK_FALSE(std::filesystem::exists(worker.folder() / "output"));
}

TEST_CASE("attempt: unknown messages are ignored, a bad line closes the connection") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "t");
    bench.daemon.accept();
    bench.daemon.send_raw("{\"type\":\"of a later version\",\"n\":1}\n");
    bench.daemon.send(wire::Ping{1});
    CHECK(bench.daemon.receive_a<wire::Pong>().n == 1);
    bench.daemon.send_raw("this is not JSON\n");
    CHECK(bench.daemon.is_closed_by_worker());
    CHECK_FALSE(bench.daemon.accept().is_started);
}

TEST_CASE("attempt: a job outlives its daemon and greets the next one") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "t");
    bench.daemon.accept();
    bench.daemon.send(bench.shell_start(
        worker, kAttempt, "while ! [ -e \"$NIGHTSHIFT_OUTPUT/go\" ]; do sleep 0.02; done; exit 5"));
    const wire::Started started = bench.daemon.receive_a<wire::Started>();
    REQUIRE(started.command.has_value());

    SUBCASE("while the job runs") {
        bench.daemon.die();
        bench.daemon.listen();
        const wire::Hello again = bench.daemon.accept();
        CHECK(again.is_started);
        CHECK(again.command == started.command);
        bench.daemon.send(wire::Welcome{});
        CHECK(bench.daemon.receive_a<wire::Started>().command == started.command);
        CHECK(is_alive(started.command->pid));
        std::filesystem::create_directory(worker.folder() / "output" / "go");
    }
    SUBCASE("and ends while nobody listens") {
        bench.daemon.die();
        std::filesystem::create_directory(worker.folder() / "output" / "go");
        wait_until("result.json", [&] { return std::filesystem::exists(worker.folder() / "result.json"); });
        CHECK(jobs::read_result(worker.folder()).done.exit_code == 5);
        bench.daemon.listen();
        CHECK(bench.daemon.accept().is_started);
        bench.daemon.send(wire::Welcome{});
    }
    const auto [done, exit_code] = bench.finish(worker);
    CHECK(done.exit_code == 5);
    CHECK(exit_code == 5);
}

TEST_CASE("attempt: a daemon that does not read cannot hold up the job") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "t");
    bench.daemon.accept();
    bench.daemon.send(bench.shell_start(worker, kAttempt,
                                        "i=0; while [ $i -lt 3000 ]; do echo "
                                        "\"{\\\"phase\\\":\\\"p$i\\\",\\\"step\\\":$i}\"; i=$((i+1)); done "
                                        ">> \"$NIGHTSHIFT_PROGRESS\""));
    wait_until("result.json", [&] { return std::filesystem::exists(worker.folder() / "result.json"); });
    CHECK(bench.finish(worker).first.exit_code == 0);
    const std::string log = read_file(worker.folder() / "progress.jsonl");
    CHECK(std::count(log.begin(), log.end(), '\n') == 3000);
}

TEST_CASE("attempt: a yield commits a checkpoint, exits 85 and the next attempt goes on from it") {
    WorkerBench bench;
    WorkerProcess first(bench.data.path(), kAttempt, "t1");
    bench.daemon.accept();
    bench.daemon.send(bench.start_of(first, kAttempt, "sleep", R"({"seconds": 600})"));
    while (bench.daemon.receive_a<wire::ProgressReport>().progress.step < 3) {
    }
    bench.daemon.send(wire::YieldRequest{seconds(30), "inference"});
    const Checkpoint checkpoint = bench.daemon.receive_a<wire::CheckpointCommitted>().checkpoint;
    const auto [done, exit_code] = bench.finish(first);
    CHECK(done.exit_code == 85);
    CHECK(exit_code == 85);
    CHECK(checkpoint.step >= 3);
    CHECK(checkpoint.path.starts_with("jobs/7/1/checkpoint/"));
    CHECK(checkpoint.sha256.size() == 64);
    CHECK(jobs::read_result(first.folder()).checkpoint->sha256 == checkpoint.sha256);

    const AttemptId next{JobId{7}, 2};
    WorkerProcess second(bench.data.path(), next, "t2");
    bench.daemon.accept();
    wire::Start start = bench.start_of(second, next, "sleep", R"({"seconds": 600})");
    start.resume_folder = (bench.data.path() / checkpoint.path).string();
    bench.daemon.send(start);
    CHECK(bench.daemon.receive_a<wire::ProgressReport>().progress.step >= checkpoint.step);
    bench.daemon.send(wire::CancelRequest{seconds(30), "test"});
    CHECK(bench.finish(second).first.error_code == "cancelled");
}

TEST_CASE("attempt: a cancel outranks a yield, also when it comes as SIGTERM") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "t");
    bench.daemon.accept();
    bench.daemon.send(bench.start_of(worker, kAttempt, "burn", R"({"seconds": 600})"));
    bench.daemon.receive_a<wire::ProgressReport>();
    SUBCASE("by message") {
        bench.daemon.send(wire::CancelRequest{seconds(30), "user"});
    }
    SUBCASE("by signal") {
        worker.kill(SIGTERM);
    }
    const auto [done, exit_code] = bench.finish(worker);
    CHECK(done.error_code == "cancelled");
    CHECK(exit_code == 1);
    CHECK_FALSE(jobs::read_result(worker.folder()).checkpoint.has_value());
}

TEST_CASE("attempt: a refused worker stops at once, with everything it started") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "stale");
    bench.daemon.accept();
    SUBCASE("before its start") {
        bench.daemon.send(wire::Refuse{"attempt 2 runs"});
        CHECK(worker.wait() == 76);
    }
    SUBCASE("at work") {
        bench.daemon.send(bench.shell_start(worker, kAttempt, "sleep 600"));
        const auto command = bench.daemon.receive_a<wire::Started>().command;
        REQUIRE(command.has_value());
        bench.daemon.die();
        bench.daemon.listen();
        bench.daemon.accept();
        bench.daemon.send(wire::Refuse{"attempt 2 runs"});
        CHECK(worker.wait() == 76);
        CHECK_FALSE(is_alive(command->pid));
    }
    CHECK_FALSE(std::filesystem::exists(worker.folder() / "result.json"));
}

TEST_CASE("attempt: what is wrong with a job is said in its Done") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "t");
    bench.daemon.accept();
    std::string code, words;
    SUBCASE("unknown parameter") {
        bench.daemon.send(bench.start_of(worker, kAttempt, "sleep", R"({"secnds": 1})"));
        code = "unknown_param";
        words = "did you mean 'seconds'?";
    }
    SUBCASE("unknown kind") {
        bench.daemon.send(bench.start_of(worker, kAttempt, "slep", "{}"));
        code = "unknown_kind";
        words = "slep";
    }
    SUBCASE("params that are not JSON") {
        bench.daemon.send(bench.start_of(worker, kAttempt, "sleep", "{"));
        code = "bad_param";
        words = "not JSON";
    }
    const auto [done, exit_code] = bench.finish(worker);
    CHECK(exit_code == 1);
    CHECK(done.error_code == code);
    CHECK(done.message.find(words) != std::string::npos);
    CHECK(worker.log().find(words) != std::string::npos);
    CHECK(jobs::read_result(worker.folder()).done.error_code == code);
}

TEST_CASE("attempt: a damaged checkpoint is refused by name and the older one is used") {
    WorkerBench bench;
    WorkerProcess first(bench.data.path(), kAttempt, "t1");
    bench.daemon.accept();
    bench.daemon.send(
        bench.start_of(first, kAttempt, "sleep", R"({"seconds": 600, "checkpoint_every": 0.2})"));
    const Checkpoint older = bench.daemon.receive_a<wire::CheckpointCommitted>().checkpoint;
    const Checkpoint newer = bench.daemon.receive_a<wire::CheckpointCommitted>().checkpoint;
    first.kill(SIGKILL);
    CHECK(first.wait() == 1000 + SIGKILL);
    std::filesystem::resize_file(bench.data.path() / newer.path / "elapsed.json", 3);

    const AttemptId next{JobId{7}, 2};
    WorkerProcess second(bench.data.path(), next, "t2");
    bench.daemon.accept();
    wire::Start start = bench.start_of(second, next, "sleep", R"({"seconds": 600})");
    start.resume_folder = (bench.data.path() / newer.path).string();
    bench.daemon.send(start);
    const auto refused = bench.daemon.receive_a<wire::CheckpointRefused>();
    CHECK(refused.path == newer.path);
    CHECK(refused.reason.find("file elapsed.json has 3 bytes") == 0);
    CHECK(bench.daemon.receive_a<wire::ProgressReport>().progress.step == older.step);
    CHECK(second.log().find("file elapsed.json has 3 bytes") != std::string::npos);
}

TEST_CASE("attempt: claims its budget where no driver shows what it uses") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "t");
    bench.daemon.accept();
    wire::Start start = bench.start_of(worker, kAttempt, "burn", R"({"seconds": 0.2})");
    start.vram = gibibytes(3);
    start.device = "GPU-simulated-0";
    start.is_simulated = true;
    start.threads = 1;
    bench.daemon.send(start);
    const auto report = bench.daemon.receive_a<wire::MemoryReport>();
    CHECK(report.used == gibibytes(3));
    CHECK(bench.finish(worker).first.exit_code == 0);
    CHECK(jobs::read_result(worker.folder()).peak_vram == gibibytes(3));
    CHECK(worker.log().find("burned ") != std::string::npos);
    CHECK(worker.log().find("burned 0 ") == std::string::npos);
}
