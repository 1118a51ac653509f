#include "jobs/evaluate/findings.h"

#include <cmath>
#include <cstdio>

namespace nightshift::jobs {
namespace {

/// A difference of areas below this is noise at the usual sizes.
constexpr double kNoticeable = 0.01;
/// Fewer of a class than this: the intervals decide, not the numbers.
constexpr std::int64_t kFew = 20;

std::string fixed(double value, int digits = 3) {
    char text[32];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

std::string percent(double share) {
    return fixed(100 * share, 1) + " %";
}

using Grade = Finding::Grade;

void leak_findings(const Evaluation& evaluation, std::vector<Finding>& out) {
    if (!evaluation.leak) return;
    const LeakReport& leak = *evaluation.leak;
    if (leak.is_feature_leak) {
        std::size_t count = 0;
        for (const FeatureAuc& each : leak.features) count += each.roc_auc > kSingleFeatureAucMax ? 1 : 0;
        const FeatureAuc& best = leak.features.front();
        out.push_back({Grade::kWarning,
                       std::to_string(count) + " of " + std::to_string(leak.features.size()) +
                           " features separate alone; " + best.feature + " has ROC AUC " +
                           fixed(best.roc_auc) +
                           ". A good result on these data proves nothing: use a harder data set, or leave "
                           "the column out",
                       "특징 " + std::to_string(leak.features.size()) + "개 중 " + std::to_string(count) +
                           "개가 단독으로 구분: " + best.feature + " ROC AUC " + fixed(best.roc_auc) +
                           ". 이 데이터의 좋은 결과는 증거가 아님. 더 어려운 데이터를 쓰거나 그 열을 제외"});
    }
    if (leak.is_shuffle_leak) {
        out.push_back({Grade::kWarning,
                       "shuffled labels can be predicted (mean ROC AUC " + fixed(leak.shuffled_roc_auc) +
                           "): rows of the same " + evaluation.units.noun_en + " are probably in both splits",
                       "섞은 라벨이 예측됨 (평균 ROC AUC " + fixed(leak.shuffled_roc_auc) + "): 같은 " +
                           evaluation.units.noun_ko + "의 행이 양쪽 분할에 있을 가능성"});
    }
    if (leak.repeated_rows > 0) {
        out.push_back({Grade::kWarning,
                       std::to_string(leak.repeated_rows) +
                           " judged rows are also among the training rows, value for value",
                       "평가 행 " + std::to_string(leak.repeated_rows) + "개가 학습 행과 값까지 같음"});
    }
    if (leak.is_clean() && !leak.features.empty()) {
        out.push_back({Grade::kGood,
                       "no leak found: the best single feature (" + leak.features.front().feature +
                           ") reaches " + fixed(leak.features.front().roc_auc),
                       "누출 없음: 가장 좋은 단일 특징(" + leak.features.front().feature + ") " +
                           fixed(leak.features.front().roc_auc)});
    }
}

void size_findings(const Evaluation& evaluation, std::vector<Finding>& out) {
    if (evaluation.models.empty()) return;
    const ModelResult& first = evaluation.models.front();
    if (first.damaged >= kFew && first.normal >= kFew) return;
    out.push_back({Grade::kNote,
                   "only " + std::to_string(first.damaged) + " damaged and " + std::to_string(first.normal) +
                       " normal " + evaluation.units.noun_en + "s are judged: read the intervals",
                   "평가 대상: 손상 " + std::to_string(first.damaged) + ", 정상 " +
                       std::to_string(first.normal) + ". 구간을 함께 볼 것"});
}

void baseline_findings(const Evaluation& evaluation, std::vector<Finding>& out) {
    for (const ModelResult& model : evaluation.models) {
        if (model.is_baseline) continue;
        for (const ModelResult& baseline : evaluation.models) {
            if (!baseline.is_baseline) continue;
            if (model.against_line && model.against_line->name == baseline.name) continue;
            const double difference = model.roc_auc - baseline.roc_auc;
            if (!std::isfinite(difference) || difference > kNoticeable) continue;
            const bool is_lower = difference < -kNoticeable;
            out.push_back({is_lower ? Grade::kWarning : Grade::kNote,
                           model.name + " (" + fixed(model.roc_auc) + ") " +
                               (is_lower ? "is below " : "is no better than ") + baseline.name + " (" +
                               fixed(baseline.roc_auc) + ": " + baseline.note + ")",
                           model.name + " " + fixed(model.roc_auc) + (is_lower ? " < " : " ≈ ") +
                               baseline.name + " " + fixed(baseline.roc_auc) + " (" + baseline.note + ")"});
        }
    }
}

/// `other` is what it is set beside, in words.
Finding comparison_finding(const ModelResult& model, const Comparison& beside, const std::string& other_en,
                           const std::string& other_ko) {
    const std::string low = fixed(beside.interval.low), high = fixed(beside.interval.high);
    const char* verb = beside.is_better() ? "beats " : beside.is_worse() ? "is worse than " : "is equal to ";
    const char* sign = beside.is_better() ? " > " : beside.is_worse() ? " < " : " = ";
    const std::string difference = fixed(beside.difference);
    return {beside.is_better()  ? Grade::kGood
            : beside.is_worse() ? Grade::kWarning
                                : Grade::kNote,
            model.name + " (" + fixed(model.roc_auc) + ") " + verb + other_en + " (" + fixed(beside.roc_auc) +
                "): the difference is " + difference + ", 95 % of paired resamples lie within " + low +
                " to " + high,
            model.name + " " + fixed(model.roc_auc) + sign + other_ko + " " + fixed(beside.roc_auc) +
                ": 차이 " + difference + ", 쌍체 재표본 95 % 구간 " + low + " ~ " + high};
}

void comparison_findings(const Evaluation& evaluation, std::vector<Finding>& out) {
    for (const ModelResult& model : evaluation.models) {
        if (model.best_member) {
            const std::string& name = model.best_member->name;
            out.push_back(comparison_finding(model, *model.best_member, "its best member " + name,
                                             "가장 좋은 구성 모델 " + name));
        }
        if (model.against_line) {
            out.push_back(
                comparison_finding(model, *model.against_line, model.against_line->name, "로지스틱 회귀"));
        }
    }
}

void group_findings(const Evaluation& evaluation, std::vector<Finding>& out) {
    for (const ModelResult& model : evaluation.models) {
        if (model.is_baseline) continue;
        const GroupResult* weakest = nullptr;
        std::size_t damaged_groups = 0;
        for (const GroupResult& group : model.groups) {
            if (!group.is_damaged) {
                const double rate = static_cast<double>(group.called) / static_cast<double>(group.count);
                if (rate <= 2 * model.confusion.false_positive_rate() || group.called < 2 || group.is_outside)
                    continue;
                out.push_back({Grade::kNote,
                               model.name + " calls " + percent(rate) + " of " + group.group + " damaged, " +
                                   percent(model.confusion.false_positive_rate()) + " of all normals",
                               model.name + ": " + group.group + " 오경보 " + percent(rate) + ", 정상 전체 " +
                                   percent(model.confusion.false_positive_rate())});
                continue;
            }
            ++damaged_groups;
            if (weakest == nullptr || group.roc_auc < weakest->roc_auc) weakest = &group;
        }
        if (weakest == nullptr || damaged_groups < 2) continue;
        out.push_back({Grade::kNote,
                       model.name + " is weakest on " + weakest->group + ": ROC AUC " +
                           fixed(weakest->roc_auc) + ", finds " + std::to_string(weakest->called) + " of " +
                           std::to_string(weakest->count),
                       model.name + "의 가장 약한 시나리오: " + weakest->group + ", ROC AUC " +
                           fixed(weakest->roc_auc) + ", 검출 " + std::to_string(weakest->called) + " / " +
                           std::to_string(weakest->count)});
    }
}

void threshold_findings(const Evaluation& evaluation, std::vector<Finding>& out) {
    if (evaluation.has_split || evaluation.models.empty()) return;
    out.push_back({Grade::kNote,
                   "there is no validation split: " + evaluation.models.front().name + "'s threshold is " +
                       evaluation.models.front().threshold_rule_en,
                   "검증 분할 없음: " + evaluation.models.front().name + " 임계값은 " +
                       evaluation.models.front().threshold_rule_ko});
}

}  // namespace

std::vector<Finding> findings_of(const Evaluation& evaluation) {
    std::vector<Finding> out;
    leak_findings(evaluation, out);
    baseline_findings(evaluation, out);
    comparison_findings(evaluation, out);
    group_findings(evaluation, out);
    threshold_findings(evaluation, out);
    size_findings(evaluation, out);
    return out;
}

}  // namespace nightshift::jobs
