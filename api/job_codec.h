#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "api/context.h"
#include "scheduler/planner.h"

namespace nightshift::api {

/// The most important closed gate of a waiting job.
struct WaitReason {
    std::string code, text;
};

/// The reason of a live job whose process survives SIGKILL.
inline constexpr const char* kStuckCode = "unkillable";

/// Wait reasons as the newest planning pass found them, for all jobs of an answer; where there was none yet,
/// one is made when the first waiting job asks.
class WaitReasons {
  public:
    explicit WaitReasons(Context& context) : context_(context) {}
    /// Nothing for jobs that do not wait, or that are about to start. A live job waits only for a process
    /// that cannot be killed.
    std::optional<WaitReason> of(const Job& job);

  private:
    bool load();
    Context& context_;
    bool is_tried_ = false;
    std::shared_ptr<const PlannedQueue> queue_;
};

/// The job object of contract.md.
nlohmann::ordered_json job_object(Context& context, const Job& job, WaitReasons& reasons);
nlohmann::ordered_json progress_object(const Progress& progress);
/// One of a job's events, as lists of them show it.
nlohmann::ordered_json stored_event_object(const db::StoredEvent& event);

/// GET …/why. Spans are the job's wait_spans.
nlohmann::ordered_json why_object(const Explanation& explanation, const Job& job, std::int64_t plan_seq,
                                  const std::vector<db::WaitSpan>& spans, UnixMs now);
/// "why" of this moment with counterfactuals; for a job that does not wait there are no gates.
Result<nlohmann::ordered_json> why_of(Context& context, const Job& job);

}  // namespace nightshift::api
