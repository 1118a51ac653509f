#include "daemon/instance_file.h"

#include <nlohmann/json.hpp>

#include "daemon/paths.h"

namespace nightshift::daemon {

Status write_instance_file(const std::string& path, const InstanceFile& instance) {
    nlohmann::ordered_json document;
    document["pid"] = instance.process.pid;
    document["boot_id"] = instance.process.boot_id;
    document["start_ticks"] = instance.process.start_ticks;
    document["port"] = instance.port;
    document["address"] = instance.address;
    document["socket"] =
        instance.socket.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(instance.socket);
    document["version"] = instance.version;
    return write_file_durably(path, document.dump(2) + "\n");
}

}  // namespace nightshift::daemon
