#include "jobs/evaluate/report_maps.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "jobs/evaluate/event_timeline.h"
#include "jobs/evaluate/vector_map.h"

namespace nightshift::jobs {
namespace {

ReportMap map_of(const Evaluation& evaluation, const Dataset& dataset, std::size_t unit,
                 const std::string& what_en, const std::string& what_ko) {
    const ModelResult& model = evaluation.models.front();
    const std::string& name = evaluation.units.name[unit];
    const Sequence sequence = dataset.read(dataset.find(name));
    const MapStep step = step_to_show(sequence);
    const std::string span = std::to_string(step.frame) + " → " + std::to_string(step.frame + 1);
    char longest[32], score[32];
    std::snprintf(longest, sizeof longest, "%.1f", step.longest_px);
    std::snprintf(score, sizeof score, "%.3f", model.scores[unit]);
    return {vector_map_svg(sequence, step, name), event_timeline_svg(sequence, step.frame, name),
            what_en + " of " + model.name + ", " + name + " (" + score + "): displacement of frame " + span +
                ", longest arrow " + longest + " px; thin lines: the panel at the frames numbered; below: " +
                "mean displacement from frame to frame",
            what_ko + " (" + model.name + "), " + name + " (" + score + "): 프레임 " + span +
                "의 변위, 가장 긴 화살표 " + longest +
                " px. 가는 선: 번호 프레임의 패널. 아래: 프레임 사이 평균 변위"};
}

}  // namespace

std::vector<ReportMap> report_maps(const Evaluation& evaluation, const Dataset& dataset) {
    const ModelResult& model = evaluation.models.front();
    const std::vector<std::size_t> judged = judged_units(evaluation.units);
    const auto top = std::max_element(judged.begin(), judged.end(), [&](std::size_t a, std::size_t b) {
        return std::pair(evaluation.units.label[a], model.scores[a]) <
               std::pair(evaluation.units.label[b], model.scores[b]);
    });
    std::vector<ReportMap> maps{map_of(evaluation, dataset, *top,
                                       "The damaged sequence with the highest score",
                                       "점수가 가장 높은 손상 시퀀스")};
    if (!model.misses.empty()) {
        maps.push_back(map_of(evaluation, dataset, model.misses.front(), "The damaged sequence missed most",
                              "가장 크게 놓친 손상 시퀀스"));
    }
    if (!model.false_alarms.empty()) {
        maps.push_back(map_of(evaluation, dataset, model.false_alarms.front(),
                              "The normal sequence with the highest score", "점수가 가장 높은 정상 시퀀스"));
    }
    return maps;
}

}  // namespace nightshift::jobs
