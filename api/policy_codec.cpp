#include "api/policy_codec.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "api/field_reader.h"
#include "api/nearest.h"
#include "api/strict_json.h"

namespace nightshift::api {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t kWindowsMax = 64;
constexpr std::size_t kRulesMax = 64;
constexpr std::size_t kHeadroomMax = 64;
constexpr std::size_t kGroupsMax = 64;
constexpr Bytes kLogMin{64 * 1024};
constexpr std::size_t kRootsMax = 64;

Error fault(std::string reason, std::string message, std::string hint, std::string pointer) {
    return {ErrorCode::kInvalidArgument, std::move(reason), std::move(message), std::move(hint),
            std::move(pointer)};
}

std::vector<std::string> class_names() {
    std::vector<std::string> names;
    for (JobClass job_class : kJobClasses) names.emplace_back(to_string(job_class));
    return names;
}

/// Reads one policy document; every step adds what is wrong.
class PolicyReader {
  public:
    PolicyReader(const TimeZones& zones, std::vector<Error>& errors) : zones_(zones), errors_(errors) {}

    Policy read(const json& document) {
        FieldReader fields(document, "", errors_);
        if (const json* vram = fields.take("vram")) read_vram(*vram);
        if (const json* windows = fields.take("windows")) read_windows(*windows);
        if (const json* classes = fields.take("classes")) read_classes(*classes);
        if (const json* preemption = fields.take("preemption")) read_preemption(*preemption);
        if (const json* limits = fields.take("limits")) read_limits(*limits);
        if (const json* groups = fields.take("groups")) read_groups(*groups);
        if (const json* fairness = fields.take("fairness")) read_fairness(*fairness);
        if (const json* roots = fields.take("roots")) read_roots(*roots);
        if (const json* retention = fields.take("retention")) read_retention(*retention);
        fields.finish();
        return std::move(policy_);
    }

  private:
    void read_vram(const json& object) {
        FieldReader fields(object, "/vram", errors_);
        policy_.safety = fields.bytes("safety").value_or(policy_.safety);
        fields.finish();
    }

    void read_windows(const json& object) {
        if (!object.is_object() || object.size() > kWindowsMax) {
            errors_.push_back(fault("wrong_type", "`windows` has to be an object of at most 64 windows.",
                                    "Write {\"night\": {\"open\": [\"daily 22:00-06:00\"]}}.", "/windows"));
            return;
        }
        for (const auto& [name, value] : object.items()) {
            const std::string pointer = "/windows/" + escape_pointer(name);
            FieldReader fields(value, pointer, errors_);
            Window window;
            window.name = name;
            window.timezone = fields.text("timezone", 100).value_or("");
            if (!zones_.knows(window.timezone)) {
                fields.fail("timezone", "unknown_timezone",
                            "There is no time zone `" + window.timezone + "`.",
                            "Use an IANA name such as \"Asia/Seoul\".");
            }
            const json* open = fields.take("open");
            if (open != nullptr && open->is_array() && !open->empty() && open->size() <= kRulesMax) {
                read_rules(*open, pointer + "/open", window);
            } else {
                fields.fail("open", "bad_window", "`open` has to be a list of 1 to 64 rules.",
                            "Write [\"mon-fri 22:00-06:00\"].");
            }
            fields.finish();
            policy_.windows.push_back(std::move(window));
        }
    }

    void read_rules(const json& open, const std::string& pointer, Window& window) {
        for (std::size_t i = 0; i < open.size(); ++i) {
            const auto rule =
                parse_window_rule(open[i].is_string() ? open[i].get_ref<const std::string&>() : "");
            if (rule) {
                window.rules.push_back(*rule);
                continue;
            }
            const std::string hint =
                rule.error().hint.empty() ? "Write \"mon-fri 22:00-06:00\"." : rule.error().hint;
            errors_.push_back(
                fault("bad_window", rule.error().message, hint, pointer + "/" + std::to_string(i)));
        }
    }

    void read_classes(const json& object) {
        FieldReader fields(object, "/classes", errors_);
        for (JobClass job_class : kJobClasses) {
            const std::string name(to_string(job_class));
            if (const json* value = fields.take(name)) read_class(*value, job_class, "/classes/" + name);
        }
        fields.finish();
    }

