#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>

#include "tests/jobs/runtime/worker_bench.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
    return parts;
}

bool has_line(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("command: exit codes and signals pass through") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "t");
    bench.daemon.accept();
    SUBCASE("success") {
        bench.daemon.send(bench.shell_start(worker, kAttempt, "echo x > \"$NIGHTSHIFT_OUTPUT/a b.txt\""));
        const auto [done, exit_code] = bench.finish(worker);
        CHECK(done.exit_code == 0);
        CHECK(exit_code == 0);
        const auto artifacts = jobs::read_result(worker.folder()).artifacts;
        REQUIRE(artifacts.size() == 1);
        CHECK(artifacts[0].name == "a b.txt");
        CHECK(artifacts[0].type == "file");
        CHECK(artifacts[0].bytes == Bytes{2});
        CHECK(artifacts[0].sha256 == "73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac");
    }
    SUBCASE("failure") {
        bench.daemon.send(bench.shell_start(worker, kAttempt, "exit 3"));
        const auto [done, exit_code] = bench.finish(worker);
        CHECK(done.exit_code == 3);
        CHECK(done.error_code == "exit_code");
        CHECK(exit_code == 3);
    }
    SUBCASE("try again") {
        bench.daemon.send(bench.shell_start(worker, kAttempt, "exit 75"));
        CHECK(bench.finish(worker).first.exit_code == 75);
    }
    SUBCASE("85 without having been asked") {
        bench.daemon.send(bench.shell_start(worker, kAttempt, "exit 85"));
        const auto [done, exit_code] = bench.finish(worker);
        CHECK(done.exit_code == 85);
        CHECK(done.error_code == "no_checkpoint");
    }
    SUBCASE("signal") {
        bench.daemon.send(bench.shell_start(worker, kAttempt, "kill -SEGV $$"));
        const auto [done, exit_code] = bench.finish(worker);
        CHECK(done.signal == SIGSEGV);
        CHECK(done.error_code == "signal");
        CHECK(exit_code == 128 + SIGSEGV);
    }
}

TEST_CASE("command: what cannot be started is named") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "t");
    bench.daemon.accept();
    std::string code, words;
    wire::Start start = bench.command_start(worker, kAttempt, {"no-such-program-here", "x"});
    SUBCASE("no such program") {
        code = "no_such_program";
        words = "\"no-such-program-here\"";
    }
    SUBCASE("no such path") {
        start.command = {"/no/such/tool"};
        code = "no_such_program";
        words = "/no/such/tool";
    }
    SUBCASE("not executable") {
        std::ofstream(bench.data / "plain.txt") << "x";
        start.command = {(bench.data / "plain.txt").string()};
        code = "not_executable";
        words = "plain.txt";
    }
    SUBCASE("no such working folder") {
        start.command = {"/bin/true"};
        start.cwd = "/no/such/folder";
        code = "no_such_folder";
        words = "/no/such/folder";
    }
    SUBCASE("no command at all") {
        start.command.clear();
        code = "bad_param";
        words = "needs a command";
    }
    bench.daemon.send(start);
    const auto [done, exit_code] = bench.finish(worker);
    CHECK(done.error_code == code);
    CHECK(done.message.find(words) != std::string::npos);
    CHECK(bench.daemon.passed<wire::Started>().empty());
}

TEST_CASE("command: arguments arrive as they were given") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "t");
    bench.daemon.accept();
    const std::vector<std::string> arguments{"plain", "two words",  "'single' \"double\"", "line\nbreak",
                                             "",      "$HOME `id`", "야간 학습",           "back\\slash*?"};
    std::vector<std::string> command{"/bin/sh", "-c", "printf '%s\\0' \"$@\" > \"$NIGHTSHIFT_OUTPUT/argv\"",
                                     "sh"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    bench.daemon.send(bench.command_start(worker, kAttempt, command));
    CHECK(bench.finish(worker).first.exit_code == 0);
    CHECK(split(read_file(worker.folder() / "output" / "argv"), '\0') == arguments);
}

