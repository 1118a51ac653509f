#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace nightshift::kernels {

/// work(i) for 0 .. count - 1 on up to `threads` threads, the caller's own among them; each takes the next
/// number. make() gives each thread its own work, with what it keeps between numbers. The first exception
/// ends all and is thrown.
template <typename Make>
void in_threads(std::size_t count, int threads, const Make& make) {
    std::atomic<std::size_t> next{0};
    std::exception_ptr failure;
    std::mutex guard;
    const auto run = [&] {
        try {
            auto work = make();
            for (std::size_t i = next++; i < count; i = next++) work(i);
        } catch (...) {
            next = count;
            const std::lock_guard<std::mutex> lock(guard);
            if (!failure) failure = std::current_exception();
        }
    };
    std::vector<std::thread> others;
    const std::size_t all = std::min(static_cast<std::size_t>(std::max(threads, 1)), count);
    for (std::size_t t = 1; t < all; ++t) others.emplace_back(run);
    run();
    for (std::thread& other : others) other.join();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace nightshift::kernels