    void read_class(const json& object, JobClass job_class, const std::string& pointer) {
        FieldReader fields(object, pointer, errors_);
        ClassPolicy& policy = policy_.of(job_class);
        if (const auto window = fields.text("window", 200)) {
            check_window(*window, pointer + "/window");
            policy.window = *window;
        }
        policy.vram_max = fields.bytes("vram_max");
        policy.time_limit = fields.duration("time_limit");
        if (const auto running = fields.integer("running", 1, 256))
            policy.running = static_cast<int>(*running);
        if (const auto word = fields.text("at_window_end", 100)) {
            if (const auto end = parse_window_end(*word)) {
                policy.at_window_end = *end;
            } else {
                fields.fail("at_window_end", "bad_choice", "`" + *word + "` is no choice of `at_window_end`.",
                            did_you_mean(*word, {"yield", "finish_if_p90_before", "kill"}));
            }
        }
        policy.window_slack = fields.duration("window_slack").value_or(policy.window_slack);
        if (const json* gpus = fields.take("gpus")) read_gpus(*gpus, pointer + "/gpus", policy);
        if (const json* idle = fields.take("only_when_idle"))
            read_idle(*idle, pointer + "/only_when_idle", policy);
        if (const json* headroom = fields.take("headroom")) {
            if (job_class == JobClass::kInference) {
                read_headroom(*headroom, pointer + "/headroom", policy);
            } else {
                fields.fail("headroom", "bad_headroom", "Only the class `inference` has headroom.",
                            "Move it to classes.inference.headroom.");
            }
        }
        fields.finish();
    }

    void check_window(const std::string& name, const std::string& pointer) {
        if (policy_.find_window(name) != nullptr) return;
        std::vector<std::string> names;
        for (const Window& window : policy_.windows) names.push_back(window.name);
        errors_.push_back(fault("bad_window", "There is no window `" + name.substr(0, 100) + "`.",
                                did_you_mean(name, names), pointer));
    }

    void read_gpus(const json& list, const std::string& pointer, ClassPolicy& policy) {
        const auto is_index = [](const json& item) {
            return item.is_number_integer() && item >= 0 && item < 64;
        };
        if (!list.is_array() || !std::all_of(list.begin(), list.end(), is_index)) {
            errors_.push_back(
                fault("wrong_type", "`gpus` has to be a list of GPU indexes.", "Write [0].", pointer));
            return;
        }
        for (const json& item : list) policy.gpus.push_back(item.get<int>());
    }

    void read_idle(const json& list, const std::string& pointer, ClassPolicy& policy) {
        if (!list.is_array()) {
            errors_.push_back(fault("wrong_type", "`only_when_idle` has to be a list of classes.",
                                    "Write [\"training\"].", pointer));
            return;
        }
        for (std::size_t i = 0; i < list.size(); ++i) {
            const std::string word = list[i].is_string() ? list[i].get<std::string>() : list[i].dump();
            const auto parsed = parse_job_class(word);
            if (parsed)
                policy.only_when_idle.push_back(*parsed);
            else
                errors_.push_back(fault("unknown_class", "There is no class `" + word.substr(0, 100) + "`.",
                                        did_you_mean(word, class_names()),
                                        pointer + "/" + std::to_string(i)));
        }
    }

    void read_headroom(const json& list, const std::string& pointer, ClassPolicy& policy) {
        if (!list.is_array() || list.size() > kHeadroomMax) {
            errors_.push_back(fault(
                "wrong_type", "`headroom` has to be a list of at most 64 entries.",
                "Write [{\"window\": \"office\", \"vram\": \"6GiB\"}, {\"vram\": \"4GiB\"}].", pointer));
            return;
        }
        for (std::size_t i = 0; i < list.size(); ++i) {
            const std::string place = pointer + "/" + std::to_string(i);
            FieldReader fields(list[i], place, errors_);
            Headroom entry;
            entry.window = fields.text("window", 200).value_or("");
            if (!entry.window.empty()) check_window(entry.window, place + "/window");
            const auto vram = fields.bytes("vram");
            if (!vram) {
                const std::string at = place + "/vram";
                const bool is_said = std::any_of(errors_.begin(), errors_.end(),
                                                 [&](const Error& e) { return e.pointer == at; });
                if (!is_said) fields.fail("vram", "missing_field", "`vram` is missing.", "Write \"4GiB\".");
            }
            entry.vram = vram.value_or(Bytes{});
            fields.finish();
            policy.headroom.push_back(std::move(entry));
        }
    }

