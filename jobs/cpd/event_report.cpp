#include "jobs/cpd/event_report.h"

#include <nlohmann/json.hpp>

#include "jobs/evaluate/report_parts.h"
#include "jobs/evaluate/svg_chart.h"

namespace nightshift::jobs {
namespace {

using nlohmann::ordered_json;

double share_of(std::int64_t part, std::int64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

ordered_json json_of(const EventCounts& counts) {
    return {{"n", counts.count},
            {"median_error_frames", counts.median_error},
            {"within_2_frames", share_of(counts.within, counts.count)},
            {"alarmed", share_of(counts.alarmed, counts.count)},
            {"alarmed_within_2_frames", share_of(counts.alarmed_within, counts.count)}};
}

ordered_json json_of(const EventRates& rates) {
    ordered_json out{{"note", rates.note_en}, {"threshold", rates.threshold}};
    out.update(json_of(rates.damaged));
    out["false_alarm_rate"] = share_of(rates.normal.alarmed, rates.normal.count);
    out["false_alarms"] = rates.normal.alarmed;
    out["n_normal"] = rates.normal.count;
    out["share_within_frames"] = rates.share_within;
    for (const EventGroup& group : rates.groups) {
        if (group.is_damaged)
            out["groups"][group.scenario] = json_of(group.counts);
        else
            out["groups"][group.scenario] = {
                {"n", group.counts.count},
                {"false_alarm_rate", share_of(group.counts.alarmed, group.counts.count)}};
    }
    return out;
}

std::string rates_table(const EventReport& report) {
    std::string out =
        head({"검출기 detector", "중앙값 오차 median error", "2프레임 이내 within 2",
              "경보+2프레임 이내 alarmed, within 2", "오경보 false alarms", "임계값 threshold"});
    for (const EventRates& each : report.rates) {
        out += std::string(each.is_baseline ? "<tr class=\"base\">" : "<tr>") +
               cell(escaped(each.name) + "<br><span class=\"en\">" + escaped(each.note_ko) + " · " +
                        escaped(each.note_en) + "</span>",
                    false) +
               cell(shown(each.damaged.median_error, 1)) +
               cell(share(each.damaged.within, each.damaged.count)) +
               cell(share(each.damaged.alarmed_within, each.damaged.count)) +
               cell(share(each.normal.alarmed, each.normal.count)) + cell(shown(each.threshold, 3)) + "</tr>";
    }
    return out + "</tbody></table></div>";
}

std::string scenario_table(const EventRates& rates) {
    std::string out = head({"시나리오 scenario", "중앙값 오차 median error", "2프레임 이내 within 2",
                            "경보 alarmed", "경보+2프레임 이내 alarmed, within 2"});
    for (const EventGroup& group : rates.groups) {
        const EventCounts& c = group.counts;
        out += "<tr>" +
               cell(escaped(group.scenario) + " <span class=\"en\">" +
                        (group.is_damaged ? "손상 damaged" : "정상 normal") + "</span>",
                    false) +
               cell(group.is_damaged ? shown(c.median_error, 1) : "–") +
               cell(group.is_damaged ? share(c.within, c.count) : "–") + cell(share(c.alarmed, c.count)) +
               cell(group.is_damaged ? share(c.alarmed_within, c.count) : "–") + "</tr>";
    }
    return out + "</tbody></table></div>";
}

std::string error_curves(const EventReport& report) {
    std::vector<Curve> curves;
    for (const EventRates& each : report.rates) {
        Curve curve{each.name, {}, each.is_baseline, -1, -1};
        for (int k = 0; k <= kErrorsShown; ++k)
            curve.points.emplace_back(static_cast<double>(k) / kErrorsShown,
                                      each.share_within[static_cast<std::size_t>(k)]);
        curves.push_back(std::move(curve));
    }
    return "<figure>" +
           curves_svg(curves, "오차 / 10 프레임 error / 10 frames", "손상 시퀀스 비율 share of damaged",
                      "share of damaged sequences within k frames") +
           "</figure>";
}

std::string worst_table(const EventReport& report) {
    std::string out = head({"이름 name", "시나리오 scenario", "실제 true frame", "검출 found", "점수 score"});
    for (const std::size_t u : report.rates.front().worst) {
        const EventUnit& unit = report.units[u];
        out += "<tr>" + cell(escaped(unit.name), false) + cell(escaped(unit.scenario)) +
               cell(std::to_string(unit.event)) + cell(std::to_string(report.frame[u])) +
               cell(shown(report.score[u], 2)) + "</tr>";
    }
    return out + "</tbody></table></div>";
}

std::string finding(const char* kind, const std::string& ko, const std::string& en) {
    return std::string("<div class=\"finding ") + kind + "\">" + ko + "<br><span lang=\"en\" class=\"en\">" +
           en + "</span></div>";
}

}  // namespace

ordered_json event_report_json(const EventReport& report) {
    ordered_json out{
        {"goal", "cpd"},
        {"protocol", "honest"},
        {"source", report.source},
        {"n_damaged", report.rates.front().damaged.count},
        {"n_normal", report.rates.front().normal.count},
        {"n_too_short", report.too_short},
        {"judged", report.has_split ? "test split" : "every sequence"},
        {"threshold_rule", std::string("at most ") + shown(100 * report.rate, 1) +
                               " % false alarms on the normal sequences " +
                               (report.has_split ? "outside the test split" : "that are judged")},
        {"n_threshold_normals", report.learning}};
    for (const EventRates& each : report.rates)
        out[each.is_baseline ? "baselines" : "detectors"][each.name] = json_of(each);
    return out;
}

std::string event_report_html(const EventReport& report) {
    const EventRates& own = report.rates.front();
    std::string out =
        page_start("변화점 평가 · change points") +
        "<h1>변화점 평가 <span lang=\"en\">change points against true event frames</span></h1><p>" +
        escaped(report.source) + "</p><div class=\"facts\">" +
        fact("2프레임 이내 within 2 frames",
             shown(100 * share_of(own.damaged.within, own.damaged.count), 1) + " %") +
        fact("경보+2프레임 이내 alarmed, within 2",
             shown(100 * share_of(own.damaged.alarmed_within, own.damaged.count), 1) + " %") +
        fact("오경보 false alarms", shown(100 * share_of(own.normal.alarmed, own.normal.count), 1) + " %") +
        fact("중앙값 오차 median error", shown(own.damaged.median_error, 1)) +
        fact("손상 damaged", std::to_string(own.damaged.count)) +
        fact("정상 normal", std::to_string(own.normal.count)) + "</div>";
    if (!report.has_split) {
        out += finding("warning", "분할이 없어 임계값과 오경보율을 같은 정상 시퀀스에서 구했습니다.",
                       "No split is known: threshold and false alarms come from the same normal sequences.");
    }
    if (report.learning < 100) {
        out += finding("warning", "임계값에 쓰인 정상 시퀀스가 100개보다 적어 오경보율이 불확실합니다.",
                       "Fewer than 100 normal sequences set the threshold: one false alarm in 100 cannot be "
                       "told from none.");
    }
    return out + heading("검출기", "detectors") + rates_table(report) + error_curves(report) +
           heading("시나리오별", "by scenario") + scenario_table(own) +
           heading("가장 큰 오차", "largest errors") + worst_table(report) +
           "<footer>실제 이벤트 프레임과 비교, 임계값은 평가 분할 밖의 정상 시퀀스에서만. <span "
           "lang=\"en\">Against "
           "the true event frames; thresholds only from normal sequences outside the judged split.</span>"
           "</footer></body></html>\n";
}

std::string reference_report_html(const std::string& source, const ordered_json& report) {
    std::string out =
        page_start("변화점 평가 · change points") +
        "<h1>변화점 평가: 기존 절차 <span lang=\"en\">the reference's protocol</span></h1><p>" +
        escaped(source) + "</p><div class=\"facts\">" +
        fact("평균 오차 mean error", report.at("mean_error_frames").dump()) +
        fact("5프레임 이내 within 5", report.at("within_5_frames_pct").dump() + " %") +
        fact("시퀀스 sequences", report.at("n_evaluated").dump()) + "</div>" +
        finding("warning",
                "여러 경보 중 가장 가까운 것만 셉니다. crack_frame은 생성기가 쓰지 않는 난수입니다. "
                "이 수치는 검출기의 성능을 말하지 않습니다.",
                "Of many alarms only the nearest counts, and crack_frame is a random number that "
                "the tracks know nothing of: these figures say nothing about a detector. Use "
                "protocol=honest.");
    out += head({"이름 name", "crack_frame", "경보 수 alarms", "가장 가까운 경보 nearest", "오차 error"});
    for (const auto& row : report.at("results")) {
        const auto text = [&](const char* key) { return row.at(key).is_null() ? "–" : row.at(key).dump(); };
        out += "<tr>" + cell(escaped(row.at("path").get<std::string>()), false) + cell(text("crack_frame")) +
               cell(std::to_string(row.at("detected").size())) + cell(text("best_match")) +
               cell(text("error_frames")) + "</tr>";
    }
    return out + "</tbody></table></div></body></html>\n";
}

}  // namespace nightshift::jobs
