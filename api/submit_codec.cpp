#include "api/submit_codec.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "api/field_reader.h"
#include "api/nearest.h"
#include "api/params_check.h"
#include "api/rfc3339.h"
#include "api/spec_group.h"
#include "api/strict_json.h"
#include "api/submit_command.h"
#include "api/submit_device.h"
#include "api/submit_references.h"
#include "scheduler/learned.h"

namespace nightshift::api {
namespace {

using nlohmann::json;

constexpr std::size_t kLabelsMax = 64;
constexpr int kCpuMax = 4096;

bool has_control(const std::string& text) {
    return std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; });
}

/// One submit being read: every step fills a part of the spec or adds errors.
class SubmitReader {
  public:
    SubmitReader(const json& submit, const SubmitDefaults& defaults, std::span<const JobId> chain,
                 std::vector<Error>& errors)
        : fields_(submit, "", errors),
          submit_(submit),
          defaults_(defaults),
          references_(defaults, chain, errors),
          errors_(errors) {}

    JobSpec read() {
        read_kind();
        read_command(fields_, defaults_, kind_ != nullptr, spec_, errors_);
        read_rank();
        read_budgets();
        read_group();
        read_learned();
        read_device(fields_, defaults_, spec_);
        check_budget(fields_, defaults_, spec_);
        read_times();
        read_params();
        spec_.after = references_.read_after(fields_, parents_);
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
        if (SubmitReferences::refers_to_list(*params)) {
            resolved = *params;
            references_.resolve(resolved, "/params");
            params = &resolved;
        }
        const ParamsFound found = check_params(*kind_, *params, defaults_, errors_);
        parents_ = found.parents;
        spec_.estimate = found.estimate;
        spec_.params_json = dump_json(*params);
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
    SubmitReferences references_;
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
