#pragma once

#include <string>

#include "daemon/worker/process.h"
#include "tests/support/scratch_folder.h"

namespace nightshift::tests {

/// What starts a shell script in a folder, its output in stdout.log there.
inline daemon::SpawnRequest shell(const ScratchFolder& folder, const std::string& script) {
    daemon::SpawnRequest request;
    request.program = "/bin/sh";
    request.arguments = {"-c", script};
    request.environment = {{"MARK", "밤 하나"}};
    request.folder = folder.path().string();
    request.log_path = (folder / "stdout.log").string();
    return request;
}

}  // namespace nightshift::tests
