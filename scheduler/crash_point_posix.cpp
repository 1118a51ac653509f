#include "scheduler/crash_point.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "scheduler/crash_ending.h"

namespace nightshift {
namespace {

enum class How { kExit, kKill, kStop, kCall };

constexpr int kCountMax = 1'000'000;

// Written before the point is armed, read only where it is reached.
std::atomic<int> counts_left{0};
How how = How::kExit;
void (*own_ending)() = nullptr;

Error refused(std::string message) {
    return {ErrorCode::kInvalidArgument, "unknown_crash_point", std::move(message),
            "Write NAME[:N][@JOB/ATTEMPT][,exit|kill|stop]; `nightshiftd --crash-points` lists the names.",
            ""};
}

/// Cuts the part behind the last `mark` off; empty without one.
std::string_view cut_tail(std::string_view& text, char mark) {
    const std::size_t at = text.rfind(mark);
    if (at == std::string_view::npos) return {};
    const std::string_view tail = text.substr(at + 1);
    text = text.substr(0, at);
    return tail;
}

}  // namespace

void crash_point_reached() {
    if (counts_left.fetch_sub(1) != 1) return;
    const auto number = static_cast<std::size_t>(crash_point_armed.exchange(-1));
    if (how == How::kCall) return own_ending();
    std::string line = "nightshift: crash point ";
    line += kCrashPoints[number];
    line += '\n';
    std::fwrite(line.data(), 1, line.size(), stderr);
    std::fflush(stderr);
    if (how == How::kStop) {
        std::raise(SIGSTOP);
        return;
    }
    if (how == How::kKill) std::raise(SIGKILL);
    std::_Exit(kExitCrashPoint);
}

Status arm_crash_point(std::string_view text, std::string_view scope) {
    const std::string whole(text);
    const bool has_way = text.find(',') != std::string_view::npos;
    const std::string_view way = cut_tail(text, ',');
    const bool has_scope = text.find('@') != std::string_view::npos;
    const std::string_view wanted_scope = cut_tail(text, '@');
    const bool has_count = text.find(':') != std::string_view::npos;
    const std::string_view count = cut_tail(text, ':');
    const auto found = std::find(kCrashPoints.begin(), kCrashPoints.end(), text);
    if (found == kCrashPoints.end()) return refused("There is no crash point \"" + whole + "\".");
    int counts = 1;
    const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), counts);
    const bool is_number = error == std::errc() && end == count.data() + count.size();
    if (has_count && (!is_number || counts < 1 || counts > kCountMax)) {
        return refused("\"" + whole + "\" has no count of 1 to " + std::to_string(kCountMax) + ".");
    }
    if (has_way && way != "exit" && way != "kill" && way != "stop") {
        return refused("\"" + whole + "\" names no way to die.");
    }
    if (has_scope && wanted_scope != scope) return {};
    how = way == "kill" ? How::kKill : way == "stop" ? How::kStop : How::kExit;
    counts_left = has_count ? counts : 1;
    crash_point_armed = static_cast<int>(found - kCrashPoints.begin());
    return {};
}

Status arm_crash_ending(std::string_view text, void (*ending)()) {
    NIGHTSHIFT_TRY(arm_crash_point(text, {}));
    how = How::kCall;
    own_ending = ending;
    return {};
}

void disarm_crash_point() {
    crash_point_armed = -1;
}

Status arm_crash_point_of_environment(std::string_view scope) {
    const char* text = std::getenv(kCrashPointVariable);
    if (text == nullptr || *text == '\0') return {};
    return arm_crash_point(text, scope);
}

}  // namespace nightshift
