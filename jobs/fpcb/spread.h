#pragma once

#include <cstddef>
#include <functional>

namespace nightshift::jobs {

/// Calls work(0) .. work(count - 1), each once, on this thread and threads - 1 others; returns when all are
/// done. Which thread does which is not defined. The first exception stops the rest and is thrown here.
void spread(std::size_t count, int threads, const std::function<void(std::size_t)>& work);

}  // namespace nightshift::jobs
