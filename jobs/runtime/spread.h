#pragma once

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace nightshift::jobs {

/// Runs work(i) for every i below count on `threads` threads (at least one) of its own; which thread takes
/// which changes nothing. `progress`, if given, is called by this thread some ten times a second with the
/// number done; what it throws ends the work after the pieces at hand. What a piece throws is thrown again.
void spread(std::size_t count, int threads, const std::function<void(std::size_t)>& work,
            const std::function<void(std::size_t done)>& progress = {});

/// For work whose results are many: spread() over stretches of consecutive pieces, each until its sizes reach
/// `size_max`. After each stretch this thread calls take(first, results), in order; threads wait meanwhile,
/// and at the end of a stretch for its slowest piece.
template <typename Result>
void spread_in_stretches(std::size_t count, int threads,
                         const std::function<std::size_t(std::size_t)>& size_of, std::size_t size_max,
                         const std::function<Result(std::size_t)>& make,
                         const std::function<void(std::size_t first, std::vector<Result> results)>& take,
                         const std::function<void(std::size_t done)>& progress = {}) {
    for (std::size_t first = 0, end = 0; first < count; first = end) {
        for (std::size_t size = 0; end < count && size < size_max; ++end) size += size_of(end);
        std::vector<Result> results(end - first);
        std::function<void(std::size_t)> so_far;
        if (progress) so_far = [&](std::size_t done) { progress(first + done); };
        spread(
            results.size(), threads, [&](std::size_t i) { results[i] = make(first + i); }, so_far);
        take(first, std::move(results));
    }
}

}  // namespace nightshift::jobs
