#include "scheduler/wire_line.h"

#include <nlohmann/json.hpp>

namespace nightshift::wire {

std::string line_of(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Status read_line(std::string_view line, std::size_t bytes_max,
                 const std::function<void(const std::string& type, Fields& fields)>& read) {
    if (line.size() > bytes_max) {
        return corrupt("a line of " + std::to_string(line.size()) + " bytes; " + std::to_string(bytes_max) +
                       " are allowed");
    }
    const Json json = Json::parse(line, nullptr, false);
    if (json.is_discarded()) return corrupt("a line that is not JSON: " + cut(std::string(line), 80));
    Fields outer(json, "message");
    const std::string type = outer.text("type");
    if (!outer.problem().empty()) return corrupt(outer.problem());
    Fields fields(json, type);
    read(type, fields);
    if (!fields.problem().empty()) return corrupt(fields.problem());
    return {};
}

}  // namespace nightshift::wire
