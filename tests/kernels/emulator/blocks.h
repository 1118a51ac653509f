#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "tests/kernels/emulator/device_words.h"

/// Runs the threads of a grid as fibers of one thread of the system: a thread runs until it has to wait for
/// others. So what a kernel gives does not depend on luck; the order of threads can be turned round, and
/// whatever needs a barrier that is missing then differs.
namespace emulator {

enum class Order { forward, backward, shuffled };

/// NIGHTSHIFT_EMULATOR_ORDER: forward (also where it is not set), backward or shuffled.
Order order_here();

/// Ends the process: the kernel or its launch is wrong in a way that no error code tells.
[[noreturn]] void give_up(const char* why);

/// Calls `body` once for each thread of the grid; blocks one after another, or all at once where the launch
/// is cooperative. Ends the process with a message where threads wait for each other for ever.
void run_grid(dim3 grid, dim3 block, std::size_t shared_bytes, const std::function<void()>& body,
              bool is_cooperative);

}  // namespace emulator
