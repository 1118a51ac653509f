#include "kernels/backend.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "kernels/buffer.h"
#include "kernels/error.h"
#include "tests/kernels/every_backend.h"

using namespace nightshift::kernels;
using nightshift::tests::on_every_backend;

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

std::string words_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const OverBudget& error) {
        return error.what();
    }
    return "no error";
}

bool has(const std::string& words, const char* part) {
    return words.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("backend: bytes go to the device and come back, whatever their number") {
    on_every_backend([](Backend& backend) {
        // Around the size of the pieces that copies are made in.
        for (const std::size_t count :
             {std::size_t{1}, 4 * kMiB - 1, 4 * kMiB, 4 * kMiB + 1, 13 * kMiB + 7}) {
            CAPTURE(count);
            std::vector<std::uint8_t> sent(count);
            for (std::size_t i = 0; i < count; ++i)
                sent[i] = static_cast<std::uint8_t>(i * 2'654'435'761u >> 24);
            Buffer<std::uint8_t> buffer(backend, std::span<const std::uint8_t>(sent), "test");
            const std::vector<std::uint8_t> copy = sent;
            std::fill(sent.begin(), sent.end(), std::uint8_t{0});  // may be reused at once
            CHECK(buffer.to_host() == copy);
        }
    });
}

TEST_CASE("backend: what is held never exceeds the budget, and an error names who holds it") {
    on_every_backend(
        [](Backend& backend) {
            CHECK(backend.memory().budget_bytes == 8 * kMiB);
            const Buffer<std::uint8_t> bank(backend, 5 * kMiB, "knn.bank");
            const Buffer<std::uint8_t> rows(backend, 2 * kMiB, "knn.queries");
            const std::string words = words_of([&] { Buffer<float>(backend, kMiB, "knn.result"); });
            CHECK(words.rfind("over_budget: knn.result needs 4.0 MiB", 0) == 0);
            CHECK(has(words, "knn.bank 5.0 MiB, knn.queries 2.0 MiB"));
            CHECK(has(words, "larger vram budget"));
            CHECK(backend.memory().held_bytes == 7 * kMiB);
            {
                const Buffer<std::uint8_t> rest(backend, kMiB, "rest");
                CHECK(backend.memory().held_bytes == 8 * kMiB);
            }
            CHECK(backend.memory().held_bytes == 7 * kMiB);
            CHECK(backend.memory().peak_bytes == 8 * kMiB);
        },
        8 * kMiB);
}

TEST_CASE("backend: memory that was released can be taken again and again") {
    on_every_backend(
        [](Backend& backend) {
            for (int i = 0; i < 50; ++i) Buffer<double>(backend, 3 * kMiB / 4, "again");
            CHECK(backend.memory().held_bytes == 0);
            CHECK(backend.memory().peak_bytes == 6 * kMiB);
        },
        8 * kMiB);
}

TEST_CASE("backend: sizes that overflow are refused before anything is asked for") {
    on_every_backend([](Backend& backend) {
        const std::size_t most = std::numeric_limits<std::size_t>::max();
        CHECK_THROWS_AS(Buffer<double>(backend, most / 4, "rows"), std::invalid_argument);
        CHECK_THROWS_AS(backend.allocate(most, "rows"), OverBudget);
        CHECK_THROWS_AS(backend.allocate(most - 1024, "rows"), OverBudget);
        CHECK(backend.memory().held_bytes == 0);
    });
}

TEST_CASE("backend: nothing is a size, too") {
    on_every_backend([](Backend& backend) {
        const Buffer<int> empty(backend, 0, "empty");
        CHECK(empty.to_host().empty());
        CHECK(backend.memory().held_bytes == MemoryLedger::kGrainBytes);
        backend.release(nullptr);
        backend.synchronize();
    });
}

TEST_CASE("backend: a copy that does not fit its buffer is refused") {
    on_every_backend([](Backend& backend) {
        Buffer<int> four(backend, 4, "four");
        const std::vector<int> two = {1, 2};
        CHECK_THROWS_AS(four.upload(two, 3), std::logic_error);
        std::vector<int> five(5);
        CHECK_THROWS_AS(four.download(five), std::logic_error);
        four.upload(two, 0);
        four.upload(two, 2);
        CHECK(four.to_host() == std::vector<int>{1, 2, 1, 2});
    });
}

TEST_CASE("backend: a buffer that is moved is held once") {
    on_every_backend([](Backend& backend) {
        Buffer<int> first(backend, std::vector<int>{7, 8}, "first");
        Buffer<int> second = std::move(first);
        second = Buffer<int>(backend, std::vector<int>{9}, "second");
        CHECK(second.to_host() == std::vector<int>{9});
        CHECK(backend.memory().held_bytes == MemoryLedger::kGrainBytes);
    });
}

TEST_CASE("backend: says what it is") {
    on_every_backend([](Backend& backend) {
        const BackendInfo& info = backend.info();
        CHECK_FALSE(info.name.empty());
        if (info.kind == BackendKind::cuda) {
            CHECK(info.compute_capability >= 50);
            CHECK(info.total_bytes > kMiB);
            CHECK(info.shared_bytes >= (std::size_t{48} << 10));
        } else {
            CHECK(info.threads == 2);
        }
    });
    CHECK(make_cpu_backend(-3)->info().threads == 1);
    if (!cuda_available()) CHECK_THROWS_AS(make_cuda_backend(kMiB), DeviceError);
}

TEST_CASE("memory_ledger: of many owners the largest are named") {
    MemoryLedger ledger(100'000);
    for (int i = 1; i <= 11; ++i) ledger.take(static_cast<std::size_t>(i) * 512, "owner" + std::to_string(i));
    CHECK(ledger.holders().rfind("owner11 5.5 KiB, owner10 5.0 KiB, ", 0) == 0);
    CHECK(has(ledger.holders(), "and 3 others"));
    CHECK_FALSE(has(ledger.holders(), "owner3 "));
    CHECK(bytes_in_words(1023) == "1023 B");
    CHECK(bytes_in_words(3u << 30) == "3.0 GiB");
}
