#pragma once

#include "tests/kernels/emulator/device_words.h"

namespace cooperative_groups {

struct grid_group {
    void sync() const { emulator::grid_barrier(); }
};
inline grid_group this_grid() {
    return {};
}

}  // namespace cooperative_groups
