#include "scheduler/crash_point.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>
#include <string>

using namespace nightshift;

namespace {

/// How a child ends that arms `text` and reaches "tick.begun" twice, "worker.begun" once.
int status_of_child(const std::string& text, const std::string& scope = "") {
    const pid_t child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stderr) == nullptr || !arm_crash_point(text, scope)) _exit(1);
        crash_point("tick.begun");
        crash_point("worker.begun");
        crash_point("tick.begun");
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, WUNTRACED);
    if (WIFSTOPPED(status)) {
        const int stopped = status;
        kill(child, SIGCONT);
        waitpid(child, &status, 0);
        REQUIRE(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == 0);  // it goes on as if nothing had been
        return stopped;
    }
    return status;
}

}  // namespace

TEST_CASE("crash point: names are words that appear once") {
    const std::set<std::string_view> names(kCrashPoints.begin(), kCrashPoints.end());
    CHECK(names.size() == kCrashPoints.size());
    for (const std::string_view name : kCrashPoints) {
        CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_.") == std::string_view::npos);
        CHECK(name.find('.') != std::string_view::npos);
    }
}

TEST_CASE("crash point: the armed one ends the process in the way asked for, no other does") {
    const int left = status_of_child("tick.begun");
    CHECK((WIFEXITED(left) && WEXITSTATUS(left) == kExitCrashPoint));
    const int killed = status_of_child("worker.begun:1,kill");
    CHECK((WIFSIGNALED(killed) && WTERMSIG(killed) == SIGKILL));
    const int stopped = status_of_child("tick.begun:2,stop");
    CHECK((WIFSTOPPED(stopped) && WSTOPSIG(stopped) == SIGSTOP));
    const int second = status_of_child("tick.begun:2,exit");
    CHECK((WIFEXITED(second) && WEXITSTATUS(second) == kExitCrashPoint));
    CHECK(status_of_child("tick.begun:3") == 0);
    CHECK(status_of_child("tick.committed") == 0);
}

TEST_CASE("crash point: a scope means one process of many") {
    CHECK(status_of_child("tick.begun@7/1", "7/2") == 0);
    const int meant = status_of_child("tick.begun:1@7/1,exit", "7/1");
    CHECK((WIFEXITED(meant) && WEXITSTATUS(meant) == kExitCrashPoint));
}

TEST_CASE("crash point: what names none is refused with words") {
    for (const char* text : {"", "tick", "tick.begun ", "tick.begun:", "tick.begun:0", "tick.begun:x",
                             "tick.begun:9999999", "tick.begun,slowly", ",kill"}) {
        const Status armed = arm_crash_point(text, "");
        REQUIRE_FALSE(armed);
        CHECK(armed.error().reason == "unknown_crash_point");
        CHECK(armed.error().hint.find("--crash-points") != std::string::npos);
    }
    CHECK(crash_point_armed == -1);
}
