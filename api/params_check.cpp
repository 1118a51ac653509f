#include "api/params_check.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include <nlohmann/json.hpp>

#include "api/field_reader.h"
#include "api/nearest.h"
#include "api/strict_json.h"

namespace nightshift::api {
namespace {

using nlohmann::json;

constexpr std::size_t kParentsMax = 64;
/// Kinds of one worker, with room; beyond it schemas are parsed anew.
constexpr std::size_t kSchemasMax = 64;

Error fault(std::string reason, std::string message, std::string hint, std::string pointer) {
    return {ErrorCode::kInvalidArgument, std::move(reason), std::move(message), std::move(hint),
            std::move(pointer)};
}

bool is_of_type(const json& value, const std::string& type) {
    if (type == "string") return value.is_string();
    if (type == "integer") {
        return value.is_number_integer() ||
               (value.is_number_float() &&
                value.get<double>() == static_cast<double>(static_cast<std::int64_t>(value.get<double>())));
    }
    if (type == "number") return value.is_number();
    if (type == "boolean") return value.is_boolean();
    if (type == "array") return value.is_array();
    if (type == "object") return value.is_object();
    if (type == "null") return value.is_null();
    return true;
}

/// Null where there is no such object or member.
const json* member_of(const json* object, const std::string& name) {
    if (object == nullptr || !object->is_object()) return nullptr;
    const auto found = object->find(name);
    return found == object->end() ? nullptr : &*found;
}

/// Is the value of one of the types that the schema names? Of any, where it names none.
bool fits(const json& schema, const json& value) {
    const json* type = member_of(&schema, "type");
    if (type == nullptr) return true;
    if (type->is_string()) return is_of_type(value, type->get_ref<const std::string&>());
    if (!type->is_array() || type->empty()) return true;
    return std::any_of(type->begin(), type->end(), [&value](const json& one) {
        return is_of_type(value, one.get_ref<const std::string&>());
    });
}

std::vector<std::string> types_of(const json& schema) {
    std::vector<std::string> types;
    const auto it = schema.find("type");
    if (it == schema.end()) return types;
    if (it->is_string()) types.push_back(it->get<std::string>());
    if (it->is_array()) {
        for (const json& type : *it) types.push_back(type.get<std::string>());
    }
    return types;
}

std::string joined(const std::vector<std::string>& words, const char* between) {
    std::string out;
    for (const std::string& word : words) out += (out.empty() ? "" : between) + word;
    return out;
}

/// Every parameter that the schema knows.
std::vector<std::string> names_of(const json& schema) {
    std::vector<std::string> names;
    const json* properties = member_of(&schema, "properties");
    if (properties == nullptr) return names;
    for (const auto& [name, member] : properties->items()) names.push_back(name);
    return names;
}

Error wrong_type(const std::string& pointer, const std::vector<std::string>& types) {
    return fault("bad_param",
                 "The parameter " + pointer + " has to be of type " + joined(types, " or ") + ".",
                 "GET /api/v1/kinds shows every parameter.", pointer);
}

/// Walks a schema and a value side by side.
class Walker {
  public:
    Walker(const SubmitDefaults& defaults, ParamsFound& found, std::vector<Error>& errors)
        : defaults_(defaults), found_(found), errors_(errors) {}

    void check(const json& schema, const json& value, const std::string& pointer) {
        if (!schema.is_object() || is_alternative(schema, value, pointer)) return;
        if (!fits(schema, value)) {
            errors_.push_back(wrong_type(pointer, types_of(schema)));
            return;
        }
        check_enum(schema, value, pointer);
        if (value.is_number()) check_range(schema, value, pointer);
        if (value.is_string() && schema.contains("x-artifact")) check_artifact(schema, value, pointer);
        if (value.is_string() && schema.value("x-path", false)) {
            check_path(value.get_ref<const std::string&>(), pointer, defaults_, false, errors_);
        }
        if (value.is_array()) check_items(schema, value, pointer);
        if (value.is_object()) check_members(schema, value, pointer);
    }

    /// `schema` of type object: names, required members, each member.
    void check_members(const json& schema, const json& value, const std::string& pointer) {
        const auto properties = schema.find("properties");
        const bool is_open = properties == schema.end() && pointer != "/params";
        const bool takes_more =
            schema.contains("additionalProperties") && schema["additionalProperties"] != false;
        for (const auto& [name, member] : value.items()) {
            const std::string place = pointer + "/" + escape_pointer(name);
            if (properties != schema.end() && properties->contains(name)) {
                if (!member.is_null()) check((*properties)[name], member, place);
            } else if (takes_more) {
                check(schema["additionalProperties"], member, place);
            } else if (!is_open) {
                errors_.push_back(fault("unknown_param",
                                        "There is no parameter `" + name.substr(0, 100) + "`.",
                                        did_you_mean(name, names_of(schema)), place));
            }
        }
        const json* required = member_of(&schema, "required");
        if (required == nullptr) return;
        for (const json& name : *required) {
            const std::string& text = name.get_ref<const std::string&>();
            if (value.contains(text) && !value[text].is_null()) continue;
            errors_.push_back(fault("missing_param", "The parameter `" + text + "` is missing.",
                                    "GET /api/v1/kinds shows every parameter.",
                                    pointer + "/" + escape_pointer(text)));
        }
    }

