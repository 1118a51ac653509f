#pragma once

#include <cstdint>
#include <string>

#include "scheduler/attempt.h"
#include "scheduler/result.h"

namespace nightshift::daemon {

/// instance.json: where the running daemon is to be found.
struct InstanceFile {
    ProcessIdentity process;
    std::uint16_t port = 0;
    std::string address, socket, version;
};

Status write_instance_file(const std::string& path, const InstanceFile& instance);

}  // namespace nightshift::daemon
