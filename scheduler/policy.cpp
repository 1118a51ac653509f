#include "scheduler/policy.h"

namespace nightshift {

const Window* Policy::find_window(const std::string& name) const {
    for (const Window& window : windows) {
        if (window.name == name) return &window;
    }
    return nullptr;
}

}  // namespace nightshift