TEST_CASE("command: sees the contract's variables and none of the daemon's") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "very-secret-token");
    bench.daemon.accept();
    wire::Start start = bench.shell_start(worker, kAttempt, "env; pwd; ls -l /proc/self/fd | wc -l");
    start.env = {{"MINE", "한글 값"}, {"NIGHTSHIFT_JOB_ID", "999"}};
    start.cwd = bench.data.path().string();
    start.vram = mebibytes(256);
    bench.daemon.send(start);
    CHECK(bench.finish(worker).first.exit_code == 0);
    const std::string log = worker.log();
    CHECK(log.find("very-secret-token") == std::string::npos);
    CHECK(log.find("NIGHTSHIFT_CONTROL") == std::string::npos);
    CHECK(has_line(log, "NIGHTSHIFT_JOB_ID=7"));
    CHECK(has_line(log, "NIGHTSHIFT_ATTEMPT=1"));
    CHECK(has_line(log, "NIGHTSHIFT_OUTPUT=" + (worker.folder() / "output").string()));
    CHECK(has_line(log, "NIGHTSHIFT_VRAM_BYTES=268435456"));
    CHECK(has_line(log, "CUDA_VISIBLE_DEVICES="));
    CHECK(log.find("NIGHTSHIFT_PROGRESS=") != std::string::npos);
    CHECK(log.find("NIGHTSHIFT_CHECKPOINT_DIR=") != std::string::npos);
    CHECK(has_line(log, "MINE=한글 값"));
    CHECK(has_line(log, bench.data.path().string()));
}

TEST_CASE("command: inherits no descriptor but the three standard ones") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "t");
    bench.daemon.accept();
    bench.daemon.send(bench.command_start(worker, kAttempt, {"sleep", "600"}));
    const auto command = bench.daemon.receive_a<wire::Started>().command;
    REQUIRE(command.has_value());
    // Started may be heard while exec is still closing what was marked to be closed.
    wait_until("only 0, 1 and 2 to be open", [&] {
        std::vector<std::string> open;
        const std::string folder = "/proc/" + std::to_string(command->pid) + "/fd";
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            open.push_back(entry.path().filename().string());
        }
        std::sort(open.begin(), open.end());
        return open == std::vector<std::string>{"0", "1", "2"};
    });
}

TEST_CASE("command: stdout and stderr keep their order in the log") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "t");
    bench.daemon.accept();
    bench.daemon.send(bench.shell_start(
        worker, kAttempt,
        "for i in 1 2 3 4 5 6 7 8 9; do echo out $i; echo err $i >&2; done; printf 'no newline'"));
    CHECK(bench.finish(worker).first.exit_code == 0);
    std::string wanted;
    for (int i = 1; i <= 9; ++i) wanted += "out " + std::to_string(i) + "\nerr " + std::to_string(i) + "\n";
    CHECK(worker.log() == wanted + "no newline");
}

TEST_CASE("command: its progress lines reach the daemon and the log of progress") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "t");
    bench.daemon.accept();
    bench.daemon.send(
        bench.shell_start(worker, kAttempt,
                          "echo '{\"phase\":\"학습\",\"step\":3,\"steps\":40,\"metrics\":{\"loss\":0.11}}' "
                          ">> $NIGHTSHIFT_PROGRESS\n"
                          "while ! [ -e \"$NIGHTSHIFT_OUTPUT/go\" ]; do sleep 0.02; done\n"
                          "printf '{\"step\":40,\"steps\":40}' >> $NIGHTSHIFT_PROGRESS"));
    const Progress first = bench.daemon.receive_a<wire::ProgressReport>().progress;
    CHECK(first.phase == "학습");
    CHECK(first.step == 3);
    CHECK(first.steps == 40);
    REQUIRE(first.metrics.size() == 1);
    CHECK(first.metrics[0].first == "loss");
    CHECK(first.metrics[0].second == doctest::Approx(0.11));
    std::filesystem::create_directory(worker.folder() / "output" / "go");
    // The last line has no newline and comes as the program ends.
    CHECK(bench.daemon.receive_a<wire::ProgressReport>().progress.step == 40);
    CHECK(bench.finish(worker).first.exit_code == 0);
    const std::string log = read_file(worker.folder() / "progress.jsonl");
    CHECK(std::count(log.begin(), log.end(), '\n') == 2);
}

