#include "api/submit_codec.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "api/field_reader.h"
#include "api/nearest.h"
#include "api/params_check.h"
#include "api/rfc3339.h"
#include "api/spec_group.h"
#include "api/strict_json.h"
#include "scheduler/learned.h"

namespace nightshift::api {
namespace {

using nlohmann::json;

constexpr std::size_t kArgumentsMax = 4096;
constexpr std::size_t kEnvMax = 256;
constexpr std::size_t kLabelsMax = 64;
constexpr std::size_t kAfterMax = 1024;
constexpr int kCpuMax = 4096;

bool has_control(const std::string& text) {
    return std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; });
}

/// One submit being read: every step fills a part of the spec or adds errors.
class SubmitReader {
  public:
    SubmitReader(const json& submit, const SubmitDefaults& defaults, std::span<const JobId> chain,
                 std::vector<Error>& errors)
        : fields_(submit, "", errors), submit_(submit), defaults_(defaults), chain_(chain), errors_(errors) {}

    JobSpec read() {
        read_kind();
        read_command();
        read_rank();
        read_budgets();
        read_group();
        read_learned();
        read_device();
        read_times();
        read_params();
        read_after();
        read_rest();
        fields_.finish();
        return std::move(spec_);
    }

  private:
    void read_kind() {
        const auto kind = fields_.text("kind", 100);
        for (const KindInfo& info : *defaults_.kinds) {
            if (kind && info.name == *kind) kind_ = &info;
        }
        if (!kind) {
            if (!is_reported("/kind")) {
                fields_.fail("kind", "missing_field", "`kind` is missing.", "GET /api/v1/kinds lists them.");
            }
        } else if (kind_ == nullptr) {
            std::vector<std::string> names;
            for (const KindInfo& info : *defaults_.kinds) names.push_back(info.name);
            fields_.fail("kind", "unknown_kind", "There is no kind `" + *kind + "`.",
                         did_you_mean(*kind, names));
        }
        spec_.kind = kind.value_or("");
        spec_.name = fields_.text("name", kNameBytesMax).value_or(spec_.kind);
        if (has_control(spec_.name)) {
            fields_.fail("name", "bad_text", "`name` has a control character.",
                         "Use one line of plain text.");
        }
        if (spec_.name.empty()) spec_.name = spec_.kind;
        spec_.job_class = kind_ != nullptr ? kind_->job_class : JobClass::kTraining;
        if (const auto text = fields_.text("class", 100)) {
            if (const auto parsed = parse_job_class(*text)) {
                spec_.job_class = *parsed;
            } else {
                std::vector<std::string> classes;
                for (JobClass job_class : kJobClasses) classes.emplace_back(to_string(job_class));
                fields_.fail("class", "unknown_class", "There is no class `" + *text + "`.",
                             did_you_mean(*text, classes));
            }
        }
    }

    void read_command() {
        const bool is_command = spec_.kind == "command";
        const json* command = fields_.take("command");
        if (command != nullptr && command->is_string()) {
            fields_.fail(
                "command", "command_not_a_list",
                "`command` is a list of arguments, not one string: no shell is involved.",
                "Write [\"python3\", \"train.py\"], or [\"sh\", \"-c\", \"...\"] where a shell is wanted.");
        } else if (command != nullptr) {
            read_arguments(*command);
        } else if (is_command) {
            fields_.fail("command", "missing_field", "`command` is missing.",
                         "Write [\"python3\", \"train.py\"].");
        }
        const auto cwd = fields_.text("cwd");
        if (cwd && check_path(*cwd, "/cwd", defaults_, true, errors_)) spec_.cwd = *cwd;
        if (auto env = fields_.texts("env", kEnvMax)) {
            for (const auto& [name, value] : *env) {
                if (name.find('=') == std::string::npos && name.rfind("NIGHTSHIFT_", 0) != 0) continue;
                errors_.push_back({ErrorCode::kInvalidArgument, "reserved_env",
                                   "The variable `" + name + "` cannot be set.",
                                   "Names have no \"=\", and NIGHTSHIFT_... belongs to the daemon.",
                                   "/env/" + escape_pointer(name)});
            }
            spec_.env = std::move(*env);
        }
        if (is_command || kind_ == nullptr) return;
        for (const char* name : {"command", "cwd", "env"}) {
            const bool is_given = name == std::string_view("command") ? command != nullptr
                                  : name == std::string_view("cwd")   ? cwd.has_value()
                                                                      : !spec_.env.empty();
            if (is_given) {
                fields_.fail(name, "not_for_this_kind",
                             std::string("`") + name + "` belongs to the kind `command` only.",
                             "Use `params` for the kind `" + spec_.kind + "`.");
            }
        }
    }

