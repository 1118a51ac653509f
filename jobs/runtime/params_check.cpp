#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

using nlohmann::json;

/// Edits that turn one word into the other; a swap of neighbours counts once.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
    for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t j = 1; j <= b.size(); ++j) {
            cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1,
                                   cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
            }
        }
    }
    return cost[a.size()][b.size()];
}

constexpr std::size_t kWordBytesMax = 64;  ///< longer words are not compared

std::string nearest(std::string_view word, const json& properties) {
    std::string best;
    std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
    if (word.size() > kWordBytesMax) return best;
    for (const auto& [name, unused] : properties.items()) {
        const std::size_t distance = edit_distance(word, name);
        if (distance < best_distance) {
            best = name;
            best_distance = distance;
        }
    }
    return best;
}

std::string shown(const json& value) {
    std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
    if (text.size() > 80) text = text.substr(0, 77) + "...";
    return text;
}

[[noreturn]] void refuse(const std::string& path, const std::string& problem) {
    throw JobError("bad_param", "parameter '" + path + "' " + problem);
}

bool is_of_type(const json& value, const std::string& type) {
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "null") return value.is_null();
    if (type == "number") return value.is_number();
    if (type == "integer") {
        return value.is_number_integer() ||
               (value.is_number_float() && std::nearbyint(value.get<double>()) == value.get<double>());
    }
    return true;
}

void check_value(const std::string& path, const json& schema, json& value);

void check_type(const std::string& path, const json& schema, const json& value) {
    const auto found = schema.find("type");
    if (found == schema.end()) return;
    std::vector<std::string> types;
    if (found->is_string()) types.push_back(found->get<std::string>());
    if (found->is_array()) types = found->get<std::vector<std::string>>();
    for (const std::string& type : types) {
        if (is_of_type(value, type)) return;
    }
    std::string wanted;
    for (const std::string& type : types) wanted += (wanted.empty() ? "" : " or ") + type;
    refuse(path, "is " + shown(value) + "; it has to be of type " + wanted);
}

void check_alternatives(const std::string& path, const json& alternatives, json& value) {
    std::string problems;
    for (const json& alternative : alternatives) {
        try {
            check_value(path, alternative, value);
            return;
        } catch (const JobError& error) {
            problems += (problems.empty() ? "" : "; or: ") + std::string(error.what());
        }
    }
    throw JobError("bad_param", problems);
}

void check_number(const std::string& path, const json& schema, const json& value) {
    if (!value.is_number()) return;
    const double number = value.get<double>();
    const auto bound = [&](const char* key, auto is_outside, const char* words) {
        const auto found = schema.find(key);
        if (found != schema.end() && found->is_number() &&
            is_outside(number, found->template get<double>())) {
            refuse(path, "is " + shown(value) + "; it has to be " + words + " " + shown(*found));
        }
    };
    bound("minimum", std::less<>(), "at least");
    bound("maximum", std::greater<>(), "at most");
    bound("exclusiveMinimum", std::less_equal<>(), "above");
    bound("exclusiveMaximum", std::greater_equal<>(), "below");
}

void check_value(const std::string& path, const json& schema, json& value) {
    if (!schema.is_object()) return;
    check_type(path, schema, value);
    for (const char* key : {"oneOf", "anyOf"}) {
        if (schema.contains(key)) check_alternatives(path, schema.at(key), value);
    }
    if (const auto choices = schema.find("enum"); choices != schema.end()) {
        if (std::find(choices->begin(), choices->end(), value) == choices->end()) {
            std::string words;
            for (const json& choice : *choices) words += (words.empty() ? "" : ", ") + shown(choice);
            refuse(path, "is " + shown(value) + "; it can be " + words);
        }
    }
    check_number(path, schema, value);
    if (value.is_array()) {
        if (value.size() < schema.value("minItems", std::size_t{0})) refuse(path, "has too few entries");
        if (value.size() > schema.value("maxItems", value.size())) refuse(path, "has too many entries");
        if (schema.contains("items")) {
            for (std::size_t i = 0; i < value.size(); ++i) {
                check_value(path + "[" + std::to_string(i) + "]", schema.at("items"), value[i]);
            }
        }
    }
    // A float that is whole stands for the integer ("3.0", "1e6").
    if (schema.value("type", json()) == "integer" && value.is_number_float()) {
        value = static_cast<std::int64_t>(value.get<double>());
    }
}

}  // namespace

json complete_params(const Kind& kind, const json& params) {
    const json schema = kind.schema ? json(kind.schema()) : json::object();
    const json properties = schema.value("properties", json::object());
    json complete = params.is_null() ? json::object() : params;
    if (!complete.is_object()) {
        throw JobError("bad_param",
                       "params of kind " + kind.name + " is " + shown(params) + "; it has to be an object");
    }
    for (auto& [name, value] : complete.items()) {
        const auto found = properties.find(name);
        if (found == properties.end()) {
            const std::string close = nearest(name, properties);
            std::string known;
            for (const auto& [word, unused] : properties.items()) known += (known.empty() ? "" : ", ") + word;
            throw JobError("unknown_param",
                           "kind " + kind.name + " has no parameter '" + name + "'; " +
                               (close.empty() ? (known.empty() ? "it takes none" : "it knows " + known)
                                              : "did you mean '" + close + "'?"));
        }
        check_value(name, *found, value);
    }
    for (const json& name : schema.value("required", json::array())) {
        if (complete.contains(name.get<std::string>())) continue;
        throw JobError("missing_param",
                       "kind " + kind.name + " needs the parameter '" + name.get<std::string>() + "'");
    }
    for (const auto& [name, property] : properties.items()) {
        if (!complete.contains(name) && property.contains("default")) complete[name] = property.at("default");
    }
    return complete;
}

}  // namespace nightshift::jobs