TEST_CASE("command: the last report of a phase is sent, however soon the next one begins") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "t");
    bench.daemon.accept();
    bench.daemon.send(bench.shell_start(
        worker, kAttempt,
        "for phase in load train save; do for i in 1 2 3; do "
        "echo \"{\\\"phase\\\":\\\"$phase\\\",\\\"step\\\":$i,\\\"steps\\\":3}\"; done; done "
        "> \"$NIGHTSHIFT_OUTPUT/lines\"; cat \"$NIGHTSHIFT_OUTPUT/lines\" >> $NIGHTSHIFT_PROGRESS"));
    CHECK(bench.finish(worker).first.exit_code == 0);
    std::vector<std::string> ended;
    for (const auto& report : bench.daemon.passed<wire::ProgressReport>()) {
        if (report.progress.step == 3) ended.push_back(report.progress.phase);
    }
    CHECK(ended == std::vector<std::string>{"load", "train", "save"});
}

namespace {

/// Prints the pids of a child, of a grandchild in a session of its own, and waits.
constexpr const char* kFamily =
    "sleep 600 & echo $! >> \"$NIGHTSHIFT_OUTPUT/pids\"\n"
    "setsid sh -c '(trap \"\" TERM; sleep 600 & echo $! >> \"$NIGHTSHIFT_OUTPUT/pids\"; exec sleep 600) & "
    "exit 0'\n"
    "echo $$ >> \"$NIGHTSHIFT_OUTPUT/pids\"\n";

std::vector<std::string> wait_for_family(const WorkerProcess& worker) {
    const auto file = worker.folder() / "output" / "pids";
    wait_until("three pids", [&] { return split(read_file(file), '\n').size() == 3; });
    return split(read_file(file), '\n');
}

}  // namespace

TEST_CASE("command: nothing it started survives it") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "t");
    bench.daemon.accept();
    std::vector<std::string> pids;
    SUBCASE("cancelled") {
        bench.daemon.send(bench.shell_start(worker, kAttempt, std::string(kFamily) + "sleep 600"));
        pids = wait_for_family(worker);
        for (const std::string& pid : pids) CHECK(is_alive(std::stoll(pid)));
        bench.daemon.send(wire::CancelRequest{seconds(30), "user"});
        CHECK(bench.finish(worker).first.error_code == "cancelled");
    }
    SUBCASE("ended by itself") {
        bench.daemon.send(bench.shell_start(worker, kAttempt,
                                            std::string(kFamily) +
                                                "while [ $(wc -l < \"$NIGHTSHIFT_OUTPUT/pids\") "
                                                "-lt 3 ]; do sleep 0.02; done"));
        CHECK(bench.finish(worker).first.exit_code == 0);
        pids = wait_for_family(worker);
    }
    for (const std::string& pid : pids) CHECK_FALSE(is_alive(std::stoll(pid)));
}

TEST_CASE("command: one that ignores SIGTERM is killed when its grace ends") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "t");
    bench.daemon.accept();
    bench.daemon.send(bench.shell_start(worker, kAttempt,
                                        "trap '' TERM; touch \"$NIGHTSHIFT_OUTPUT/deaf\"; "
                                        "while true; do sleep 0.02; done"));
    wait_until("the trap", [&] { return std::filesystem::exists(worker.folder() / "output" / "deaf"); });
    bench.daemon.send(wire::CancelRequest{Millis{100}, "user"});
    const auto [done, exit_code] = bench.finish(worker);
    CHECK(done.signal == SIGKILL);
    CHECK(done.error_code == "cancelled");
}