    void read_preemption(const json& object) {
        FieldReader fields(object, "/preemption", errors_);
        PreemptionPolicy& preemption = policy_.preemption;
        preemption.grace = fields.duration("grace").value_or(preemption.grace);
        preemption.min_run = fields.duration("min_run").value_or(preemption.min_run);
        preemption.max_per_day =
            static_cast<int>(fields.integer("max_per_day", 0, 1000).value_or(preemption.max_per_day));
        fields.finish();
    }

    void read_limits(const json& object) {
        FieldReader fields(object, "/limits", errors_);
        Limits& limits = policy_.limits;
        limits.running = static_cast<int>(fields.integer("running", 1, 256).value_or(limits.running));
        limits.waiting = fields.integer("waiting", 1, 100'000'000).value_or(limits.waiting);
        limits.time_limit = fields.duration("time_limit");
        const auto log = fields.bytes("log");
        if (log && *log < kLogMin) {
            fields.fail("log", "out_of_range", "`log` has to be at least 64KiB.", "Write \"256MiB\".");
        }
        limits.log = log.value_or(limits.log);
        limits.processes =
            static_cast<int>(fields.integer("processes", 8, 1'000'000).value_or(limits.processes));
        fields.finish();
    }

    void read_groups(const json& object) {
        if (!object.is_object() || object.size() > kGroupsMax) {
            errors_.push_back(fault("wrong_type", "`groups` has to be an object of at most 64 labels.",
                                    "Write {\"user\": {\"running\": 2}, \"project=big\": {\"running\": 1}}.",
                                    "/groups"));
            return;
        }
        for (const auto& [label, value] : object.items()) {
            FieldReader fields(value, "/groups/" + escape_pointer(label), errors_);
            GroupLimit limit;
            const auto equals = label.find('=');
            limit.name = label.substr(0, equals);
            if (equals != std::string::npos) limit.value = label.substr(equals + 1);
            const auto running = fields.integer("running", 1, 256);
            if (!running && value.is_object() && !value.contains("running")) {
                fields.fail("running", "missing_field", "`running` is missing.", "Write {\"running\": 2}.");
            }
            limit.running = static_cast<int>(running.value_or(1));
            fields.finish();
            policy_.groups.push_back(std::move(limit));
        }
    }

    void read_fairness(const json& object) {
        FieldReader fields(object, "/fairness", errors_);
        policy_.floor_percent =
            static_cast<int>(fields.integer("floor_percent", 0, 50).value_or(policy_.floor_percent));
        fields.finish();
    }

    void read_roots(const json& list) {
        const auto is_path = [](const json& item) {
            return item.is_string() && !item.get_ref<const std::string&>().empty() &&
                   (item.get_ref<const std::string&>()[0] == '/' ||
                    item.get_ref<const std::string&>().find(':') == 1);
        };
        if (!list.is_array() || list.size() > kRootsMax || !std::all_of(list.begin(), list.end(), is_path)) {
            errors_.push_back(fault("wrong_type", "`roots` has to be a list of full paths.",
                                    "Write [\"/data\"].", "/roots"));
            return;
        }
        for (const json& item : list) policy_.roots.push_back(item.get<std::string>());
    }

    void read_retention(const json& object) {
        FieldReader fields(object, "/retention", errors_);
        policy_.retain_jobs = fields.duration("jobs").value_or(policy_.retain_jobs);
        policy_.retain_logs = fields.duration("logs").value_or(policy_.retain_logs);
        policy_.retain_checkpoints = fields.duration("checkpoints").value_or(policy_.retain_checkpoints);
        fields.finish();
    }

