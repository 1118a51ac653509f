#include "daemon/cli/follow.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "daemon/cli/client.h"
#include "daemon/cli/failure.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/job_text.h"
#include "daemon/cli/launch.h"
#include "daemon/cli/session.h"
#include "daemon/cli/terminal.h"
#include "daemon/cli/text.h"

namespace nightshift::cli {

using nlohmann::json;

namespace {

constexpr std::int64_t kAbsenceMaxMs = 60'000;  ///< how long a restarting daemon is waited for
constexpr int kRetryMs = 250;
constexpr std::int64_t kLongPollMs = 25'000;  ///< below every idle limit on the way
constexpr std::size_t kLineBytesMax = 64U * 1024;

/// Prints complete lines made harmless, so that no escape sequence is split between two pieces.
class Printer {
  public:
    explicit Printer(bool is_raw) : is_raw_(is_raw) {}

    void add(std::string_view bytes) {
        if (is_raw_) {
            put(bytes);
            return;
        }
        line_ += bytes;
        const std::size_t end = line_.rfind('\n');
        if (end != std::string::npos) {
            put(harmless(std::string_view(line_).substr(0, end + 1), true));
            line_.erase(0, end + 1);
        }
        if (line_.size() > kLineBytesMax) finish();
    }

    void finish() {
        if (!line_.empty()) put(harmless(line_, true));
        line_.clear();
    }

  private:
    static void put(std::string_view text) {
        std::fwrite(text.data(), 1, text.size(), stdout);
        std::fflush(stdout);
    }

    bool is_raw_;
    std::string line_;
};

/// Offset of a reply's first byte in the whole log, which the daemon states for replies with `tail`.
std::uint64_t start_of(const HttpReply& head) {
    const std::string text = head.header("X-Log-Offset");
    return std::strtoull(text.c_str(), nullptr, 10);
}

/// Bears a restart of the daemon: after the first success, it may be away for a minute at a time. A new
/// daemon has a new port, so the connection is made afresh.
class Patience {
  public:
    explicit Patience(Client& client) : client_(client) {}

    void has_worked() { has_ever_worked_ = true, away_since_ = 0; }

    /// Called in a handler of Failure: returns to try again, or throws the failure on.
    void endure(const Failure& failure) {
        if (failure.exit_code != kExitUnreachable || !has_ever_worked_) throw failure;
        if (away_since_ == 0) away_since_ = now_ms();
        if (now_ms() - away_since_ > kAbsenceMaxMs) throw failure;
        sleep_ms(kRetryMs);
        client_ = Client(client_.target());
    }

  private:
    Client& client_;
    bool has_ever_worked_ = false;
    std::int64_t away_since_ = 0;
};

template <typename IsReached>
json wait_for(Client& client, std::int64_t id, const char* until, std::optional<Millis> timeout,
              IsReached is_reached) {
    const std::int64_t end = timeout ? now_ms() + timeout->value : 0;
    Patience patience(client);
    json job;
    while (true) {
        std::int64_t poll_ms = kLongPollMs;
        if (timeout) poll_ms = std::clamp<std::int64_t>(end - now_ms(), 0, kLongPollMs);
        try {
            job = client.get(job_path(id) + "?until=" + until + "&wait=" + std::to_string(poll_ms) + "ms");
            patience.has_worked();
        } catch (const Failure& failure) {
            patience.endure(failure);
            continue;
        }
        if (is_reached(job)) return job;
        if (timeout && now_ms() >= end) {
            throw Failure(kExitTimeout, "job " + std::to_string(id) + " is still " + text_at(job, "state"),
                          "`nightshift why " + std::to_string(id) + "` says what it waits for.");
        }
    }
}

}  // namespace

void follow_log(Client& client, const LogRequest& request) {
    Printer printer(!is_terminal_out());
    Patience patience(client);
    std::uint64_t position = 0;
    bool is_first = true;
    while (true) {
        HttpRequest get;
        get.target = job_path(request.job, "log") + "?follow=" + (request.follow ? "1" : "0");
        if (request.attempt) get.target += "&attempt=" + std::to_string(*request.attempt);
        if (is_first && request.tail) {
            get.target += "&tail=" + std::to_string(*request.tail);
        } else {
            get.target += "&from=" + std::to_string(position);
        }
        // The server sends nothing while the job prints nothing.
        get.timeout = hours(24 * 365);
        try {
            client.follow(std::move(get), [&](const HttpReply& head, std::string_view bytes) {
                if (is_first) position = start_of(head);
                is_first = false;
                patience.has_worked();
                printer.add(bytes);
                position += bytes.size();
                return true;
            });
            break;
        } catch (const Failure& failure) {
            patience.endure(failure);
        }
    }
    printer.finish();
}

json wait_until_over(Client& client, std::int64_t job, std::optional<Millis> timeout) {
    return wait_for(client, job, "finished", timeout, [](const json& found) { return is_over(found); });
}

json wait_until_started(Client& client, std::int64_t job, std::optional<Millis> timeout) {
    return wait_for(client, job, "changed", timeout,
                    [](const json& found) { return is_over(found) || has(found, "started_at"); });
}

}  // namespace nightshift::cli
