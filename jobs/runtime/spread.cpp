#include "jobs/runtime/spread.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace nightshift::jobs {

void spread(std::size_t count, int threads, const std::function<void(std::size_t)>& work,
            const std::function<void(std::size_t done)>& progress) {
    std::atomic<std::size_t> next{0}, done{0};
    std::exception_ptr failure;
    std::mutex mutex;
    std::condition_variable ended;
    std::atomic<int> alive{std::max(1, threads)};
    std::vector<std::thread> pool;
    for (int t = 0; t < std::max(1, threads); ++t) {
        pool.emplace_back([&] {
            try {
                for (std::size_t i = next++; i < count; i = next++) {
                    work(i);
                    ++done;
                }
            } catch (...) {
                const std::lock_guard lock(mutex);
                if (!failure) failure = std::current_exception();
                next = count;
            }
            const std::lock_guard lock(mutex);
            --alive;
            ended.notify_all();
        });
    }
    std::exception_ptr stopped;
    while (true) {
        std::unique_lock lock(mutex);
        ended.wait_for(lock, std::chrono::milliseconds(100), [&] { return alive == 0; });
        lock.unlock();
        try {
            if (progress && !stopped) progress(done);
        } catch (...) {
            stopped = std::current_exception();
            next = count;
        }
        if (alive == 0) break;
    }
    for (std::thread& thread : pool) thread.join();
    if (stopped) std::rethrow_exception(stopped);
    if (failure) std::rethrow_exception(failure);
}

}  // namespace nightshift::jobs
