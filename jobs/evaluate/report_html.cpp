#include "jobs/evaluate/report_html.h"

#include <algorithm>
#include <cmath>

#include "jobs/evaluate/limits.h"
#include "jobs/evaluate/report_parts.h"
#include "jobs/evaluate/score_chart.h"
#include "jobs/evaluate/svg_chart.h"

namespace nightshift::jobs {
namespace {

constexpr std::size_t kFeaturesShown = 8;

std::string interval(const Interval& between) {
    if (!std::isfinite(between.low)) return "";
    return " <span class=\"en\">" + shown(between.low) + "–" + shown(between.high) + "</span>";
}

std::string title_of(const Evaluation& evaluation) {
    if (evaluation.goal == "1")
        return "목표 1: 굽힘 중 균열 <span lang=\"en\">goal 1: cracks while bending</span>";
    if (evaluation.goal == "2")
        return "목표 2: 이전 손상 <span lang=\"en\">goal 2: damage from before</span>";
    if (evaluation.goal == "all") return "모든 손상 <span lang=\"en\">every kind of damage</span>";
    return "표 평가 <span lang=\"en\">table</span>";
}

std::string facts(const Evaluation& evaluation) {
    if (evaluation.models.empty()) return "";
    const auto best = std::max_element(
        evaluation.models.begin(), evaluation.models.end(), [](const auto& a, const auto& b) {
            return std::pair(!a.is_baseline, a.roc_auc) < std::pair(!b.is_baseline, b.roc_auc);
        });
    return "<div class=\"facts\">" + fact("ROC AUC · " + escaped(best->name), shown(best->roc_auc)) +
           fact("재현율 recall", shown(100 * best->confusion.recall(), 1) + " %") +
           fact("정밀도 precision", shown(100 * best->confusion.precision(), 1) + " %") +
           fact("오경보율 false alarms", shown(100 * best->confusion.false_positive_rate(), 1) + " %") +
           fact("평가 " + evaluation.units.noun_ko + " judged", std::to_string(evaluation.judged)) +
           fact("손상 damaged", std::to_string(best->damaged)) + "</div>";
}

std::string finding_list(const std::vector<Finding>& findings) {
    std::string out;
    for (const Finding& each : findings) {
        const bool is_warning = each.grade == Finding::Grade::kWarning,
                   is_good = each.grade == Finding::Grade::kGood;
        out += std::string("<div class=\"finding ") +
               (is_warning ? "warning"
                : is_good  ? "good"
                           : "note") +
               "\"><b>" +
               (is_warning ? "✕ 확인"
                : is_good  ? "✓ 좋음"
                           : "• 참고") +
               "</b>" + escaped(each.ko) + "<br><span class=\"en\" lang=\"en\">" + escaped(each.en) +
               "</span></div>";
    }
    return out;
}

std::string model_table(const Evaluation& evaluation) {
    std::string out = head({"모델 model", "ROC AUC (95 %)", "AP", "임계값 threshold", "정밀도 precision",
                            "재현율 recall", "F1", "오경보율 FPR", "재현율 recall @ P ≥ .95"});
    for (const ModelResult& model : evaluation.models) {
        out +=
            std::string(model.is_baseline ? "<tr class=\"base\">" : "<tr>") +
            cell((model.is_baseline ? "" : "<b>") + escaped(model.name) + (model.is_baseline ? "" : "</b>") +
                     "<br><span class=\"en\">" + escaped(model.note) + "</span>",
                 false) +
            cell(shown(model.roc_auc) + interval(model.interval)) + cell(shown(model.average_precision)) +
            cell(shown(model.threshold, 4)) + cell(shown(model.confusion.precision())) +
            cell(shown(model.confusion.recall())) + cell(shown(model.confusion.f1())) +
            cell(shown(model.confusion.false_positive_rate())) + cell(shown(model.recall_at_precision_95)) +
            "</tr>";
    }
    out += "</tbody></table></div>";
    if (!evaluation.models.empty()) {
        const ModelResult& first = evaluation.models.front();
        out += "<p class=\"en\">임계값: " + escaped(first.threshold_rule_ko) +
               " · <span lang=\"en\">threshold: " + escaped(first.threshold_rule_en) + "</span></p>";
    }
    return out;
}

std::string group_tables(const Evaluation& evaluation) {
    std::string out;
    for (const ModelResult& model : evaluation.models) {
        if (model.groups.empty() || model.name == "untrained composite") continue;
        out += "<h3>" + escaped(model.name) + "</h3>" +
               head({"시나리오 scenario", "ROC AUC (95 %)", "AP", "손상 판정 called damaged"});
        for (const GroupResult& group : model.groups) {
            const std::string kind = group.is_damaged   ? "손상 damaged"
                                     : group.is_outside ? "변형 variant"
                                                        : "정상 normal";
            out += "<tr>" + cell(escaped(group.group) + " <span class=\"en\">" + kind + "</span>", false) +
                   cell(shown(group.roc_auc) + interval(group.interval)) +
                   cell(shown(group.average_precision)) + cell(share(group.called, group.count)) + "</tr>";
        }
        out += "</tbody></table></div>";
    }
    return out;
}

std::string charts(const Evaluation& evaluation) {
    std::vector<Curve> roc, pr;
    std::string confusions;
    for (const ModelResult& model : evaluation.models) {
        Curve a{model.name + " " + shown(model.roc_auc), {}, model.is_baseline, -1, -1};
        for (const RocPoint& point : model.roc)
            a.points.emplace_back(point.false_positive_rate, point.true_positive_rate);
        Curve b{model.name + " " + shown(model.average_precision), {{0, 1}}, model.is_baseline, -1, -1};
        for (auto point = model.pr.rbegin(); point != model.pr.rend(); ++point)
            b.points.emplace_back(point->recall, point->precision);
        if (!model.is_baseline) {
            a.mark_x = model.confusion.false_positive_rate(), a.mark_y = model.confusion.recall();
            b.mark_x = model.confusion.recall(), b.mark_y = model.confusion.precision();
            confusions += "<figure>" + confusion_svg(model.confusion, model.name + ": confusion matrix") +
                          "<figcaption>" + escaped(model.name) + "</figcaption></figure>";
        }
        roc.push_back(std::move(a));
        pr.push_back(std::move(b));
    }
    return heading("혼동 행렬", "confusion matrix") + "<div class=\"row\">" + confusions + "</div>" +
           heading("ROC와 정밀도·재현율", "ROC and precision–recall") + "<div class=\"row\"><figure>" +
           curves_svg(roc, "오경보율 false positive rate", "재현율 true positive rate", "ROC") +
           "</figure><figure>" + curves_svg(pr, "재현율 recall", "정밀도 precision", "precision-recall") +
           "</figure></div>";
}

std::string mistakes(const Evaluation& evaluation) {
    std::string out;
    for (const ModelResult& model : evaluation.models) {
        if (model.is_baseline || (model.false_alarms.empty() && model.misses.empty())) continue;
        out += "<h3>" + escaped(model.name) + "</h3>" +
               head({"이름 name", "시나리오 scenario", "점수 score", "임계값과의 차 to threshold"});
        const auto rows = [&](const std::vector<std::size_t>& units, const char* kind) {
            for (const std::size_t u : units) {
                out += "<tr>" + cell(std::string(kind) + " " + escaped(evaluation.units.name[u]), false) +
                       cell(escaped(evaluation.units.group[u])) + cell(shown(model.scores[u], 4)) +
                       cell(shown(model.scores[u] - model.threshold, 4)) + "</tr>";
            }
        };
        rows(model.false_alarms, "▲ 오경보 false alarm");
        rows(model.misses, "▽ 놓침 missed");
        out += "</tbody></table></div>";
    }
    return out.empty() ? "<p>없음 <span lang=\"en\">none</span></p>" : out;
}

std::string histograms(const Evaluation& evaluation) {
    const std::vector<std::size_t> judged = judged_units(evaluation.units);
    std::string out;
    for (const ModelResult& model : evaluation.models) {
        if (model.is_baseline) continue;
        out += "<figure>" + score_histogram_svg(evaluation.units, model, judged) + "<figcaption>" +
               escaped(model.name) + "</figcaption></figure>";
    }
    return heading("점수 분포", "scores") + "<div class=\"row\">" + out + "</div>";
}

std::string follows(const Evaluation& evaluation) {
    std::string out;
    for (const ModelResult& model : evaluation.models) {
        if (model.is_baseline || model.follows.empty()) continue;
        out += "<h3>" + escaped(model.name) + "</h3>" + head({"특징 feature", "순위 상관 rank correlation"});
        for (const FollowedFeature& each : model.follows)
            out += "<tr>" + cell(escaped(each.name), false) + cell(shown(each.correlation, 2)) + "</tr>";
        out += "</tbody></table></div>";
    }
    if (out.empty()) return "";
    return heading("모델이 따르는 특징", "what the models look at") +
           "<p>점수와 함께 움직이는 특징 (Spearman). 원인은 아닐 수 있음. <span lang=\"en\">Features that a "
           "score goes along with (Spearman); what it was computed from may be another.</span></p>" +
           out;
}

std::string limit_list(const Evaluation& evaluation) {
    std::string out;
    for (const Limit& each : limits_of(evaluation)) {
        out += "<div class=\"finding note\">" + escaped(each.ko) + "<br><span class=\"en\" lang=\"en\">" +
               escaped(each.en) + "</span></div>";
    }
    return out.empty() ? "" : heading("할 수 없는 것", "what this does not show") + out;
}

std::string map_figures(const std::vector<ReportMap>& maps) {
    std::string out;
    for (const ReportMap& map : maps) {
        out += "<figure>" + map.svg + map.timeline + "<figcaption>" + escaped(map.caption_ko) +
               "<br><span lang=\"en\">" + escaped(map.caption_en) + "</span></figcaption></figure>";
    }
    return out.empty() ? "" : heading("변위 벡터", "vector maps") + out;
}

std::string leak_table(const LeakReport& leak) {
    std::string out =
        "<p>섞은 라벨 <span lang=\"en\">shuffled labels</span>: ROC AUC " + shown(leak.shuffled_roc_auc) +
        " ± " + shown(leak.shuffled_standard_error) + " (≤ " + shown(kShuffledAucMax, 2) +
        ") · 겹치는 행 <span lang=\"en\">repeated rows</span>: " + std::to_string(leak.repeated_rows) +
        "</p>" + head({"특징 하나만 single feature", "ROC AUC"});
    for (std::size_t i = 0; i < std::min(leak.features.size(), kFeaturesShown); ++i) {
        out += "<tr>" + cell(escaped(leak.features[i].feature), false) +
               cell(shown(leak.features[i].roc_auc)) + "</tr>";
    }
    return out + "</tbody></table></div>";
}

}  // namespace

std::string report_html(const Evaluation& evaluation, const std::vector<Finding>& findings,
                        const std::vector<ReportMap>& maps) {
    std::string out = page_start("평가 보고 · evaluation") + "<h1>" + title_of(evaluation) + "</h1><p>" +
                      escaped(evaluation.source) + "</p>" + facts(evaluation);
    if (!findings.empty()) out += heading("눈에 띄는 점", "what stands out") + finding_list(findings);
    out += heading("모델", "models") + model_table(evaluation) + charts(evaluation) + histograms(evaluation);
    const bool has_groups = std::any_of(evaluation.models.begin(), evaluation.models.end(),
                                        [](const ModelResult& model) { return !model.groups.empty(); });
    if (has_groups) out += heading("시나리오별", "by scenario") + group_tables(evaluation);
    out += heading("틀린 판정", "wrong decisions") + mistakes(evaluation) + map_figures(maps) +
           follows(evaluation);
    if (evaluation.leak) out += heading("누출 검사", "leak guard") + leak_table(*evaluation.leak);
    out += limit_list(evaluation);
    out += std::string("<footer>") +
           (evaluation.has_split ? "임계값은 검증 분할에서만. <span lang=\"en\">Thresholds come from the "
                                   "validation split only.</span> "
                                 : "") +
           "점수는 " + evaluation.units.noun_ko +
           " 단위, 구간은 95 % 부트스트랩. <span lang=\"en\">One score a " + evaluation.units.noun_en +
           "; intervals are 95 % bootstrap.</span></footer></body></html>\n";
    return out;
}

}  // namespace nightshift::jobs