    void read_arguments(const json& command) {
        const auto is_argument = [](const json& part) {
            return part.is_string() && part.get_ref<const std::string&>().find('\0') == std::string::npos;
        };
        const bool is_list = command.is_array() && !command.empty() && command.size() <= kArgumentsMax &&
                             std::all_of(command.begin(), command.end(), is_argument) &&
                             !command[0].get_ref<const std::string&>().empty();
        if (!is_list) {
            fields_.fail("command", "command_not_a_list",
                         "`command` has to be a list of strings, the program first (at most 4,096).",
                         "Write [\"python3\", \"train.py\"].");
            return;
        }
        for (const json& part : command) spec_.command.push_back(part.get<std::string>());
    }

    void read_rank() {
        spec_.priority =
            static_cast<int>(fields_.integer("priority", -kPriorityMax, kPriorityMax).value_or(0));
        if (const auto window = fields_.text("window", 200)) {
            std::vector<std::string> names;
            for (const Window& known : defaults_.policy->windows) names.push_back(known.name);
            if (std::find(names.begin(), names.end(), *window) == names.end()) {
                fields_.fail("window", "bad_window", "The policy has no window `" + *window + "`.",
                             did_you_mean(*window, names));
            }
            spec_.window = *window;
        }
    }

    void read_budgets() {
        const auto vram = fields_.bytes("vram");
        is_vram_given_ = vram.has_value();
        spec_.vram = vram.value_or(kind_ != nullptr ? kind_->vram : Bytes{});
        spec_.ram = fields_.bytes("ram").value_or(kind_ != nullptr ? kind_->ram : Bytes{});
        spec_.cpu =
            static_cast<int>(fields_.integer("cpu", 0, kCpuMax).value_or(kind_ != nullptr ? kind_->cpu : 1));
    }

    /// References do not count in a group, so it is the same before they are resolved.
    void read_group() {
        static const json kNone = json::object();
        const auto params = submit_.find("params");
        spec_.group = spec_group(spec_.kind, spec_.command, params != submit_.end() ? *params : kNone);
    }

    /// A submit without a budget gets what earlier runs of its group needed. Inference keeps at least the
    /// budget of its kind: it must never be surprised.
    void read_learned() {
        if (is_vram_given_ || defaults_.stats == nullptr || kind_ == nullptr) return;
        const auto learned = suggested_budget(spec_, *defaults_.stats);
        if (!learned) return;
        Bytes most = *learned;
        for (const DeviceState& state : defaults_.devices) {
            const Bytes usable = state.device.total - defaults_.policy->safety;
            most = std::min(most, std::max(usable, spec_.vram));
        }
        if (const auto vram_max = defaults_.policy->of(spec_.job_class).vram_max) {
            most = std::min(most, *vram_max);
        }
        spec_.vram = spec_.job_class == JobClass::kInference ? std::max(spec_.vram, most) : most;
    }

    void read_device() {
        if (const json* wanted = fields_.take("gpu")) {
            const Device* found = nullptr;
            std::vector<std::string> names;
            for (const DeviceState& state : defaults_.devices) {
                names.push_back(state.device.uuid);
                const bool is_index = wanted->is_number_integer() && *wanted == state.device.index;
                if (is_index || (wanted->is_string() && *wanted == state.device.uuid)) found = &state.device;
            }
            if (found != nullptr) {
                spec_.gpu = found->uuid;
            } else {
                fields_.fail("gpu", "unknown_gpu", "There is no GPU " + wanted->dump().substr(0, 100) + ".",
                             did_you_mean(wanted->dump(), names));
            }
        }
        const ClassPolicy& policy = defaults_.policy->of(spec_.job_class);
        const std::string class_name(to_string(spec_.job_class));
        if (policy.vram_max && spec_.vram > *policy.vram_max) {
            fields_.fail("vram", "vram_over_budget",
                         "Class `" + class_name + "` may use " + format_bytes(*policy.vram_max) +
                             "; the job asks for " + format_bytes(spec_.vram) + ".",
                         "Lower `vram`, or raise classes." + class_name + ".vram_max in the policy.");
        }
        Bytes largest;
        bool is_any = false;
        for (const DeviceState& state : defaults_.devices) {
            // Its driver has not told yet what there is: it refuses nobody.
            if (state.device.total.value == 0) return;
            const auto& allowed = policy.gpus;
            const bool is_allowed =
                (spec_.gpu.empty() || spec_.gpu == state.device.uuid) &&
                (allowed.empty() || state.device.is_host ||
                 std::find(allowed.begin(), allowed.end(), state.device.index) != allowed.end());
            if (!is_allowed) continue;
            is_any = true;
            const Bytes usable{
                std::max<std::int64_t>(0, state.device.total.value - defaults_.policy->safety.value)};
            largest = std::max(largest, usable);
        }
        if (spec_.vram.value == 0 || defaults_.devices.empty()) return;
        if (!is_any) {
            fields_.fail("gpu", "vram_impossible",
                         "Class `" + class_name + "` may not use any GPU of this machine.",
                         "See classes." + class_name + ".gpus in the policy.");
        } else if (spec_.vram > largest) {
            fields_.fail("vram", "vram_impossible",
                         "The job asks for " + format_bytes(spec_.vram) +
                             "; the largest card it may use has " + format_bytes(largest) +
                             " after the safety margin of " + format_bytes(defaults_.policy->safety) + ".",
                         "Lower `vram`: no waiting would help.");
        }
    }

