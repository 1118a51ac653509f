#include <doctest/doctest.h>

#include "tests/jobs/runtime/worker_bench.h"

using namespace nightshift;
using namespace nightshift::tests;

TEST_CASE("command: a log that reaches its limit keeps the begin and the end") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "t");
    bench.daemon.accept();
    wire::Start start = bench.shell_start(worker, kAttempt, "head -c 5000000 /dev/zero; echo; printf end");
    start.log_max = Bytes{100'000};
    bench.daemon.send(start);
    CHECK(bench.finish(worker).first.exit_code == 0);
    const std::string log = worker.log();
    CHECK(log.size() < 100'000 + 64 * 1024 + 1024);
    CHECK(log.starts_with(std::string(100'000, '\0') + "\nnightshift: the output passed "));
    CHECK(log.find("nightshift: dropped ") != std::string::npos);
    CHECK(log.ends_with("\nend"));
}

TEST_CASE("command: its last words count when they come behind the limit of the log") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "t");
    bench.daemon.accept();
    wire::Start start =
        bench.shell_start(worker, kAttempt, "head -c 1000000 /dev/zero; echo CUDA out of memory; exit 1");
    start.log_max = Bytes{100'000};
    start.vram = mebibytes(1);
    bench.daemon.send(start);
    CHECK(bench.finish(worker).first.error_code == "out_of_memory");
}

TEST_CASE("command: what holds its output does not hold up its end") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "t");
    bench.daemon.accept();
    wire::Start start = bench.shell_start(worker, kAttempt, "setsid sleep 600 & echo over; exit 4");
    start.log_max = mebibytes(1);
    bench.daemon.send(start);
    CHECK(bench.finish(worker).first.exit_code == 4);
    CHECK(worker.log().starts_with("over\n"));
}

TEST_CASE("command: more processes than allowed end it") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "t");
    bench.daemon.accept();
    wire::Start start =
        bench.shell_start(worker, kAttempt, "for i in $(seq 40); do sleep 600 & done; echo begun; wait");
    SUBCASE("too many") {
        start.processes_max = 20;
        bench.daemon.send(start);
        CHECK(bench.finish(worker).first.error_code == "too_many_processes");
    }
    SUBCASE("enough") {
        start.processes_max = 60;
        start.command.back() = "for i in $(seq 40); do sleep 1 & done; wait";
        bench.daemon.send(start);
        CHECK(bench.finish(worker).first.exit_code == 0);
    }
}
