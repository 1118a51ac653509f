// Writing many pieces with one call: the system takes parts of them, is interrupted, or fails.
#include "jobs/table/arrow/gathered_write.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "jobs/runtime/sha256.h"
#include "tests/jobs/fpcb/sequences.h"
#include "tests/jobs/table/file_size_limit.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

using Piece = std::span<const std::byte>;

Piece piece_of(const std::string& text) {
    return std::as_bytes(std::span(text));
}

std::vector<Piece> pieces_of(const std::vector<std::string>& texts) {
    std::vector<Piece> pieces;
    for (const std::string& text : texts) pieces.push_back(piece_of(text));
    return pieces;
}

std::string joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const std::string& text : texts) all += text;
    return all;
}

class Heard final : public jobs::ByteListener {
  public:
    std::string text;
    void hear(std::span<const std::byte> bytes) noexcept override {
        text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
};

class Descriptor {
  public:
    explicit Descriptor(int descriptor) : value(descriptor) { REQUIRE(value >= 0); }
    ~Descriptor() { ::close(value); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    const int value;
};

int open_empty(const std::filesystem::path& file) {
    return ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

std::atomic<int> interruptions{0};

/// SIGUSR1 interrupts system calls and is counted while this lives.
class Interruptible {
  public:
    Interruptible() {
        interruptions = 0;
        struct sigaction action {};
        action.sa_handler = [](int) { ++interruptions; };
        REQUIRE(::sigaction(SIGUSR1, &action, &before_) == 0);
    }
    ~Interruptible() { ::sigaction(SIGUSR1, &before_, nullptr); }
    Interruptible(const Interruptible&) = delete;
    Interruptible& operator=(const Interruptible&) = delete;

  private:
    struct sigaction before_ {};
};

}  // namespace

TEST_CASE("gathered write: more pieces than a call takes, some without a byte") {
    const ScratchFolder scratch;
    std::vector<std::string> texts;
    for (int i = 0; i < 3 * IOV_MAX + 7; ++i)
        texts.push_back(i % 5 == 0 ? ""
                                   : std::string(static_cast<std::size_t>(i % 11), 'a') + std::to_string(i));
    texts.front() = texts.back() = "";
    const auto file = scratch / "pieces";
    Heard heard;
    {
        const Descriptor out(open_empty(file));
        CHECK(jobs::write_gathered(out.value, pieces_of(texts), &heard) == 0);
        CHECK(jobs::write_gathered(out.value, {}, &heard) == 0);
        CHECK(jobs::write_gathered(out.value, pieces_of({"", ""}), &heard) == 0);
        CHECK(jobs::write_gathered(out.value, pieces_of({"unheard"}), nullptr) == 0);
    }
    CHECK(heard.text == joined(texts));
    CHECK(bytes_of(file) == joined(texts) + "unheard");
}

TEST_CASE("gathered write: calls that take a part, or are interrupted before they took any") {
    const Interruptible interruptible;
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const Descriptor from(ends[0]), to(ends[1]);
    std::vector<std::string> texts;
    for (int i = 0; i < 300; ++i)
        texts.push_back(std::string(static_cast<std::size_t>(i * 7), static_cast<char>(i)));
    const std::string whole = joined(texts);
    Heard heard;
    const pthread_t writer = ::pthread_self();
    std::string found;
    std::thread reader([&] {
        // The pipe is full and nobody reads: the first signal ends a call that took a part, those after it
        // calls that took nothing.
        pollfd room_in_pipe{to.value, POLLOUT, 0};
        while (::poll(&room_in_pipe, 1, 0) > 0) std::this_thread::yield();
        for (int sent = 1; sent <= 50; ++sent) {
            ::pthread_kill(writer, SIGUSR1);
            while (interruptions < sent) std::this_thread::yield();
        }
        std::string room(5000, '\0');
        while (found.size() < whole.size()) {
            const ssize_t got = ::read(from.value, room.data(), room.size());
            if (got <= 0) break;
            found.append(room.data(), static_cast<std::size_t>(got));
            ::pthread_kill(writer, SIGUSR1);
        }
    });
    const int error = jobs::write_gathered(to.value, pieces_of(texts), &heard);
    reader.join();
    CHECK(error == 0);
    CHECK(interruptions > 50);
    CHECK(found == whole);
    CHECK(heard.text == whole);
}

TEST_CASE("gathered write: a disk that fails says so, and what was heard is what it holds") {
    const ScratchFolder scratch;
    const auto file = scratch / "full";
    const std::vector<std::string> texts{std::string(3000, 'a'), std::string(3000, 'b'),
                                         std::string(3000, 'c')};
    Heard heard;
    {
        const FileSizeLimit limit(5000);
        const Descriptor out(open_empty(file));
        CHECK(jobs::write_gathered(out.value, pieces_of(texts), &heard) == EFBIG);
    }
    CHECK(heard.text == joined(texts).substr(0, 5000));
    CHECK(bytes_of(file) == heard.text);
    const Descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    CHECK(jobs::write_gathered(full.value, pieces_of(texts), nullptr) == ENOSPC);
}