    std::optional<UnixMs> read_time(const char* name) {
        const auto text = fields_.text(name, 64);
        if (!text) return std::nullopt;
        if (const auto at = parse_time(*text)) return at;
        if (const auto at = next_clock_time(*text, *defaults_.zones, defaults_.now)) return at;
        fields_.fail(name, "bad_time", "`" + std::string(name) + "` is no time.",
                     "Write \"22:00\" (its next occurrence) or \"2026-11-21T22:00:00+09:00\".");
        return std::nullopt;
    }

    void read_times() {
        spec_.not_before = read_time("not_before");
        spec_.start_deadline = read_time("start_deadline");
        if (spec_.start_deadline && *spec_.start_deadline <= defaults_.now) {
            fields_.fail("start_deadline", "bad_time", "`start_deadline` has passed.",
                         "Give a time to come.");
        } else if (spec_.start_deadline && spec_.not_before && *spec_.start_deadline <= *spec_.not_before) {
            fields_.fail("start_deadline", "bad_time", "`start_deadline` is not after `not_before`.",
                         "The job could never start.");
        }
        const Limits& limits = defaults_.policy->limits;
        spec_.time_limit = fields_.duration("time_limit");
        const auto& of_class = defaults_.policy->of(spec_.job_class).time_limit;
        if (!spec_.time_limit && spec_.job_class != JobClass::kInference) {
            spec_.time_limit = of_class ? of_class : limits.time_limit;
        } else if (spec_.time_limit && spec_.time_limit->value <= 0) {
            fields_.fail("time_limit", "bad_duration", "`time_limit` has to be longer than nothing.",
                         "Write \"7h\".");
        } else if (spec_.time_limit && limits.time_limit && *spec_.time_limit > *limits.time_limit) {
            fields_.fail("time_limit", "time_limit_too_long",
                         "The policy allows at most " + format_duration(*limits.time_limit) + ".",
                         "Shorten `time_limit`, or raise limits.time_limit in the policy.");
        }
    }

    void read_params() {
        static const json kNone = json::object();
        const json* params = fields_.take("params");
        if (params == nullptr) params = &kNone;
        if (kind_ == nullptr) return;
        json resolved;
        if (refers_to_list(*params)) {
            resolved = *params;
            resolve(resolved, "/params");
            params = &resolved;
        }
        const ParamsFound found = check_params(*kind_, *params, defaults_, errors_);
        parents_ = found.parents;
        spec_.estimate = found.estimate;
        spec_.params_json = dump_json(*params);
    }

    static bool is_list_reference(const json& value) {
        return value.is_string() && value.get_ref<const std::string&>().starts_with("job:#");
    }

    static bool refers_to_list(const json& value) {
        if (value.is_structured()) return std::any_of(value.begin(), value.end(), refers_to_list);
        return is_list_reference(value);
    }

    /// Replaces every "job:#n" by the id the n-th job of the list got.
    void resolve(json& value, const std::string& pointer) {
        if (value.is_structured()) {
            for (auto& [key, member] : value.items()) resolve(member, pointer + "/" + escape_pointer(key));
        } else if (is_list_reference(value)) {
            if (const auto id = chain_id(value.get_ref<const std::string&>(), pointer)) {
                value = "job:" + std::to_string(id->value);
            }
        }
    }

    std::optional<JobId> chain_id(const std::string& text, const std::string& pointer) {
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

    std::optional<JobId> reference(const json& value, const std::string& pointer) {
        std::optional<JobId> id;
        if (value.is_number_integer() && value > 0) id = JobId{value.get<std::int64_t>()};
        if (value.is_string()) {
            const auto& text = value.get_ref<const std::string&>();
            if (parse_chain_reference(text)) return chain_id(text, pointer);
            id = parse_job_reference(text);
        }
        if (id && (!defaults_.job_exists || defaults_.job_exists(*id))) return id;
        errors_.push_back({ErrorCode::kInvalidArgument, "unknown_dependency",
                           "`" + value.dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 100) +
                               "` names no job.",
                           "Give the id of a job that exists, e.g. 12.", pointer});
        return std::nullopt;
    }

