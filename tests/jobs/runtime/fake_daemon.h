#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/wire.h"

namespace nightshift::tests {

/// Any wait of these tests ends here, by an exception that says what did not come.
inline constexpr int kPatience_ms = 30'000;

/// The daemon's end of the control socket, one worker at a time. Every call blocks at most kPatience_ms.
class FakeDaemon {
  public:
    explicit FakeDaemon(std::filesystem::path data) : data_(std::move(data)) { listen(); }
    ~FakeDaemon() { die(); }
    FakeDaemon(const FakeDaemon&) = delete;
    FakeDaemon& operator=(const FakeDaemon&) = delete;

    /// Closes everything at once, as kill -9 does.
    void die();
    void listen();
    /// Takes the next connection and its hello.
    wire::Hello accept();
    void send(const wire::FromDaemon& message);
    void send_raw(const std::string& text);
    /// The next message, whatever it is.
    wire::FromWorker receive();
    bool is_closed_by_worker();

    /// The next message of one type; others are put into passed().
    template <typename Message>
    Message receive_a() {
        for (;;) {
            wire::FromWorker message = receive();
            if (const auto* wanted = std::get_if<Message>(&message)) return *wanted;
            passed_.push_back(std::move(message));
        }
    }
    template <typename Message>
    std::vector<Message> passed() const {
        std::vector<Message> found;
        for (const auto& message : passed_) {
            if (const auto* one = std::get_if<Message>(&message)) found.push_back(*one);
        }
        return found;
    }

  private:
    bool read_line(std::string& line);

    std::filesystem::path data_;
    int listener_ = -1;
    int peer_ = -1;
    std::string inbox_;
    std::vector<wire::FromWorker> passed_;
};

/// The real nightshift-worker binary, started as the daemon does it.
class WorkerProcess {
  public:
    WorkerProcess(const std::filesystem::path& data, AttemptId attempt, const std::string& token);
    ~WorkerProcess();
    WorkerProcess(const WorkerProcess&) = delete;
    WorkerProcess& operator=(const WorkerProcess&) = delete;

    std::int64_t pid() const { return pid_; }
    void kill(int signal) const;
    /// Exit code, or 1000 + signal.
    int wait();
    std::filesystem::path folder() const { return folder_; }
    std::string log() const;

  private:
    std::filesystem::path folder_;
    int pid_ = -1;
};

/// Blocks until `is_true()`; throws with `what` when it does not come.
template <typename Predicate>
void wait_until(const std::string& what, Predicate is_true);

void pause_briefly();
std::int64_t steady_ms();

template <typename Predicate>
void wait_until(const std::string& what, Predicate is_true) {
    const std::int64_t deadline = steady_ms() + kPatience_ms;
    while (!is_true()) {
        if (steady_ms() > deadline) throw std::runtime_error("waited in vain for " + what);
        pause_briefly();
    }
}

std::string read_file(const std::filesystem::path& file);
bool is_alive(std::int64_t pid);

}  // namespace nightshift::tests
