#include "api/spec_group.h"

#include <nlohmann/json.hpp>

#include "api/digest.h"

namespace nightshift::api {
namespace {

using nlohmann::json;

constexpr std::size_t kHashDigits = 16;

bool is_comparable(const json& value) {
    if (!value.is_string()) return true;
    const auto& text = value.get_ref<const std::string&>();
    const bool is_path = text.find_first_of("/\\") != std::string::npos;
    return !is_path && text.rfind("job:", 0) != 0;
}

/// Without what says nothing about its size, however deep.
json reduced(const json& value) {
    if (value.is_array()) {
        json out = json::array();
        for (const json& item : value) {
            if (is_comparable(item)) out.push_back(reduced(item));
        }
        return out;
    }
    if (!value.is_object()) return value;
    json out = json::object();
    for (const auto& [name, member] : value.items()) {
        if (name != "seed" && is_comparable(member)) out[name] = reduced(member);
    }
    return out;
}

}  // namespace

std::string spec_group(const std::string& kind, const std::vector<std::string>& command,
                       const json& params) {
    json key = command;
    if (command.empty()) key = params.is_object() ? reduced(params) : json::object();
    const std::string text = key.dump(-1, ' ', false, json::error_handler_t::replace);
    return kind + ":" + sha256_hex(text).substr(0, kHashDigits);
}

}  // namespace nightshift::api
