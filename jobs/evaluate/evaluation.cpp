#include "jobs/evaluate/evaluation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "jobs/models/percentile.h"

namespace nightshift::jobs {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kNormalQuantile = 99.5;
/// Resamples of an interval, fewer where the data are many: their intervals are narrow anyway.
constexpr std::int64_t kResamplesMax = 1000;
constexpr std::int64_t kResamplesMin = 100;
constexpr std::int64_t kResampledRowsMax = 20'000'000;
/// Wrong decisions that are named.
constexpr std::size_t kNamedMax = 8;

struct Part {
    std::vector<int> labels;
    std::vector<double> scores;

    kernels::ScoreSteps steps() const { return kernels::score_steps(labels, scores); }
};

bool is_judged(const Units& units, std::size_t u, bool has_test) {
    return units.label[u] >= 0 && !units.is_outside[u] && (!has_test || units.split[u] == Split::kTest);
}

bool has_test_split(const Units& units) {
    return std::find(units.split.begin(), units.split.end(), Split::kTest) != units.split.end();
}

Part part_of(const Units& units, const std::vector<double>& scores, const std::vector<std::size_t>& which) {
    Part part;
    for (const std::size_t u : which) {
        part.labels.push_back(units.label[u]);
        part.scores.push_back(scores[u]);
    }
    return part;
}

int resamples_for(std::size_t rows) {
    const auto count = static_cast<std::int64_t>(std::max<std::size_t>(rows, 1));
    return static_cast<int>(std::clamp(kResampledRowsMax / count, kResamplesMin, kResamplesMax));
}

/// `out` has its curves already.
void set_threshold(ModelResult& out, const Units& units, const Candidate& candidate) {
    std::vector<std::size_t> validation;
    for (std::size_t u = 0; u < units.size(); ++u) {
        if (units.split[u] == Split::kVal && units.label[u] >= 0 && !units.is_outside[u])
            validation.push_back(u);
    }
    const Part part = part_of(units, candidate.scores, validation);
    const auto damaged = std::count(part.labels.begin(), part.labels.end(), 1);
    if (damaged > 0 && damaged < static_cast<std::ptrdiff_t>(part.labels.size())) {
        out.threshold = best_f1(pr_curve(part.steps())).threshold;
        out.threshold_rule_en = "largest F1 on the validation split";
        out.threshold_rule_ko = "검증 분할에서 F1 최대";
    } else if (damaged == 0 && !part.labels.empty()) {
        out.threshold = percentile(part.scores, kNormalQuantile);
        out.threshold_rule_en =
            "99.5 % quantile of the validation normals (no damaged one in the validation split)";
        out.threshold_rule_ko = "검증 정상의 99.5 % 분위수 (검증 분할에 손상 없음)";
    } else if (candidate.own_threshold) {
        out.threshold = *candidate.own_threshold;
        out.threshold_rule_en = "the model's own (no validation split here)";
        out.threshold_rule_ko = "모델의 임계값 (여기에 검증 분할 없음)";
    } else {
        out.threshold = best_f1(out.pr).threshold;
        out.threshold_rule_en = "largest F1 on the judged rows themselves: optimistic (no validation split)";
        out.threshold_rule_ko = "평가 행 자체에서 F1 최대: 낙관적 (검증 분할 없음)";
    }
}

double recall_at(const std::vector<PrPoint>& curve, double precision) {
    double recall = 0;
    for (const PrPoint& point : curve) {
        if (point.precision >= precision) recall = std::max(recall, point.recall);
    }
    return recall;
}

GroupResult judge_group(const std::string& name, const Units& units, const ModelResult& model,
                        const std::vector<std::size_t>& members, const Part& normals, std::uint64_t seed) {
    GroupResult out;
    out.group = name;
    out.count = static_cast<std::int64_t>(members.size());
    out.is_outside = units.is_outside[members.front()] != 0;
    Part part = normals;
    for (const std::size_t u : members) {
        out.called += model.scores[u] >= model.threshold ? 1 : 0;
        out.is_damaged = out.is_damaged || units.label[u] == 1;
        part.labels.push_back(units.label[u]);
        part.scores.push_back(model.scores[u]);
    }
    if (!out.is_damaged) {
        out.roc_auc = out.average_precision = kNan;
        out.interval = {kNan, kNan};
        return out;
    }
    const kernels::ScoreSteps steps = part.steps();
    out.roc_auc = kernels::roc_auc(steps);
    out.average_precision = kernels::average_precision(steps);
    out.interval = roc_auc_interval(steps, resamples_for(part.labels.size()), seed);
    return out;
}

void judge_groups(ModelResult& out, const Units& units, const std::vector<std::size_t>& judged,
                  std::uint64_t seed) {
    std::vector<std::string> names;
    for (const std::string& group : units.group) {
        if (!group.empty() && std::find(names.begin(), names.end(), group) == names.end())
            names.push_back(group);
    }
    const bool has_test = has_test_split(units);
    for (const std::string& name : names) {
        std::vector<std::size_t> members;
        Part normals;  // of the other groups: the group's own are added with its members
        for (const std::size_t u : judged) {
            if (units.group[u] == name) {
                members.push_back(u);
            } else if (units.label[u] == 0) {
                normals.labels.push_back(0);
                normals.scores.push_back(out.scores[u]);
            }
        }
        for (std::size_t u = 0; u < units.size(); ++u) {
            const bool is_member = units.is_outside[u] && units.group[u] == name && units.label[u] >= 0;
            if (is_member && (!has_test || units.split[u] == Split::kTest)) members.push_back(u);
        }
        if (!members.empty()) out.groups.push_back(judge_group(name, units, out, members, normals, seed));
    }
    std::stable_sort(out.groups.begin(), out.groups.end(), [](const GroupResult& a, const GroupResult& b) {
        return std::pair(!a.is_damaged, a.is_outside) < std::pair(!b.is_damaged, b.is_outside);
    });
}

void name_mistakes(ModelResult& out, const Units& units, const std::vector<std::size_t>& judged) {
    for (const std::size_t u : judged) {
        const bool is_called = out.scores[u] >= out.threshold;
        if (is_called && units.label[u] == 0) out.false_alarms.push_back(u);
        if (!is_called && units.label[u] == 1) out.misses.push_back(u);
    }
    const auto by_score = [&](std::size_t a, std::size_t b) { return out.scores[a] > out.scores[b]; };
    std::stable_sort(out.false_alarms.begin(), out.false_alarms.end(), by_score);
    std::stable_sort(out.misses.begin(), out.misses.end(),
                     [&](std::size_t a, std::size_t b) { return by_score(b, a); });
    if (out.false_alarms.size() > kNamedMax) out.false_alarms.resize(kNamedMax);
    if (out.misses.size() > kNamedMax) out.misses.resize(kNamedMax);
}

/// The member with the largest ROC AUC; of equal ones the first.
const MemberScores& best_of(const std::vector<MemberScores>& members, const Units& units,
                            const std::vector<std::size_t>& judged) {
    const MemberScores* best = nullptr;
    double largest = 0;
    for (const MemberScores& member : members) {
        const Part own = part_of(units, member.scores, judged);
        const double area = roc_auc(own.labels, own.scores);
        if (best != nullptr && !(area > largest)) continue;
        best = &member;
        largest = area;
    }
    return *best;
}

}  // namespace

