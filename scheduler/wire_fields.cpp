#include "scheduler/wire_fields.h"

#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

namespace nightshift::wire {
namespace {

constexpr std::uint64_t kIntegerMax = std::numeric_limits<std::int64_t>::max();

}  // namespace

std::string cut(const std::string& text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return text;
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return text.substr(0, end);
}

Fields::Fields(const Json& json, std::string what) : json_(json), what_(std::move(what)) {
    if (!json_.is_object()) fail("is not an object");
}

std::string Fields::text(const char* name, bool is_required) {
    const Json* field = find(name, is_required);
    if (field == nullptr) return {};
    if (field->is_string()) return field->get<std::string>();
    fail_field(name, "is not a string");
    return {};
}

std::int64_t Fields::integer(const char* name, bool is_required) {
    const Json* field = find(name, is_required);
    if (field == nullptr) return 0;
    if (field->is_number_unsigned() && field->get<std::uint64_t>() > kIntegerMax) {
        fail_field(name, "is too large");
        return 0;
    }
    if (field->is_number_integer()) return field->get<std::int64_t>();
    fail_field(name, "is not an integer");
    return 0;
}

int Fields::small_integer(const char* name, bool is_required) {
    const std::int64_t value = integer(name, is_required);
    if (value >= std::numeric_limits<int>::min() && value <= std::numeric_limits<int>::max()) {
        return static_cast<int>(value);
    }
    fail_field(name, "is too large");
    return 0;
}

bool Fields::flag(const char* name) {
    const Json* field = find(name, false);
    if (field == nullptr) return false;
    if (field->is_boolean()) return field->get<bool>();
    fail_field(name, "is not true or false");
    return false;
}

std::optional<int> Fields::optional_integer(const char* name) {
    if (!has(name)) return std::nullopt;
    return small_integer(name);
}

const Json* Fields::array(const char* name) {
    const Json* field = find(name, false);
    if (field == nullptr || field->is_array()) return field;
    fail_field(name, "is not a list");
    return nullptr;
}

const Json* Fields::object(const char* name) {
    const Json* field = find(name, false);
    if (field == nullptr || field->is_object()) return field;
    fail_field(name, "is not an object");
    return nullptr;
}

bool Fields::has(const char* name) const {
    if (!json_.is_object()) return false;
    const auto found = json_.find(name);
    return found != json_.end() && !found->is_null();
}

void Fields::fail_field(const std::string& name, const std::string& problem) {
    fail("field '" + name + "' " + problem);
}

void Fields::fail(const std::string& problem) {
    if (problem_.empty()) problem_ = what_ + ": " + problem;
}

void Fields::take_over(const Fields& inner) {
    if (problem_.empty()) problem_ = inner.problem_;
}

const Json* Fields::find(const char* name, bool is_required) {
    if (has(name)) return &*json_.find(name);
    if (is_required) fail_field(name, "is missing");
    return nullptr;
}

Error corrupt(std::string message) {
    return Error{ErrorCode::kCorrupt, "bad_line", std::move(message),
                 "Daemon and worker have to come from one build; restart the daemon after an update.", ""};
}

}  // namespace nightshift::wire