TEST_CASE("command: dies with a worker that is killed") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "t");
    bench.daemon.accept();
    bench.daemon.send(bench.command_start(worker, kAttempt, {"sleep", "600"}));
    const auto command = bench.daemon.receive_a<wire::Started>().command;
    REQUIRE(command.has_value());
    CHECK(is_alive(command->pid));
    worker.kill(SIGKILL);
    CHECK(worker.wait() == 1000 + SIGKILL);
    wait_until("the command's end", [&] { return !is_alive(command->pid); });
}

TEST_CASE("command: saves on SIGTERM, exits 85, and finds its files again") {
    const std::string script =
        "cd \"$NIGHTSHIFT_CHECKPOINT_DIR\"\n"
        "if [ -e 'state 1/n' ]; then cp 'state 1/n' \"$NIGHTSHIFT_OUTPUT/found\"; exit 0; fi\n"
        "trap 'mkdir \"state 1\"; echo 42 > \"state 1/n\"; exit 85' TERM\n"
        "echo '{\"step\":12}' >> $NIGHTSHIFT_PROGRESS\n"
        "while true; do sleep 0.02; done";
    WorkerBench bench;
    WorkerProcess first(bench.data.path(), kAttempt, "t1");
    bench.daemon.accept();
    wire::Start start = bench.shell_start(first, kAttempt, script);
    start.checkpoint = CheckpointMode::kSignal;
    bench.daemon.send(start);
    CHECK(bench.daemon.receive_a<wire::ProgressReport>().progress.step == 12);
    bench.daemon.send(wire::YieldRequest{seconds(30), "inference"});
    const Checkpoint checkpoint = bench.daemon.receive_a<wire::CheckpointCommitted>().checkpoint;
    CHECK(bench.finish(first).first.exit_code == 85);
    CHECK(checkpoint.step == 12);
    CHECK(checkpoint.bytes == Bytes{3});

    const AttemptId next{JobId{7}, 2};
    WorkerProcess second(bench.data.path(), next, "t2");
    bench.daemon.accept();
    start = bench.shell_start(second, next, script);
    start.checkpoint = CheckpointMode::kSignal;
    start.resume_folder = (bench.data.path() / checkpoint.path).string();
    bench.daemon.send(start);
    CHECK(bench.finish(second).first.exit_code == 0);
    CHECK(read_file(second.folder() / "output" / "found") == "42\n");
    CHECK(read_file(bench.data.path() / checkpoint.path / "state 1" / "n") == "42\n");
}

TEST_CASE("command: exit 85 after a yield with nothing saved is no checkpoint") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "t");
    bench.daemon.accept();
    wire::Start start = bench.shell_start(
        worker, kAttempt,
        "trap 'exit 85' TERM; echo '{\"step\":1}' >> $NIGHTSHIFT_PROGRESS; while true; do sleep 0.02; done");
    start.checkpoint = CheckpointMode::kSignal;
    bench.daemon.send(start);
    bench.daemon.receive_a<wire::ProgressReport>();
    bench.daemon.send(wire::YieldRequest{seconds(30), "inference"});
    const auto [done, exit_code] = bench.finish(worker);
    CHECK(done.error_code == "no_checkpoint");
    CHECK_FALSE(jobs::read_result(worker.folder()).checkpoint.has_value());
}

TEST_CASE("command: without checkpoints a yield leaves it alone") {
    WorkerBench bench;
    WorkerProcess worker(bench.data.path(), kAttempt, "t");
    bench.daemon.accept();
    bench.daemon.send(bench.shell_start(worker, kAttempt,
                                        "trap 'exit 9' TERM; echo '{\"step\":1}' >> $NIGHTSHIFT_PROGRESS; "
                                        "while ! [ -e \"$NIGHTSHIFT_OUTPUT/go\" ]; do sleep 0.02; done"));
    bench.daemon.receive_a<wire::ProgressReport>();
    bench.daemon.send(wire::YieldRequest{seconds(30), "inference"});
    bench.daemon.send(wire::Ping{5});
    bench.daemon.receive_a<wire::Pong>();
    std::filesystem::create_directory(worker.folder() / "output" / "go");
    CHECK(bench.finish(worker).first.exit_code == 0);
}
