#include "jobs/fpcb/frame_metrics.h"

#include <unordered_map>

#include "jobs/runtime/job_impl.h"
#include "jobs/table/csv.h"

namespace nightshift::jobs {

namespace {

const SideFile* metrics_file(const Sequence& s) {
    const SideFile* file = nullptr;
    for (const SideFile& side : s.side_files) {
        if (side.name == "frame_metrics.csv") file = &side;
    }
    return file;
}

}  // namespace

bool has_frame_metrics(const Sequence& s) {
    return metrics_file(s) != nullptr;
}

kernels::FrameMetrics frame_metrics_of(const Sequence& s) {
    const SideFile* file = metrics_file(s);
    if (file == nullptr) {
        throw JobError(
            "no_frame_metrics",
            "sequence " + s.info.name +
                " has no frame_metrics.csv, which the compat sets take three columns "
                "from. Use set=native, which needs the tracks alone, or a data set made with rng=compat.");
    }
    const std::string where = s.info.name + "/frame_metrics.csv";
    try {
        const Table table = parse_csv(file->bytes, where);
        const auto frame = table.numbers("frame"), angle = table.numbers("bend_angle_deg"),
                   concentration = table.numbers("curvature_concentration"),
                   strain = table.numbers("est_max_strain");
        std::unordered_map<std::int32_t, std::size_t> rows;
        for (std::size_t i = 0; i < frame.size(); ++i) rows[static_cast<std::int32_t>(frame[i])] = i;
        kernels::FrameMetrics out;
        for (const std::int32_t number : s.frame_number) {
            const auto row = rows.find(number);
            if (row == rows.end())
                throw JobError("bad_bundle", where + ": no row for frame " + std::to_string(number));
            out.bend_angle_deg.push_back(angle[row->second]);
            out.curvature_concentration.push_back(concentration[row->second]);
            out.est_max_strain.push_back(strain[row->second]);
        }
        return out;
    } catch (const JobError& error) {
        if (error.code() == "bad_bundle") throw;
        throw JobError("bad_bundle", where + ": " + error.what());
    }
}

kernels::TrackView view_of(const Sequence& s) {
    kernels::TrackView view;
    view.x = s.x;
    view.y = s.y;
    view.present = s.present;
    view.points = s.info.points;
    view.frames = s.info.frames;
    view.units_per_pixel = s.info.units_per_pixel;
    view.fps = s.info.fps;
    return view;
}

}  // namespace nightshift::jobs
