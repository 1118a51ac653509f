#include "jobs/cpd/cpd_schema.h"

#include <nlohmann/json.hpp>

namespace nightshift::jobs {

nlohmann::ordered_json cpd_schema() {
    return nlohmann::ordered_json::parse(R"JSON({
        "type": "object",
        "properties": {
            "dataset": {"type": "string", "x-artifact": "dataset",
                "description": "Data set whose tracks are looked at: a folder or job:ID",
                "x-ko": "데이터셋: 폴더 또는 job:ID"},
            "table": {"type": "string", "x-artifact": "table",
                "description": "Table with the signal, instead of dataset: a file or job:ID",
                "x-ko": "신호가 있는 표: 파일 또는 job:ID"},
            "column": {
                "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "maxItems": 64}],
                "description": "Column of the table with the signal; several are combined",
                "x-ko": "신호 열, 여러 개면 결합"},
            "group": {"type": "string", "x-ko": "시퀀스를 구분하는 열",
                "description": "Column that tells sequences apart; without it the column sequence, if any"},
            "method": {"type": "string", "enum": ["event", "cusum", "window", "pelt"], "x-ko": "방법",
                "description": "Default: event (onset of damage) for a data set, else cusum"},
            "signal": {"type": "string", "enum": ["evidence", "acceleration_max"], "x-ko": "데이터셋의 신호",
                "description": "cusum, window, pelt on a data set: evidence (default), or acceleration"},
            "compat": {"type": "boolean", "default": false, "x-ko": "기존 구현과 동일하게",
                "description": "As the reference does it (of a data set: its largest acceleration)"},
            "combine": {"type": "string", "enum": ["union", "intersection", "majority"], "default": "union",
                "description": "Which points of several columns count", "x-ko": "여러 열의 결합 방식"},
            "threshold": {"type": "number", "x-ko": "임계값",
                "description": "cusum: of the sum (compat 5, else 8 deviations); event: of the score"},
            "sensitivity": {"type": "number", "x-ko": "CUSUM 여유",
                "description": "cusum: slack (compat half a standard deviation, else 1 of them)"},
            "target": {"type": "number", "description": "cusum, compat: level to compare with, else the mean",
                "x-ko": "CUSUM 기준값"},
            "baseline": {"type": "integer", "minimum": 0, "default": 0, "x-ko": "기준 구간 샘플 수",
                "description": "cusum: samples that say what is usual; 0 = a quarter of them"},
            "min_size": {"type": "integer", "minimum": 1, "maximum": 1000000, "default": 3,
                "description": "Samples between change points", "x-ko": "변화점 사이 최소 샘플"},
            "window_size": {"type": "integer", "minimum": 2, "maximum": 100000, "default": 10,
                "description": "window: samples on each side", "x-ko": "윈도 크기"},
            "step_size": {"type": "integer", "minimum": 1, "maximum": 100000, "default": 1,
                "description": "window, compat: samples between looks", "x-ko": "윈도 이동 간격"},
            "threshold_ratio": {"type": "number", "x-ko": "윈도 임계 비율",
                "description": "window: compat ratio (2), else standard errors of the step (6)"},
            "jump": {"type": "integer", "minimum": 1, "maximum": 100000, "default": 5,
                "description": "pelt, compat: only every n-th sample is tried", "x-ko": "PELT 간격"},
            "pen": {"type": "number", "minimum": 0, "x-ko": "PELT 벌점",
                "description": "pelt: cost of a segment (compat 3, else 3 log n squares of the noise)"},
            "false_alarms": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.01,
                "description": "event: share of normal sequences that may alarm", "x-ko": "허용 오경보율"}
        }
    })JSON");
}

}  // namespace nightshift::jobs
