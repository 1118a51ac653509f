#include "scheduler/learned.h"

#include <algorithm>

#include "scheduler/defect.h"

namespace nightshift {
namespace {

constexpr Bytes kMargin = mebibytes(128);
constexpr Bytes kStep = mebibytes(64);

const KindStats* find_stats(const std::vector<KindStats>& stats, const std::string& kind,
                            const std::string& group) {
    const auto found = std::find_if(stats.begin(), stats.end(), [&](const KindStats& s) {
        return s.kind == kind && s.group == group && s.runs >= kLearnedRunsMin;
    });
    return found == stats.end() ? nullptr : &*found;
}

}  // namespace

const KindStats* stats_of(const JobSpec& spec, const std::vector<KindStats>& stats) {
    if (!spec.group.empty()) {
        if (const KindStats* own = find_stats(stats, spec.kind, spec.group)) return own;
    }
    return spec.kind == "command" ? nullptr : find_stats(stats, spec.kind, "");
}

std::optional<Bytes> suggested_budget(const KindStats& stats) {
    if (stats.runs < kLearnedRunsMin || stats.peak_vram_max.value <= 0) return std::nullopt;
    const Bytes wanted = stats.peak_vram_max + Bytes{stats.peak_vram_max.value / 10} + kMargin;
    const Bytes rounded{(wanted.value + kStep.value - 1) / kStep.value * kStep.value};
    if (NIGHTSHIFT_RULE(13, stats.peak_vram_max > stats.budget_max, true)) return rounded;
    return std::min(rounded, stats.budget_max);
}

std::optional<Bytes> suggested_budget(const JobSpec& spec, const std::vector<KindStats>& stats) {
    if (spec.group.empty()) return std::nullopt;
    const KindStats* own = find_stats(stats, spec.kind, spec.group);
    return own == nullptr ? std::nullopt : suggested_budget(*own);
}

std::optional<Bytes> raised_budget(Bytes budget, Bytes peak, Bytes most) {
    constexpr std::int64_t kMib = mebibytes(1).value;
    const std::int64_t wanted = std::max(budget.value / 4 * 5, (peak.value + 9) / 10 * 11);
    const Bytes raised = std::min(Bytes{(wanted + kMib - 1) / kMib * kMib}, most);
    if (raised <= budget) return std::nullopt;
    return raised;
}

}  // namespace nightshift