  private:
    /// oneOf/anyOf: the first alternative without errors counts. Otherwise the errors of the first one
    /// whose type fits are shown.
    bool is_alternative(const json& schema, const json& value, const std::string& pointer) {
        for (const char* word : {"oneOf", "anyOf"}) {
            const auto it = schema.find(word);
            if (it == schema.end() || !it->is_array() || it->empty()) continue;
            std::vector<Error> shown;
            std::vector<std::string> all_types;
            for (json alternative : *it) {
                if (schema.contains("x-artifact")) alternative["x-artifact"] = schema["x-artifact"];
                const std::vector<std::string> types = types_of(alternative);
                all_types.insert(all_types.end(), types.begin(), types.end());
                if (!fits(alternative, value)) continue;
                std::vector<Error> errors;
                ParamsFound found;
                Walker(defaults_, found, errors).check(alternative, value, pointer);
                if (errors.empty()) {
                    for (JobId parent : found.parents) add_parent(parent);
                    return true;
                }
                if (shown.empty()) shown = std::move(errors);
            }
            if (shown.empty()) shown.push_back(wrong_type(pointer, all_types));
            errors_.insert(errors_.end(), shown.begin(), shown.end());
            return true;
        }
        return false;
    }

    void check_enum(const json& schema, const json& value, const std::string& pointer) {
        const auto it = schema.find("enum");
        if (it == schema.end() || std::find(it->begin(), it->end(), value) != it->end()) return;
        std::vector<std::string> names;
        for (const json& choice : *it)
            names.push_back(choice.is_string() ? choice.get<std::string>() : choice.dump());
        const std::string got = value.is_string() ? value.get<std::string>() : value.dump();
        errors_.push_back(fault("bad_param", "`" + got.substr(0, 100) + "` is no choice of " + pointer + ".",
                                did_you_mean(got, names), pointer));
    }

    void check_range(const json& schema, const json& value, const std::string& pointer) {
        const double number = value.get<double>();
        const auto bound = [&schema](const char* name) {
            return schema.contains(name) && schema[name].is_number();
        };
        const bool is_low = (bound("minimum") && number < schema["minimum"].get<double>()) ||
                            (bound("exclusiveMinimum") && number <= schema["exclusiveMinimum"].get<double>());
        const bool is_high =
            (bound("maximum") && number > schema["maximum"].get<double>()) ||
            (bound("exclusiveMaximum") && number >= schema["exclusiveMaximum"].get<double>());
        if (!is_low && !is_high) return;
        std::string range;
        for (const char* name : {"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"}) {
            if (bound(name)) range += (range.empty() ? "" : ", ") + (name + (" " + schema[name].dump()));
        }
        errors_.push_back(fault("bad_param", value.dump() + " is out of the range of " + pointer + ".",
                                "Allowed: " + range + ".", pointer));
    }

    void check_items(const json& schema, const json& value, const std::string& pointer) {
        if (value.size() < schema.value("minItems", std::size_t{0})) {
            errors_.push_back(fault("bad_param", pointer + " has too few items.",
                                    "At least " + schema["minItems"].dump() + ".", pointer));
        }
        json item = schema.value("items", json::object());
        if (schema.contains("x-artifact") && !item.contains("x-artifact"))
            item["x-artifact"] = schema["x-artifact"];
        for (std::size_t i = 0; i < value.size(); ++i)
            check(item, value[i], pointer + "/" + std::to_string(i));
    }

    void check_artifact(const json& schema, const json& value, const std::string& pointer) {
        const auto& text = value.get_ref<const std::string&>();
        if (text.rfind("job:", 0) != 0) {
            check_path(text, pointer, defaults_, false, errors_);
            return;
        }
        const auto parent = parse_job_reference(text);
        if (!parent || (defaults_.job_exists && !defaults_.job_exists(*parent))) {
            errors_.push_back(
                fault("unknown_dependency", "`" + text.substr(0, 100) + "` names no job.",
                      "Write \"job:ID\" with the id of a job whose " +
                          (schema["x-artifact"].is_string() ? schema["x-artifact"].get<std::string>()
                                                            : std::string("output")) +
                          " is meant.",
                      pointer));
            return;
        }
        add_parent(*parent);
    }

