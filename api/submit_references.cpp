#include "api/submit_references.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "api/nearest.h"
#include "api/params_check.h"

namespace nightshift::api {
namespace {

using nlohmann::json;

constexpr std::size_t kAfterMax = 1024;

bool is_list_reference(const json& value) {
    return value.is_string() && value.get_ref<const std::string&>().starts_with("job:#");
}

void add_once(std::vector<Dependency>& to, const Dependency& dependency) {
    for (const Dependency& known : to) {
        if (known.on == dependency.on && known.kind == dependency.kind) return;
    }
    to.push_back(dependency);
}

}  // namespace

bool SubmitReferences::refers_to_list(const json& value) {
    if (value.is_structured()) return std::any_of(value.begin(), value.end(), refers_to_list);
    return is_list_reference(value);
}

void SubmitReferences::resolve(json& value, const std::string& pointer) {
    if (value.is_structured()) {
        for (auto& [key, member] : value.items()) resolve(member, pointer + "/" + escape_pointer(key));
    } else if (is_list_reference(value)) {
        if (const auto id = chain_id(value.get_ref<const std::string&>(), pointer)) {
            value = "job:" + std::to_string(id->value);
        }
    }
}

std::optional<JobId> SubmitReferences::chain_id(const std::string& text, const std::string& pointer) {
    const auto place = parse_chain_reference(text);
    if (place && *place < chain_.size() && chain_[*place]) return chain_[*place];
    std::string message = " names no job that comes before this one in its list.";
    if (place && *place == chain_.size()) message = " names the job itself.";
    if (place && *place < chain_.size()) message = " names a job of the list that was refused.";
    errors_.push_back({ErrorCode::kInvalidArgument, "unknown_dependency",
                       "`" + text.substr(0, 100) + "`" + message,
                       "Count from 0: \"job:#0\" is the first of the list.", pointer});
    return std::nullopt;
}

std::optional<JobId> SubmitReferences::job(const json& value, const std::string& pointer) {
    std::optional<JobId> id;
    if (value.is_number_integer() && value > 0) id = JobId{value.get<std::int64_t>()};
    if (value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        if (parse_chain_reference(text)) return chain_id(text, pointer);
        id = parse_job_reference(text);
    }
    if (id && (!defaults_.job_exists || defaults_.job_exists(*id))) return id;
    errors_.push_back(
        {ErrorCode::kInvalidArgument, "unknown_dependency",
         "`" + value.dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 100) + "` names no job.",
         "Give the id of a job that exists, e.g. 12.", pointer});
    return std::nullopt;
}

std::vector<Dependency> SubmitReferences::read_after(FieldReader& fields, const std::vector<JobId>& parents) {
    std::vector<Dependency> found;
    const json* after = fields.take("after");
    static const json kEmpty = json::array();
    if (after == nullptr) after = &kEmpty;
    if (!after->is_array() || after->size() > kAfterMax) {
        fields.fail("after", "wrong_type", "`after` has to be a list of at most 1,024 jobs.",
                    "Write [12] or [{\"job\": 12, \"on\": \"any\"}].");
        return found;
    }
    for (std::size_t i = 0; i < after->size(); ++i) {
        const std::string pointer = "/after/" + std::to_string(i);
        const json& item = (*after)[i];
        DependencyKind kind = DependencyKind::kSuccess;
        std::optional<JobId> on;
        if (item.is_object()) {
            FieldReader member(item, pointer, errors_);
            const json* named = member.take("job");
            on = job(named != nullptr ? *named : kEmpty, pointer + "/job");
            const std::string word = member.text("on", 100).value_or("success");
            if (const auto parsed = parse_dependency_kind(word)) {
                kind = *parsed;
            } else {
                member.fail("on", "bad_choice", "`" + word + "` is no choice of `on`.",
                            did_you_mean(word, {"success", "any", "failure"}));
            }
            member.finish();
        } else {
            on = job(item, pointer);
        }
        if (on) add_once(found, {*on, kind});
    }
    for (const JobId parent : parents) add_once(found, {parent, DependencyKind::kSuccess});
    return found;
}

}  // namespace nightshift::api