    const TimeZones& zones_;
    std::vector<Error>& errors_;
    Policy policy_;
};

std::string clock_of(int minute) {
    char text[16];
    std::snprintf(text, sizeof text, "%02d:%02d", minute / 60, minute % 60);
    return text;
}

std::string rule_text(const WindowRule& rule) {
    static constexpr const char* kDays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    std::string days;
    for (int day = 0; day < 7; ++day) {
        if ((rule.days >> day & 1) == 0) continue;
        days += (days.empty() ? "" : ",") + std::string(kDays[day]);
    }
    if (rule.days == 0x7f) days = "daily";
    return days + " " + clock_of(rule.start_minute) + "-" + clock_of(rule.end_minute);
}

/// Exact: a size the document can be read back from.
std::string size_text(Bytes bytes) {
    constexpr std::int64_t kMib = 1024 * 1024;
    if (bytes.value % (1024 * kMib) == 0) return std::to_string(bytes.value / (1024 * kMib)) + "GiB";
    if (bytes.value % kMib == 0) return std::to_string(bytes.value / kMib) + "MiB";
    return std::to_string(bytes.value);
}

std::string time_text(Millis time) {
    if (time.value % 86'400'000 == 0 && time.value > 0) return std::to_string(time.value / 86'400'000) + "d";
    if (time.value % 3'600'000 == 0 && time.value > 0) return std::to_string(time.value / 3'600'000) + "h";
    if (time.value % 60'000 == 0 && time.value > 0) return std::to_string(time.value / 60'000) + "m";
    if (time.value % 1000 == 0) return std::to_string(time.value / 1000) + "s";
    return std::to_string(time.value) + "ms";
}

ordered_json class_object(const ClassPolicy& policy, bool is_inference) {
    ordered_json out = ordered_json::object();
    if (is_inference) {
        out["headroom"] = ordered_json::array();
        for (const Headroom& entry : policy.headroom) {
            ordered_json row;
            if (!entry.window.empty()) row["window"] = entry.window;
            row["vram"] = size_text(entry.vram);
            out["headroom"].push_back(std::move(row));
        }
    }
    out["window"] = policy.window.empty() ? ordered_json(nullptr) : ordered_json(policy.window);
    out["vram_max"] = policy.vram_max ? ordered_json(size_text(*policy.vram_max)) : ordered_json(nullptr);
    out["gpus"] = policy.gpus.empty() ? ordered_json(nullptr) : ordered_json(policy.gpus);
    out["only_when_idle"] = ordered_json::array();
    for (JobClass other : policy.only_when_idle) out["only_when_idle"].push_back(to_string(other));
    out["time_limit"] =
        policy.time_limit ? ordered_json(time_text(*policy.time_limit)) : ordered_json(nullptr);
    out["running"] = policy.running ? ordered_json(*policy.running) : ordered_json(nullptr);
    out["at_window_end"] = to_string(policy.at_window_end);
    out["window_slack"] = time_text(policy.window_slack);
    return out;
}

}  // namespace

Result<Policy> parse_policy(const json& document, const TimeZones& zones) {
    std::vector<Error> errors;
    Policy policy = PolicyReader(zones, errors).read(document);
    if (!errors.empty()) return errors.front();
    return policy;
}

Result<Policy> parse_policy_text(std::string_view text, const TimeZones& zones) {
    const auto document = parse_json(text);
    if (!document) return document.error();
    return parse_policy(*document, zones);
}

std::string policy_to_json(const Policy& policy) {
    ordered_json out;
    out["vram"] = {{"safety", size_text(policy.safety)}};
    out["windows"] = ordered_json::object();
    for (const Window& window : policy.windows) {
        ordered_json row = ordered_json::object();
        if (!window.timezone.empty()) row["timezone"] = window.timezone;
        row["open"] = ordered_json::array();
        for (const WindowRule& rule : window.rules) row["open"].push_back(rule_text(rule));
        out["windows"][window.name] = std::move(row);
    }
    out["classes"] = ordered_json::object();
    for (JobClass job_class : kJobClasses) {
        out["classes"][std::string(to_string(job_class))] =
            class_object(policy.of(job_class), job_class == JobClass::kInference);
    }
    out["preemption"] = {{"grace", time_text(policy.preemption.grace)},
                         {"min_run", time_text(policy.preemption.min_run)},
                         {"max_per_day", policy.preemption.max_per_day}};
    out["limits"] = {{"running", policy.limits.running}, {"waiting", policy.limits.waiting}};
    out["limits"]["time_limit"] =
        policy.limits.time_limit ? ordered_json(time_text(*policy.limits.time_limit)) : ordered_json(nullptr);
    out["limits"]["log"] = size_text(policy.limits.log);
    out["limits"]["processes"] = policy.limits.processes;
    out["groups"] = ordered_json::object();
    for (const GroupLimit& limit : policy.groups) {
        out["groups"][limit.value ? limit.name + "=" + *limit.value : limit.name] = {
            {"running", limit.running}};
    }
    out["fairness"] = {{"floor_percent", policy.floor_percent}};
    out["roots"] = policy.roots;
    out["retention"] = {{"jobs", time_text(policy.retain_jobs)},
                        {"logs", time_text(policy.retain_logs)},
                        {"checkpoints", time_text(policy.retain_checkpoints)}};
    return out.dump(2, ' ', false, json::error_handler_t::replace);
}

}  // namespace nightshift::api