    void add_dependency(JobId on, DependencyKind kind) {
        for (const Dependency& known : spec_.after) {
            if (known.on == on && known.kind == kind) return;
        }
        spec_.after.push_back({on, kind});
    }

    void read_after() {
        const json* after = fields_.take("after");
        static const json kEmpty = json::array();
        if (after == nullptr) after = &kEmpty;
        if (!after->is_array() || after->size() > kAfterMax) {
            fields_.fail("after", "wrong_type", "`after` has to be a list of at most 1,024 jobs.",
                         "Write [12] or [{\"job\": 12, \"on\": \"any\"}].");
            return;
        }
        for (std::size_t i = 0; i < after->size(); ++i) {
            const std::string pointer = "/after/" + std::to_string(i);
            const json& item = (*after)[i];
            DependencyKind kind = DependencyKind::kSuccess;
            std::optional<JobId> on;
            if (item.is_object()) {
                FieldReader fields(item, pointer, errors_);
                const json* job = fields.take("job");
                on = reference(job != nullptr ? *job : kEmpty, pointer + "/job");
                const std::string word = fields.text("on", 100).value_or("success");
                if (const auto parsed = parse_dependency_kind(word)) {
                    kind = *parsed;
                } else {
                    fields.fail("on", "bad_choice", "`" + word + "` is no choice of `on`.",
                                did_you_mean(word, {"success", "any", "failure"}));
                }
                fields.finish();
            } else {
                on = reference(item, pointer);
            }
            if (on) add_dependency(*on, kind);
        }
        for (JobId parent : parents_) add_dependency(parent, DependencyKind::kSuccess);
    }

    void read_rest() {
        spec_.retries = static_cast<int>(fields_.integer("retries", 0, kRetriesMax).value_or(0));
        const bool is_command = spec_.kind == "command";
        spec_.checkpoint = is_command || kind_ == nullptr ? CheckpointMode::kNone : kind_->checkpoint;
        if (const auto word = fields_.text("checkpoint", 100)) {
            const auto parsed = parse_checkpoint_mode(*word);
            const auto other = is_command ? CheckpointMode::kWorker : CheckpointMode::kSignal;
            if (!parsed) {
                fields_.fail("checkpoint", "bad_choice", "`" + *word + "` is no choice of `checkpoint`.",
                             did_you_mean(*word, {"worker", "signal", "none"}));
            } else if (*parsed == other) {
                fields_.fail(
                    "checkpoint", "bad_choice", "`" + *word + "` does not fit the kind `" + spec_.kind + "`.",
                    is_command ? "Use \"signal\" or \"none\" for a command." : "Use \"worker\" or \"none\".");
            } else {
                spec_.checkpoint = *parsed;
            }
        }
        const bool may_yield =
            spec_.job_class != JobClass::kInference && spec_.checkpoint != CheckpointMode::kNone;
        spec_.preemptible = fields_.boolean("preemptible").value_or(may_yield);
        spec_.hold = fields_.boolean("hold").value_or(false);
        if (const auto word = fields_.text("at_window_end", 100)) {
            spec_.at_window_end = parse_window_end(*word);
            if (!spec_.at_window_end) {
                fields_.fail("at_window_end", "bad_choice",
                             "`" + *word + "` is no choice of `at_window_end`.",
                             did_you_mean(*word, {"yield", "finish_if_p90_before", "kill"}));
            }
        }
        if (auto labels = fields_.texts("labels", kLabelsMax)) spec_.labels = std::move(*labels);
    }

    bool is_reported(const std::string& pointer) const {
        return std::any_of(errors_.begin(), errors_.end(), [&](const Error& error) {
            return error.pointer == pointer || error.pointer.empty();
        });
    }

    FieldReader fields_;
    const json& submit_;
    const SubmitDefaults& defaults_;
    std::span<const JobId> chain_;
    std::vector<Error>& errors_;
    const KindInfo* kind_ = nullptr;
    bool is_vram_given_ = false;
    std::vector<JobId> parents_;
    JobSpec spec_;
};

}  // namespace

Result<JobSpec> parse_submit(const json& submit, const SubmitDefaults& defaults, std::span<const JobId> chain,
                             std::vector<Error>* all) {
    std::vector<Error> errors;
    JobSpec spec = SubmitReader(submit, defaults, chain, errors).read();
    if (all != nullptr) *all = errors;
    if (!errors.empty()) return errors.front();
    return spec;
}

Result<JobSpec> parse_submit_text(std::string_view submit, const SubmitDefaults& defaults,
                                  std::span<const JobId> chain, std::vector<Error>* all) {
    const auto document = parse_json(submit);
    if (document) return parse_submit(*document, defaults, chain, all);
    if (all != nullptr) *all = {document.error()};
    return document.error();
}

}  // namespace nightshift::api
