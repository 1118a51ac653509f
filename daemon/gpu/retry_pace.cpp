#include "daemon/gpu/retry_pace.h"

#include <algorithm>
#include <iterator>

namespace nightshift::daemon {

void RetryPace::fail(Millis now) {
    if (!due_) due_ = now + kSteps[0];
}

void RetryPace::attempt(Millis now) {
    step_ = std::min(step_ + 1, std::size(kSteps) - 1);
    due_ = now + kSteps[step_];
}

void RetryPace::succeed() {
    due_.reset();
    step_ = 0;
}

}  // namespace nightshift::daemon
