#include "daemon/descriptor_limit.h"

#include <sys/resource.h>
#include <sys/types.h>

#include <algorithm>

namespace nightshift::daemon {

std::int64_t raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    const auto before = static_cast<std::int64_t>(limit.rlim_cur);
    limit.rlim_cur = limit.rlim_max;
    static_cast<void>(setrlimit(RLIMIT_NOFILE, &limit));
    return before;
}

void set_descriptor_limit(std::int64_t pid, std::int64_t limit) {
    rlimit now{};
    if (limit <= 0 || prlimit(static_cast<pid_t>(pid), RLIMIT_NOFILE, nullptr, &now) != 0) return;
    now.rlim_cur = std::min(static_cast<rlim_t>(limit), now.rlim_max);
    static_cast<void>(prlimit(static_cast<pid_t>(pid), RLIMIT_NOFILE, &now, nullptr));
}

}  // namespace nightshift::daemon
