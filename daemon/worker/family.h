#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scheduler/attempt.h"

namespace nightshift::daemon {

/// All processes of one attempt: its worker, what the worker started, and what those started. They are
/// known by the worker's session, by their parents, and by the variable NIGHTSHIFT_OUTPUT that programs
/// inherit, so one that forked twice and opened a session of its own is found after its worker is gone.
struct Family {
    ProcessIdentity worker;
    std::optional<ProcessIdentity> command;
    std::string output_folder;  ///< value of NIGHTSHIFT_OUTPUT; empty = not looked for
};

struct FamilyMember {
    ProcessIdentity identity;
    char state = '?';  ///< of proc(5): D = waits inside the kernel, where no signal reaches it
    std::string name;
};

/// Those that are alive now, the worker included. Empty when the worker's number belongs to a later
/// process by now and nobody carries the variable.
std::vector<FamilyMember> family_members(const Family& family);

/// Sends SIGKILL to every member and looks again, until a look finds nobody new (a fork may race with it;
/// at most some 20 looks). The worker comes last, when all others are gone, or not at all: while it lives
/// it holds the family together and can say how the program ended. Returns who is still there: most need
/// some more milliseconds, one that waits inside the kernel stays.
std::vector<FamilyMember> kill_family(const Family& family, bool spares_worker = false);

}  // namespace nightshift::daemon
