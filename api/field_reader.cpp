#include "api/field_reader.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "api/nearest.h"

namespace nightshift::api {
namespace {

constexpr std::int64_t kBytesMax = std::int64_t{1} << 50;
/// Fields of a submit, the largest of the objects that come often.
constexpr std::size_t kNamesUsual = 32;

bool has_nul(const std::string& text) {
    return text.find('\0') != std::string::npos;
}

}  // namespace

std::string escape_pointer(std::string_view key) {
    std::string out;
    for (char c : key.substr(0, 200)) {
        if (c == '~')
            out += "~0";
        else if (c == '/')
            out += "~1";
        else
            out += c;
    }
    return out;
}

FieldReader::FieldReader(const nlohmann::json& object, std::string pointer, std::vector<Error>& errors)
    : object_(object), pointer_(std::move(pointer)), errors_(errors) {
    known_.reserve(kNamesUsual);
    if (!object_.is_object()) {
        errors_.push_back(
            {ErrorCode::kInvalidArgument, "wrong_type",
             (pointer_.empty() ? std::string("The document") : pointer_) + " has to be a JSON object.",
             "Write {\"name\": value, ...}.", pointer_});
    }
}

std::string FieldReader::pointer_of(std::string_view name) const {
    return pointer_ + "/" + escape_pointer(name);
}

void FieldReader::fail(std::string_view name, std::string reason, std::string message, std::string hint) {
    errors_.push_back({ErrorCode::kInvalidArgument, std::move(reason), std::move(message), std::move(hint),
                       pointer_of(name)});
}

const nlohmann::json* FieldReader::take(std::string_view name) {
    known_.emplace_back(name);
    if (!object_.is_object()) return nullptr;
    const auto it = object_.find(name);
    return it == object_.end() || it->is_null() ? nullptr : &*it;
}

std::optional<std::string> FieldReader::text(std::string_view name, std::size_t bytes_max) {
    const nlohmann::json* value = take(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) {
        fail(name, "wrong_type", "`" + std::string(name) + "` has to be a string.",
             "Put it in quotation marks.");
        return std::nullopt;
    }
    const auto& out = value->get_ref<const std::string&>();
    if (out.size() > bytes_max) {
        fail(name, "too_long",
             "`" + std::string(name) + "` is longer than " + std::to_string(bytes_max) + " bytes.",
             "Shorten it.");
        return std::nullopt;
    }
    if (has_nul(out)) {
        fail(name, "bad_text", "`" + std::string(name) + "` has a NUL character.", "Leave it out.");
        return std::nullopt;
    }
    return out;
}

std::optional<std::int64_t> FieldReader::integer(std::string_view name, std::int64_t min, std::int64_t max) {
    const nlohmann::json* value = take(name);
    if (value == nullptr) return std::nullopt;
    const bool is_small = value->is_number_integer() &&
                          (!value->is_number_unsigned() || value->get<std::uint64_t>() <= INT64_MAX);
    const std::int64_t out = is_small ? value->get<std::int64_t>() : 0;
    if (!is_small || out < min || out > max) {
        fail(name, "out_of_range",
             "`" + std::string(name) + "` has to be a whole number from " + std::to_string(min) + " to " +
                 std::to_string(max) + ".");
        return std::nullopt;
    }
    return out;
}

std::optional<bool> FieldReader::boolean(std::string_view name) {
    const nlohmann::json* value = take(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_boolean()) {
        fail(name, "wrong_type", "`" + std::string(name) + "` has to be true or false.");
        return std::nullopt;
    }
    return value->get<bool>();
}

std::optional<Bytes> FieldReader::bytes(std::string_view name) {
    const nlohmann::json* value = take(name);
    if (value == nullptr) return std::nullopt;
    constexpr const char* kHint = "Write bytes as a whole number, or a size such as \"3GiB\" or \"512MiB\".";
    std::optional<Bytes> out;
    if (value->is_string()) {
        auto parsed = parse_bytes(value->get_ref<const std::string&>());
        if (parsed) out = *parsed;
    } else if (value->is_number_integer() && value->get<double>() <= static_cast<double>(kBytesMax)) {
        out = Bytes{value->get<std::int64_t>()};
    }
    if (!out || out->value < 0 || out->value > kBytesMax) {
        fail(name, "bad_size", "`" + std::string(name) + "` is no size.", kHint);
        return std::nullopt;
    }
    return out;
}

std::optional<Millis> FieldReader::duration(std::string_view name) {
    const nlohmann::json* value = take(name);
    if (value == nullptr) return std::nullopt;
    std::string words;
    if (value->is_string()) words = value->get<std::string>();
    if (value->is_number_integer()) words = value->dump();
    const auto parsed = parse_duration(words);
    if (words.empty() || !parsed) {
        fail(name, "bad_duration", "`" + std::string(name) + "` is no length of time.",
             "Write \"90s\", \"15m\", \"7h\", \"1h30m\", or seconds as a whole number.");
        return std::nullopt;
    }
    return *parsed;
}

std::optional<std::vector<std::pair<std::string, std::string>>> FieldReader::texts(std::string_view name,
                                                                                   std::size_t count_max) {
    const nlohmann::json* value = take(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_object() || value->size() > count_max) {
        fail(name, "wrong_type",
             "`" + std::string(name) + "` has to be an object of at most " + std::to_string(count_max) +
                 " strings.",
             "Write {\"KEY\": \"value\"}.");
        return std::nullopt;
    }
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& [key, member] : value->items()) {
        const bool is_fine = member.is_string() && !key.empty() && !has_nul(key) &&
                             !has_nul(member.get_ref<const std::string&>());
        if (!is_fine) {
            errors_.push_back(
                {ErrorCode::kInvalidArgument, "wrong_type",
                 "`" + std::string(name) + "` may hold only strings, under keys that are not empty.",
                 "Put the value in quotation marks.", pointer_of(name) + "/" + escape_pointer(key)});
            return std::nullopt;
        }
        out.emplace_back(key, member.get<std::string>());
    }
    return out;
}

void FieldReader::finish() {
    if (!object_.is_object()) return;
    for (const auto& [key, value] : object_.items()) {
        if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
        errors_.push_back({ErrorCode::kInvalidArgument, "unknown_field",
                           "There is no field `" + key.substr(0, 100) + "`" +
                               (pointer_.empty() ? "" : " in " + pointer_) + ".",
                           did_you_mean(key, known_), pointer_ + "/" + escape_pointer(key)});
    }
}

}  // namespace nightshift::api
