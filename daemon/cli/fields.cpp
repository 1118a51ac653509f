#include "daemon/cli/fields.h"

#include <nlohmann/json.hpp>

#include "scheduler/units.h"

namespace nightshift::cli {

using nlohmann::json;

namespace {

const json& at(const json& object, const char* key) {
    static const json missing;
    if (!object.is_object()) return missing;
    const auto found = object.find(key);
    return found == object.end() ? missing : *found;
}

}  // namespace

std::string text_at(const json& object, const char* key) {
    const json& value = at(object, key);
    if (value.is_string()) return value.get<std::string>();
    return value.is_number() ? value.dump() : std::string();
}

std::int64_t number_at(const json& object, const char* key) {
    const json& value = at(object, key);
    if (value.is_number_float()) return static_cast<std::int64_t>(value.get<double>());
    return value.is_number() ? value.get<std::int64_t>() : 0;
}

double real_at(const json& object, const char* key) {
    const json& value = at(object, key);
    return value.is_number() ? value.get<double>() : 0.0;
}

bool flag_at(const json& object, const char* key) {
    const json& value = at(object, key);
    return value.is_boolean() && value.get<bool>();
}

bool has(const json& object, const char* key) {
    return !at(object, key).is_null();
}

const json& object_at(const json& object, const char* key) {
    static const json empty = json::object();
    const json& value = at(object, key);
    return value.is_object() ? value : empty;
}

const json& array_at(const json& object, const char* key) {
    static const json empty = json::array();
    const json& value = at(object, key);
    return value.is_array() ? value : empty;
}

std::string size_text(std::int64_t bytes) {
    return bytes == 0 ? "-" : format_bytes(Bytes{bytes});
}

std::string seconds_text(double seconds) {
    if (seconds < 0) return "-";
    return format_duration(Millis{static_cast<std::int64_t>(seconds * 1000)});
}

}  // namespace nightshift::cli
