#include <cstdio>
#include <string_view>

#include "jobs/kinds.h"
#include "jobs/runtime/attempt_run.h"

namespace nightshift::jobs {

/// The table of this program, in place of the worker's (runtime/registry.cpp): no other kind is linked.
const std::vector<Kind>& kinds() {
    static const std::vector<Kind> table{command_kind()};
    return table;
}

}  // namespace nightshift::jobs

/// The worker for kind `command` alone: the same code without the native kinds and without shared libraries
/// of C++, because most of what a short command costs is the start of its worker.
int main(int argc, char** argv) {
    if (argc > 1 && std::string_view(argv[1]) == "attempt") return nightshift::jobs::run_attempt();
    std::fprintf(stderr,
                 "nightshift-command is started by nightshiftd; use "
                 "`nightshift-worker run command --out DIR -- PROGRAM` by hand\n");
    return nightshift::jobs::kExitUsage;
}
