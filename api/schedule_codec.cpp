#include "api/schedule_codec.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "api/field_reader.h"
#include "api/nearest.h"
#include "api/rfc3339.h"
#include "api/strict_json.h"

namespace nightshift::api {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t kScheduleNameBytesMax = 100;

/// A name goes into addresses: letters, digits, ".", "_" and "-".
bool is_schedule_name(const std::string& name) {
    const auto is_fine = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
               c == '_' || c == '-' || static_cast<unsigned char>(c) >= 0x80;
    };
    return !name.empty() && name != "." && name != ".." && std::all_of(name.begin(), name.end(), is_fine);
}

/// `job` or `jobs` as the array the store keeps; every element checked as a submit.
std::string read_jobs(FieldReader& fields, const SubmitDefaults& defaults, std::vector<Error>& errors) {
    const json* one = fields.take("job");
    const json* many = fields.take("jobs");
    if ((one == nullptr) == (many == nullptr)) {
        fields.fail("job", "missing_field",
                    "A schedule has either `job` (one submit) or `jobs` (a list of them).",
                    "Write \"job\": {\"kind\": ...}.");
        return {};
    }
    const std::string text = dump_json(one != nullptr ? json::array({*one}) : *many);
    const auto chain = parse_chain(text);
    if (!chain) {
        errors.push_back(chain.error());
        return {};
    }
    SubmitDefaults later = defaults;
    later.check_paths = false;
    later.job_exists = nullptr;
    // Ids stand in for the jobs that do not exist yet.
    std::vector<JobId> ids;
    for (std::size_t i = 0; i < chain->texts.size(); ++i)
        ids.push_back(JobId{static_cast<std::int64_t>(i) + 1});
    for (std::size_t i = 0; i < chain->texts.size(); ++i) {
        std::vector<Error> found;
        static_cast<void>(parse_submit_text(chain->texts[i], later, ids, &found));
        const std::string prefix = one != nullptr ? "/job" : "/jobs/" + std::to_string(i);
        for (Error& error : found) {
            error.pointer = prefix + error.pointer;
            errors.push_back(std::move(error));
        }
    }
    return text;
}

template <typename Choice, typename Parse>
void read_choice(FieldReader& fields, const char* name, const std::vector<std::string>& words, Parse parse,
                 Choice& out) {
    const auto text = fields.text(name, 100);
    if (!text) return;
    if (const auto parsed = parse(*text))
        out = *parsed;
    else
        fields.fail(name, "bad_choice", "`" + *text + "` is no choice of `" + name + "`.",
                    did_you_mean(*text, words));
}

void read_when(FieldReader& fields, const SubmitDefaults& defaults, Schedule& schedule) {
    const auto cron = fields.text("cron", 500);
    const auto zone = fields.text("timezone", 100);
    schedule.timezone = zone.value_or("");
    const bool knows_zone = defaults.zones->knows(schedule.timezone);
    if (zone && !knows_zone) {
        fields.fail("timezone", "unknown_timezone", "There is no time zone `" + *zone + "`.",
                    "Use an IANA name such as \"Asia/Seoul\" or \"Europe/Berlin\".");
    }
    if (!cron) {
        fields.fail("cron", "missing_field", "`cron` is missing.",
                    "Write \"0 22 * * mon-fri\" or \"@daily\".");
        return;
    }
    schedule.cron_text = *cron;
    const auto parsed = parse_cron(*cron);
    if (!parsed) {
        fields.fail("cron", parsed.error().reason.empty() ? "bad_cron" : parsed.error().reason,
                    parsed.error().message, parsed.error().hint);
        return;
    }
    schedule.cron = *parsed;
    if (!knows_zone) return;
    const auto fire = next_fire(schedule.cron, schedule.timezone, *defaults.zones, defaults.now);
    if (fire)
        schedule.next_fire_at = fire->at;
    else
        fields.fail("cron", "never_fires", "No date of the next 8 years matches `" + *cron + "`.",
                    "Check day and month.");
}

}  // namespace

Result<Schedule> parse_schedule(const json& document, const SubmitDefaults& defaults) {
    std::vector<Error> errors;
    FieldReader fields(document, "", errors);
    Schedule schedule;
    schedule.created_at = defaults.now;
    const auto name = fields.text("name", kScheduleNameBytesMax);
    schedule.name = name.value_or("");
    if (!name || !is_schedule_name(*name)) {
        fields.fail("name", name ? "bad_name" : "missing_field",
                    "A schedule needs a `name` that can stand in an address.",
                    "Use letters, digits, \".\", \"_\" and \"-\", e.g. \"train-nightly\".");
    }
    read_when(fields, defaults, schedule);
    read_choice(fields, "missed", {"once", "skip", "all"}, parse_missed_policy, schedule.missed);
    read_choice(fields, "overlap", {"skip", "queue", "replace"}, parse_overlap_policy, schedule.overlap);
    schedule.enabled = fields.boolean("enabled").value_or(true);
    schedule.jobs_json = read_jobs(fields, defaults, errors);
    fields.finish();
    if (!errors.empty()) return errors.front();
    return schedule;
}

Result<Schedule> parse_schedule_text(std::string_view text, const SubmitDefaults& defaults) {
    const auto document = parse_json(text);
    if (!document) return document.error();
    return parse_schedule(*document, defaults);
}

json schedule_object(const Schedule& schedule) {
    const auto time_or_null = [](const std::optional<UnixMs>& at) {
        return at ? json(format_time(*at)) : json(nullptr);
    };
    json out;
    out["name"] = schedule.name;
    out["cron"] = schedule.cron_text;
    out["timezone"] = schedule.timezone;
    out["missed"] = to_string(schedule.missed);
    out["overlap"] = to_string(schedule.overlap);
    out["enabled"] = schedule.enabled;
    const json jobs = json::parse(schedule.jobs_json, nullptr, false);
    if (jobs.is_array() && jobs.size() == 1)
        out["job"] = jobs[0];
    else
        out["jobs"] = jobs.is_array() ? jobs : json::array();
    out["next_fire_at"] = time_or_null(schedule.enabled ? schedule.next_fire_at : std::nullopt);
    out["last_fire_at"] = time_or_null(schedule.last_fire_at);
    out["next"] = out["next_fire_at"];
    out["created_at"] = format_time(schedule.created_at);
    out["version"] = schedule.version;
    return out;
}

}  // namespace nightshift::api