std::vector<std::size_t> judged_units(const Units& units) {
    const bool has_test = has_test_split(units);
    std::vector<std::size_t> out;
    for (std::size_t u = 0; u < units.size(); ++u) {
        if (is_judged(units, u, has_test)) out.push_back(u);
    }
    return out;
}

Comparison compared(const Units& units, const std::vector<double>& scores, const MemberScores& other,
                    std::uint64_t seed) {
    const std::vector<std::size_t> judged = judged_units(units);
    const Part own = part_of(units, scores, judged), others = part_of(units, other.scores, judged);
    Comparison out;
    out.name = other.name;
    out.roc_auc = roc_auc(others.labels, others.scores);
    out.difference = roc_auc(own.labels, own.scores) - out.roc_auc;
    out.interval = roc_auc_difference_interval(own.labels, own.scores, others.scores,
                                               resamples_for(own.labels.size()), seed);
    return out;
}

ModelResult judge(const Units& units, const Candidate& candidate, std::uint64_t seed) {
    const std::vector<std::size_t> judged = judged_units(units);
    const Part part = part_of(units, candidate.scores, judged);
    ModelResult out;
    out.name = candidate.name;
    out.note = candidate.note;
    out.is_baseline = candidate.is_baseline;
    out.scores = candidate.scores;
    out.follows = candidate.follows;
    out.damaged = std::count(part.labels.begin(), part.labels.end(), 1);
    out.normal = static_cast<std::int64_t>(part.labels.size()) - out.damaged;
    const kernels::ScoreSteps steps = part.steps();
    out.roc_auc = kernels::roc_auc(steps);
    out.average_precision = kernels::average_precision(steps);
    out.pr_auc_trapezoid = kernels::pr_auc_trapezoid(steps);
    out.interval = roc_auc_interval(steps, resamples_for(part.labels.size()), seed);
    out.roc = roc_curve(steps);
    out.pr = pr_curve(steps);
    out.recall_at_precision_95 = recall_at(out.pr, 0.95);
    out.recall_at_precision_997 = recall_at(out.pr, 0.997);
    set_threshold(out, units, candidate);
    out.confusion = confusion_at(part.labels, part.scores, out.threshold);
    if (!candidate.members.empty())
        out.best_member = compared(units, out.scores, best_of(candidate.members, units, judged), seed);
    judge_groups(out, units, judged, seed);
    name_mistakes(out, units, judged);
    return out;
}

}  // namespace nightshift::jobs
