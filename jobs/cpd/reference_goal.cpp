#include "jobs/cpd/reference_goal.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "kernels/change_points.h"

namespace nightshift::jobs {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr double kThreshold = 3;
constexpr long long kNear = 5;

double rounded(double value, double scale) {
    return std::nearbyint(value * scale) / scale;
}

}  // namespace

int reference_crack_frame(const Sequence& sequence) {
    for (const SideFile& file : sequence.side_files) {
        if (file.name != "metadata.json") continue;
        const json root = json::parse(file.bytes, nullptr, false);
        const auto found = root.is_object() ? root.find("crack_frame") : root.end();
        if (root.is_object() && found != root.end() && found->is_number_integer()) return found->get<int>();
    }
    return sequence.info.event_frame;
}

ordered_json reference_cpd_report(const std::vector<ReferenceCase>& cases) {
    ordered_json results = ordered_json::array();
    double errors = 0;
    std::int64_t matched = 0, near = 0;
    for (const ReferenceCase& each : cases) {
        kernels::CusumOptions cusum;
        cusum.threshold = kThreshold;
        auto points = kernels::cusum_compat(each.series.values, cusum).change_points;
        if (points.empty()) points = kernels::window_compat(each.series.values, {}).change_points;
        ordered_json detected = ordered_json::array();
        long long best = -1, error = 0;
        for (const std::int64_t point : points) {
            const long long frame = each.series.frames[static_cast<std::size_t>(point)];
            detected.push_back(frame);
            const long long off = std::llabs(frame - each.crack_frame);
            if (best < 0 || off < error) best = frame, error = off;
        }
        ordered_json row{{"path", each.series.sequence},
                         {"crack_frame", each.crack_frame},
                         {"detected", std::move(detected)},
                         {"best_match", nullptr},
                         {"error_frames", nullptr}};
        if (best >= 0) {
            row["best_match"] = best;
            row["error_frames"] = error;
            errors += static_cast<double>(error);
            ++matched;
            near += error <= kNear ? 1 : 0;
        }
        results.push_back(std::move(row));
    }
    const auto count = static_cast<double>(std::max<std::int64_t>(matched, 1));
    return {{"goal", "goal1"},
            {"metric", "CPD_accuracy"},
            {"n_evaluated", matched},
            {"mean_error_frames", rounded(errors / count, 100)},
            {"within_5_frames_pct", rounded(100 * static_cast<double>(near) / count, 10)},
            {"results", std::move(results)}};
}

}  // namespace nightshift::jobs
