#include "scheduler/windows.h"

#include <algorithm>

namespace nightshift {
namespace {

const WindowStatus kAlwaysOpen{true, true, std::nullopt, std::nullopt, std::nullopt, ""};
const WindowStatus kUnknown{};

bool is_inside(const std::vector<OpenStretch>& stretches, UnixMs at) {
    return std::any_of(stretches.begin(), stretches.end(),
                       [at](const OpenStretch& s) { return s.from <= at && at < s.to; });
}

}  // namespace

WindowBook::WindowBook(const Policy& policy, const TimeZones& zones, UnixMs now) {
    std::map<std::string, std::vector<OpenStretch>> stretches;
    std::vector<UnixMs> edges{now};
    for (const Window& window : policy.windows) {
        auto& open = stretches[window.name] = open_stretches(window, zones, now);
        WindowStatus status{true,         is_inside(open, now), std::nullopt,
                            std::nullopt, std::nullopt,         window.timezone};
        for (const OpenStretch& s : open) {
            if (s.to <= now && !status.is_open) status.closed_at = s.to;
            if (s.from > now && !status.opens_at) status.opens_at = s.from;
            if (s.from <= now && now < s.to && s.to - now <= kAlwaysOpenAfter) status.closes_at = s.to;
            for (const UnixMs edge : {s.from, s.to}) {
                if (edge > now && edge - now <= kAlwaysOpenAfter) edges.push_back(edge);
            }
        }
        statuses_[window.name] = status;
    }
    std::sort(edges.begin(), edges.end());
    edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
    if (edges.size() > 1) next_edge_ = edges[1];
    for (const UnixMs at : edges) {
        HeadroomStep step{at, Bytes{}, ""};
        for (const Headroom& entry : policy.of(JobClass::kInference).headroom) {
            const auto window = stretches.find(entry.window);
            const bool is_in_force =
                entry.window.empty() || (window != stretches.end() && is_inside(window->second, at));
            if (!is_in_force) continue;
            step.vram = entry.vram;
            step.window = entry.window;
            break;
        }
        if (steps_.empty() || steps_.back().vram != step.vram) steps_.push_back(step);
    }
}

const WindowStatus& WindowBook::status(const std::string& name) const {
    if (name.empty()) return kAlwaysOpen;
    const auto found = statuses_.find(name);
    return found == statuses_.end() ? kUnknown : found->second;
}

HeadroomStep WindowBook::headroom(std::optional<UnixMs> until) const {
    HeadroomStep most = steps_.front();
    for (const HeadroomStep& step : steps_) {
        if (until && step.from <= *until && step.vram > most.vram) most = step;
    }
    return most;
}

const std::string& window_of(const JobSpec& spec, const Policy& policy) {
    return spec.window.empty() ? policy.of(spec.job_class).window : spec.window;
}

}  // namespace nightshift