    void add_parent(JobId parent) {
        auto& parents = found_.parents;
        if (std::find(parents.begin(), parents.end(), parent) == parents.end() &&
            parents.size() < kParentsMax) {
            parents.push_back(parent);
        }
    }

    const SubmitDefaults& defaults_;
    ParamsFound& found_;
    std::vector<Error>& errors_;
};

/// The kind's schema as an object. Parsed once for each text and thread: a batch asks for the same one with
/// every line, and parsing it costs more than all else that is checked of a submit.
const json& schema_of(const KindInfo& kind) {
    static thread_local std::map<std::string, json, std::less<>> parsed;
    auto found = parsed.find(kind.params_schema_json);
    if (found == parsed.end()) {
        if (parsed.size() >= kSchemasMax) parsed.clear();
        json schema = json::parse(kind.params_schema_json, nullptr, false);
        if (!schema.is_object()) schema = json::object();
        found = parsed.emplace(kind.params_schema_json, std::move(schema)).first;
    }
    return found->second;
}

template <typename Number>
std::optional<Number> parse_digits(std::string_view digits) {
    if (digits.empty() || digits.size() > 18) return std::nullopt;
    Number number = 0;
    for (char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        number = number * 10 + static_cast<Number>(c - '0');
    }
    return number;
}

bool is_below(const std::filesystem::path& path, const std::filesystem::path& root) {
    const auto [end, unused] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
    static_cast<void>(unused);
    return end == root.end() || (std::next(end) == root.end() && end->empty());
}

}  // namespace

std::optional<JobId> parse_job_reference(std::string_view text) {
    if (text.rfind("job:", 0) != 0) return std::nullopt;
    const auto id = parse_digits<std::int64_t>(text.substr(4));
    if (!id || *id == 0) return std::nullopt;
    return JobId{*id};
}

std::optional<std::size_t> parse_chain_reference(std::string_view text) {
    if (text.rfind("job:", 0) == 0) text.remove_prefix(4);
    if (text.empty() || text.front() != '#') return std::nullopt;
    return parse_digits<std::size_t>(text.substr(1));
}

bool check_path(const std::string& path, const std::string& pointer, const SubmitDefaults& defaults,
                bool wants_folder, std::vector<Error>& errors) {
    namespace fs = std::filesystem;
    const fs::path place = fs::path(path).lexically_normal();
    if (!place.is_absolute()) {
        errors.push_back(fault("relative_path", "`" + path.substr(0, 200) + "` is not a full path.",
                               "Write the path from the root of this machine.", pointer));
        return false;
    }
    const auto& roots = defaults.policy->roots;
    std::error_code code;
    const fs::path real = fs::weakly_canonical(place, code);
    const auto holds = [&](const std::string& root) {
        std::error_code ignored;
        return is_below(code ? place : real, fs::weakly_canonical(fs::path(root), ignored));
    };
    if (!roots.empty() && std::none_of(roots.begin(), roots.end(), holds)) {
        errors.push_back(fault("outside_roots",
                               "`" + path.substr(0, 200) + "` lies outside the folders of the policy.",
                               "Allowed are: " + joined(roots, ", ") + " (policy key `roots`).", pointer));
        return false;
    }
    if (!defaults.check_paths) return true;
    const fs::file_status status = fs::status(place, code);
    if (!fs::exists(status)) {
        errors.push_back(fault("no_such_path",
                               "There is no `" + path.substr(0, 200) + "` on the daemon's machine.",
                               "Check the path, or whether the disk is mounted.", pointer));
        return false;
    }
    if (wants_folder && !fs::is_directory(status)) {
        errors.push_back(
            fault("not_a_folder", "`" + path.substr(0, 200) + "` is no folder.", "Name a folder.", pointer));
        return false;
    }
    return true;
}

ParamsFound check_params(const KindInfo& kind, const json& params, const SubmitDefaults& defaults,
                         std::vector<Error>& errors) {
    ParamsFound found;
    const json& schema = schema_of(kind);
    if (!params.is_object()) {
        errors.push_back(
            fault("wrong_type", "`params` has to be an object.", "Write {\"name\": value}.", "/params"));
        return found;
    }
    Walker(defaults, found, errors).check_members(schema, params, "/params");
    if (kind.estimate_param.empty()) return found;
    const json* seconds_value = member_of(&params, kind.estimate_param);
    if (seconds_value == nullptr) {
        seconds_value =
            member_of(member_of(member_of(&schema, "properties"), kind.estimate_param), "default");
    }
    if (seconds_value == nullptr || !seconds_value->is_number()) return found;
    const double seconds = seconds_value->get<double>();
    if (seconds >= 0 && seconds < 1e9) found.estimate = Millis{static_cast<std::int64_t>(seconds * 1000.0)};
    return found;
}

}  // namespace nightshift::api
