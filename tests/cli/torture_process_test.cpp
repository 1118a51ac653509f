#include "daemon/cli/torture_process.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "tests/support/scratch_folder.h"

using namespace nightshift;

TEST_CASE("torture: a worker's child that has not become its command yet is no worker") {
    const tests::ScratchFolder folder;
    // What stands in /proc of both shells: sh attempt --job 41 --attempt 2, in the same folder.
    std::ofstream(folder / "attempt") << "(while :; do sleep 0.1; done) & echo > ready; wait\n";
    const pid_t worker = fork();
    if (worker == 0) {
        setpgid(0, 0);
        if (chdir(folder.path().c_str()) != 0) _exit(1);
        execl("/bin/sh", "sh", "attempt", "--job", "41", "--attempt", "2", static_cast<char*>(nullptr));
        _exit(1);
    }
    setpgid(worker, worker);
    while (!std::filesystem::exists(folder / "ready")) std::this_thread::yield();
    const auto found = cli::workers_of(folder.path().string());
    kill(-worker, SIGKILL);
    waitpid(worker, nullptr, 0);
    REQUIRE(found.size() == 1);
    CHECK(found.front().pid == worker);
    CHECK(found.front().job == 41);
    CHECK(found.front().attempt == 2);
}
