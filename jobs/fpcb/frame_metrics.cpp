#include "jobs/fpcb/frame_metrics.h"

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>

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

/// Takes cells off the front of a text in the form that this program and the reference write.
class PlainCells {
  public:
    explicit PlainCells(std::string_view text) : rest_(text) {}

    bool is_at_end() const { return rest_.empty(); }
    bool take(std::string_view word) {
        if (!rest_.starts_with(word)) return false;
        rest_.remove_prefix(word.size());
        return true;
    }
    /// A number as Python writes it, without leading zeros or signs that a table would take for text.
    template <typename T>
    bool take_number(T& value) {
        const std::size_t sign = rest_.starts_with('-') ? 1 : 0;
        if (rest_.size() < sign + 2 || !is_digit(rest_[sign])) return false;
        if (rest_[sign] == '0' && is_digit(rest_[sign + 1])) return false;
        const auto parsed = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
        if (parsed.ec != std::errc()) return false;
        rest_.remove_prefix(static_cast<std::size_t>(parsed.ptr - rest_.data()));
        return true;
    }

  private:
    static bool is_digit(char c) { return c >= '0' && c <= '9'; }

    std::string_view rest_;
};

/// The metrics of a file whose rows are frames 0, 1, 2, ... of plain numbers; none where it is written
/// another way or has another number of rows, though a table may still be read from it.
std::optional<kernels::FrameMetrics> plain_metrics(std::string_view text, std::size_t frames) {
    PlainCells cells(text);
    if (!cells.take("frame,time_s,bend_angle_deg,curvature_concentration,est_max_strain\r\n"))
        return std::nullopt;
    kernels::FrameMetrics out;
    for (std::vector<double>* list : {&out.bend_angle_deg, &out.curvature_concentration, &out.est_max_strain})
        list->reserve(frames);
    for (std::size_t f = 0; f < frames; ++f) {
        std::size_t number = 0;
        double time = 0, angle = 0, concentration = 0, strain = 0;
        const bool is_plain = cells.take_number(number) && number == f && cells.take(",") &&
                              cells.take_number(time) && cells.take(",") && cells.take_number(angle) &&
                              cells.take(",") && cells.take_number(concentration) && cells.take(",") &&
                              cells.take_number(strain) && cells.take("\r\n");
        if (!is_plain) return std::nullopt;
        out.bend_angle_deg.push_back(angle);
        out.curvature_concentration.push_back(concentration);
        out.est_max_strain.push_back(strain);
    }
    if (!cells.is_at_end()) return std::nullopt;
    return out;
}

bool are_counted(const std::vector<std::int32_t>& numbers) {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        if (numbers[i] != static_cast<std::int32_t>(i)) return false;
    }
    return true;
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
    if (are_counted(s.frame_number)) {
        if (auto plain = plain_metrics(file->bytes, s.frame_number.size())) return std::move(*plain);
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
