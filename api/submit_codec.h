#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "api/commands.h"
#include "scheduler/job.h"
#include "scheduler/result.h"

namespace nightshift::api {

/// What a submit is completed and checked with. Pointers outlive the call.
struct SubmitDefaults {
    const std::vector<KindInfo>* kinds = nullptr;
    const Policy* policy = nullptr;
    const TimeZones* zones = nullptr;
    std::vector<DeviceState> devices;  ///< none = budgets are not checked against cards
    UnixMs now;
    /// Is there such a job? Empty = not asked here (the store asks again in its transaction).
    std::function<bool(JobId)> job_exists;
    /// Earlier runs, for the budget of a submit that names none; null = none known.
    std::shared_ptr<const std::vector<KindStats>> stats;
    /// Do paths of datasets, tables and models have to exist now?
    bool check_paths = true;
};

/// Turns the fields of contract.md "Submit" into a complete spec: unknown fields, kinds, classes and
/// parameters are refused with the nearest known name, `job:ID` in params adds `after: success`,
/// `job:#n` becomes chain[n]. `vram` above every allowed card is "vram_impossible".
/// Every failure is invalid_argument with reason, hint and JSON pointer; `all` gets every one found.
Result<JobSpec> parse_submit(const nlohmann::json& submit, const SubmitDefaults& defaults,
                             std::span<const JobId> chain = {}, std::vector<Error>* all = nullptr);
/// The same from text, which must be strict JSON (no duplicate keys, at most 32 deep, 1 MiB).
Result<JobSpec> parse_submit_text(std::string_view submit, const SubmitDefaults& defaults,
                                  std::span<const JobId> chain = {}, std::vector<Error>* all = nullptr);

/// The submit object that gives this spec again; base of PATCH and of a person's retry.
nlohmann::json submit_of(const JobSpec& spec);

/// A chain as schedules keep it: `texts[order[0]]` is submitted first, so that every `job:#n` (n = place
/// in `texts`) is known when it is needed; pass the ids made so far by place, 0 where not yet made.
struct Chain {
    std::vector<std::string> texts;
    std::vector<std::size_t> order;
};
/// Fails: invalid_argument "unknown_dependency" or "circular_dependency", "bad_json".
Result<Chain> parse_chain(std::string_view jobs_json);

}  // namespace nightshift::api
