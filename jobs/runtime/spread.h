#pragma once

#include <cstddef>
#include <functional>

namespace nightshift::jobs {

/// Runs work(i) for every i below count on `threads` threads (at least one) of its own; which thread takes
/// which changes nothing. `progress`, if given, is called by this thread some ten times a second with the
/// number done; what it throws ends the work after the pieces at hand. What a piece throws is thrown again.
void spread(std::size_t count, int threads, const std::function<void(std::size_t)>& work,
            const std::function<void(std::size_t done)>& progress = {});

/// Work whose results are many: spread() over stretches of consecutive pieces, each as long as end_of(first)
/// says (above `first`, at most `count`). After each stretch this thread calls take(first, end), in order. At
/// the end of a stretch threads wait for its slowest piece.
void spread_in_stretches(std::size_t count, int threads,
                         const std::function<std::size_t(std::size_t first)>& end_of,
                         const std::function<void(std::size_t)>& work,
                         const std::function<void(std::size_t first, std::size_t end)>& take,
                         const std::function<void(std::size_t done)>& progress = {});

}  // namespace nightshift::jobs
