#include "jobs/analyze/analysis_report.h"

#include <cmath>

#include "jobs/analyze/risk_chart.h"
#include "jobs/analyze/risk_params.h"
#include "jobs/evaluate/report_parts.h"
#include "jobs/evaluate/svg_chart.h"
#include "jobs/evaluate/vector_map.h"

namespace nightshift::jobs {
namespace {

constexpr std::size_t kMapsShown = 3;  ///< of each list
constexpr std::size_t kSkippedShown = 20;

std::string finding(const char* kind, const std::string& ko, const std::string& en) {
    return std::string("<div class=\"finding ") + kind + "\">" + ko + "<br><span lang=\"en\" class=\"en\">" +
           en + "</span></div>";
}

std::string auc_text(const RiskFigures& figures) {
    std::string out = shown(figures.roc_auc);
    if (std::isfinite(figures.interval.low)) {
        out += " <span class=\"en\">" + shown(figures.interval.low) + "–" + shown(figures.interval.high) +
               "</span>";
    }
    return out;
}

std::string quality(const RiskFigures& figures) {
    if (std::isfinite(figures.roc_auc)) {
        const std::string auc = shown(figures.roc_auc),
                          counts = std::to_string(figures.damaged) + " / " + std::to_string(figures.normal);
        return finding("note",
                       "이 데이터셋에서 최대 위험도의 ROC AUC는 " + auc + "입니다 (손상/정상 " + counts +
                           "). 0.5는 무작위와 같습니다.",
                       "On this data set the largest risk has a ROC AUC of " + auc + " (" + counts +
                           " damaged / normal sequences); 0.5 is what chance gives.");
    }
    return finding("warning",
                   "손상과 정상 라벨이 모두 있어야 ROC AUC를 구할 수 있습니다 (손상 " +
                       std::to_string(figures.damaged) + ", 정상 " + std::to_string(figures.normal) +
                       "). 이 위험도가 손상을 가려내는지 알 수 없습니다.",
                   "A ROC AUC needs labels of both classes, and here are " + std::to_string(figures.damaged) +
                       " damaged and " + std::to_string(figures.normal) +
                       " normal sequences: whether this risk tells damage from none is not known.");
}

std::string cautions(const AnalysisState& state, const RiskFigures& figures) {
    std::string out = quality(figures);
    out += finding(
        "note",
        "위험도는 학습하지 않은 대용 지표입니다. 가중치와 곡선은 정해진 상수이며 확률이 아닙니다. 응력은 "
        "변형률과 "
        "같은 값이라 변형률이 두 번 반영되고, 변형률은 한 프레임 안의 상대값이며, 1번 프레임의 가속도는 "
        "0에서 출발한다고 가정한 값입니다. 충격은 px/s² 단위라 배율과 프레임 속도에 따라 달라집니다.",
        "The risk is a surrogate that nothing was learned for: its weights and curve are constants, and it "
        "is "
        "no probability. Stress equals strain, so strain counts twice; strain is relative within a frame; "
        "the "
        "acceleration of frame 1 comes from a speed of 0 assumed before it; impact is in px/s² and moves "
        "with "
        "scale and frame rate. For decisions use a trained model and evaluate.");
    const std::size_t with = state.risks.size() - figures.without_metrics;
    if (with > 0) {
        out += finding(
            "warning",
            std::to_string(with) +
                "개 시퀀스의 굽힘 각도, 곡률 집중도, 최대 변형률은 frame_metrics.csv에서 왔습니다. 합성 "
                "데이터에서 "
                "이 값은 생성기의 내부 변수이므로 AUC가 실제보다 높게 나옵니다.",
            "In " + std::to_string(with) +
                " sequences bend angle, concentration and strain come from frame_metrics.csv. In synthetic "
                "data these are the generator's own variables, which no camera sees, so the AUC flatters.");
    }
    if (figures.without_metrics > 0) {
        out += finding(
            "warning",
            std::to_string(figures.without_metrics) +
                "개 시퀀스에는 frame_metrics.csv가 없어 각도와 변형률을 0, 집중도를 1로 계산했습니다. 두 "
                "종류의 위험도는 서로 비교할 수 없습니다.",
            std::to_string(figures.without_metrics) +
                " sequences have no frame_metrics.csv: their angle and strain count as 0 and the "
                "concentration as 1. Do not compare their risks with those of the others.");
    }
    return out;
}

std::string scenario_table(const RiskFigures& figures) {
    std::string out = head({"시나리오 scenario", "시퀀스 sequences", "최소 least", "중앙값 median",
                            "최대 largest", "ROC AUC (정상 대비 against normal)", "metrics 없음 without"});
    for (const RiskGroup& group : figures.groups) {
        out +=
            "<tr>" +
            cell(escaped(group_name(group)) + " <span class=\"en\">" + label_words(group.label) + "</span>",
                 false) +
            cell(std::to_string(group.count)) + cell(shown(group.least)) + cell(shown(group.median)) +
            cell(shown(group.largest)) + cell(shown(group.roc_auc)) +
            cell(std::to_string(group.without_metrics)) + "</tr>";
    }
    return out + "</tbody></table></div>";
}

std::string roc(const RiskFigures& figures) {
    if (!std::isfinite(figures.roc_auc)) return "";
    Curve curve{"최대 위험도 largest risk " + shown(figures.roc_auc), {}, false, -1, -1};
    for (const RocPoint& point : roc_curve(kernels::score_steps(figures.labels, figures.scores)))
        curve.points.emplace_back(point.false_positive_rate, point.true_positive_rate);
    return heading("ROC 곡선", "ROC curve") + "<figure>" +
           curves_svg({curve, {"무작위 chance", {{0, 0}, {1, 1}}, true, -1, -1}},
                      "오경보율 false positive rate", "재현율 true positive rate", "ROC") +
           "</figure>";
}

std::string list_table(const Dataset& dataset, const AnalysisState& state,
                       const std::vector<std::size_t>& members) {
    std::string out = head({"이름 name", "시나리오 scenario", "최대 위험도 largest", "평균 mean",
                            "위치 frame (0부터 from 0)", "이벤트 event"});
    for (const std::size_t i : members) {
        const SequenceRisk& risk = state.risks[i];
        const SequenceInfo& info = dataset.info(risk.place);
        out +=
            "<tr>" +
            cell(escaped(info.name) + " <span class=\"en\">" + label_words(info.label) + "</span>", false) +
            cell(escaped(info.scenario)) + cell(shown(risk.max, 4)) + cell(shown(risk.mean, 4)) +
            cell(std::to_string(risk.frame)) +
            cell(info.event_frame < 0 ? "–" : std::to_string(info.event_frame)) + "</tr>";
    }
    return out + "</tbody></table></div>";
}

std::string maps(const Dataset& dataset, const AnalysisState& state,
                 const std::vector<std::size_t>& members) {
    std::string out = "<div class=\"row\">";
    for (std::size_t k = 0; k < std::min(members.size(), kMapsShown); ++k) {
        const SequenceRisk& risk = state.risks[members[k]];
        const Sequence sequence = dataset.read(risk.place);
        const MapStep step = step_into(sequence, risk.frame);
        const std::string map = vector_map_svg(sequence, step, sequence.info.name);
        if (map.empty()) continue;
        out += "<figure>" + map + "<figcaption>" + escaped(sequence.info.name) + " · 프레임 frame " +
               std::to_string(step.frame) + "→" + std::to_string(step.frame + 1) + " · 위험도 risk " +
               shown(risk.max) + " · 가장 긴 화살표 longest arrow " + shown(step.longest_px, 1) +
               " px</figcaption></figure>";
    }
    return out + "</div>";
}

std::string to_look_at(const Dataset& dataset, const AnalysisState& state, const RiskFigures& figures) {
    const auto part = [&](const char* ko, const char* en, const std::vector<std::size_t>& members) {
        if (members.empty()) return std::string();
        return heading(ko, en) + list_table(dataset, state, members) + maps(dataset, state, members);
    };
    return part("위험도가 가장 높은 시퀀스", "highest risks", figures.riskiest) +
           part("위험도가 낮은 손상 시퀀스", "damaged sequences that the risk overlooks",
                figures.overlooked) +
           part("위험도가 높은 정상 시퀀스", "normal sequences that the risk suspects", figures.suspected);
}

std::string settings(const AnalysisFacts& facts) {
    std::string out = head({"매개변수 parameter", "값 value"});
    const auto row = [&](const std::string& name, const std::string& value) {
        out += "<tr>" + cell(name, false) + cell(value) + "</tr>";
    };
    const auto own = [](double value, int digits) {
        return value > 0 ? shown(value, digits) : std::string("시퀀스의 값 of the sequence");
    };
    row("fps", own(facts.options.fps, 3));
    row("meters_per_pixel", own(facts.options.meters_per_pixel, 9));
    for (const RiskParam& param : risk_params()) {
        row(std::string(param.name) + " <span class=\"en\">" + std::string(param.ko) + " · " +
                std::string(param.en) + "</span>",
            shown(facts.options.risk.*param.value, 4) + " " + std::string(param.unit));
    }
    return heading("매개변수", "parameters") + out + "</tbody></table></div>";
}

std::string skipped(const Dataset& dataset, const AnalysisState& state) {
    if (state.skipped.empty()) return "";
    std::string names;
    for (std::size_t k = 0; k < std::min(state.skipped.size(), kSkippedShown); ++k)
        names += (k == 0 ? "" : ", ") + escaped(dataset.info(state.skipped[k]).name);
    if (state.skipped.size() > kSkippedShown) names += ", …";
    const std::string count = std::to_string(state.skipped.size());
    return finding("warning", "점이 없거나 너무 많아 분석하지 않은 시퀀스 " + count + "개: " + names,
                   count + " sequences have no points, or too many, and were not analysed.");
}

}  // namespace

std::string analysis_report_html(const Dataset& dataset, const AnalysisState& state,
                                 const RiskFigures& figures, const AnalysisFacts& facts) {
    const double top = figures.riskiest.empty() ? 0 : state.risks[figures.riskiest.front()].max;
    return page_start("물리 분석 · physics analysis") +
           "<h1>물리 분석 <span lang=\"en\">surrogates and crack risk</span></h1><p>" +
           escaped(facts.source) + "</p><div class=\"facts\">" +
           fact("시퀀스 sequences", std::to_string(state.risks.size())) +
           fact("손상 damaged", std::to_string(figures.damaged)) +
           fact("정상 normal", std::to_string(figures.normal)) +
           fact("최대 위험도 highest risk", shown(top)) + fact("ROC AUC (95 %)", auc_text(figures)) +
           fact("metrics 없음 without", std::to_string(figures.without_metrics)) + "</div>" +
           skipped(dataset, state) + cautions(state, figures) +
           heading("최대 위험도의 분포", "distribution of the largest risk") + "<figure>" +
           risk_distributions_svg(figures.groups) + "</figure>" + heading("시나리오별", "by scenario") +
           scenario_table(figures) + roc(figures) + to_look_at(dataset, state, figures) + settings(facts) +
           "<footer>대용 지표이며 학습한 모델이 아닙니다. <span lang=\"en\">A surrogate, not a trained "
           "model. "
           "Columns and units: README.txt.</span></footer></body></html>\n";
}

}  // namespace nightshift::jobs
