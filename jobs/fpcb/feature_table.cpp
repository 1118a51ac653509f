#include "jobs/fpcb/feature_table.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "jobs/fpcb/frame_metrics.h"
#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/spread.h"
#include "kernels/compat_features.h"
#include "kernels/panel_features.h"

namespace nightshift::jobs {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Rows of one sequence, row-major, and the frame of each (NaN = the whole sequence).
struct Rows {
    std::vector<double> values, frames;
};

void add_numbers(Table& table, const std::string& name, std::vector<double> values, bool is_float) {
    if (is_float)
        table.add(name, std::vector<float>(values.begin(), values.end()));
    else
        table.add(name, std::move(values));
}

/// Columns that say nothing, or say what an earlier one says.
std::vector<DroppedColumn> idle_columns(const std::vector<std::string>& names,
                                        const std::vector<std::vector<double>>& columns) {
    std::vector<DroppedColumn> out;
    for (std::size_t j = 0; j < names.size(); ++j) {
        const auto& column = columns[j];
        if (column.size() < 2) continue;
        if (std::all_of(column.begin(), column.end(), [&](double v) { return v == column[0]; })) {
            out.push_back({names[j], "constant"});
            continue;
        }
        for (std::size_t k = 0; k < j; ++k) {
            if (columns[k] == column) {
                out.push_back({names[j], "equal to " + names[k]});
                break;
            }
        }
    }
    return out;
}

bool is_dropped(const std::vector<DroppedColumn>& dropped, const std::string& name) {
    return std::any_of(dropped.begin(), dropped.end(), [&](const auto& d) { return d.name == name; });
}

void add_descriptions(Table& table, const Dataset& dataset, const std::vector<std::size_t>& which) {
    std::vector<std::string> name, scenario, goal, split;
    std::vector<double> id, label, event;
    for (const std::size_t i : which) {
        const SequenceInfo& info = dataset.info(i);
        id.push_back(static_cast<double>(info.id));
        name.push_back(info.name);
        scenario.push_back(info.scenario);
        goal.push_back(info.goal);
        split.emplace_back(name_of(info.split));
        label.push_back(info.label);
        event.push_back(info.event_frame);
    }
    table.add("sequence", name);
    table.add("id", std::move(id));
    table.add("scenario", std::move(scenario));
    table.add("goal", std::move(goal));
    table.add("label", std::move(label));
    table.add("split", std::move(split));
    table.add("event_frame", std::move(event));
}

FeatureFacts stream_native(const Dataset& dataset, const FeatureTableOptions& options,
                           const FeatureProgress& progress, const FeatureSink& sink) {
    FeatureFacts out;
    const auto all = kernels::panel_feature_names();
    std::vector<std::vector<double>> rows(dataset.size());
    const auto make = [&](std::size_t i) {
        const SequenceInfo& info = dataset.info(i);
        if (info.frames < kernels::kPanelFramesMin || info.points < kernels::kPanelPointsMin) return;
        const Sequence sequence = dataset.read(i);
        rows[i] = kernels::panel_features(view_of(sequence));
    };
    spread(dataset.size(), options.threads, make, progress);
    std::vector<std::size_t> which;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].empty())
            out.skipped.push_back(dataset.info(i).name);
        else
            which.push_back(i);
    }
    if (which.empty()) {
        throw JobError("no_features", "no sequence has the " + std::to_string(kernels::kPanelFramesMin) +
                                          " frames and " + std::to_string(kernels::kPanelPointsMin) +
                                          " points that set=native needs");
    }
    std::vector<std::string> names;
    std::vector<std::vector<double>> columns;
    for (std::size_t j = 0; j < all.size(); ++j) {
        if (all[j].is_conditioning && !options.with_conditioning) continue;
        names.push_back(all[j].name);
        columns.emplace_back();
        for (const std::size_t i : which) columns.back().push_back(rows[i][j]);
    }
    if (!options.keeps_idle) out.dropped = idle_columns(names, columns);
    Table table;
    add_descriptions(table, dataset, which);
    for (std::size_t j = 0; j < names.size(); ++j) {
        if (is_dropped(out.dropped, names[j])) continue;
        add_numbers(table, names[j], std::move(columns[j]), options.is_float);
        out.features.push_back(names[j]);
    }
    table.notes["set"] = options.set;
    sink(std::move(table));
    return out;
}

/// The reference's rows of every sequence.
class CompatRows {
  public:
    CompatRows(const Dataset& dataset, const FeatureTableOptions& options)
        : dataset_(dataset), options_(options), features_(kernels::compat_columns()) {
        if (options.set == "compat21") features_.resize(kernels::kCompatBaseColumns);
        own_ = features_.size();
        if (!has_global()) return;
        for (const std::string& name : kernels::compat_global_columns()) features_.push_back(name);
    }

    const std::vector<std::string>& features() const { return features_; }

    Rows of(std::size_t i) const {
        const Sequence s = dataset_.read(i);
        const kernels::CompatFeatures f = kernels::compat_features(view_of(s), frame_metrics_of(s));
        const std::size_t global = features_.size() - own_;
        Rows rows;
        rows.values.reserve((s.frame_number.size() + 1) * features_.size());
        for (std::size_t frame = 0; frame < s.frame_number.size(); ++frame) {
            const double* from = f.rows.data() + frame * kernels::kCompatColumns;
            rows.values.insert(rows.values.end(), from, from + own_);
            rows.values.insert(rows.values.end(), global, kNaN);
            rows.frames.push_back(s.frame_number[frame]);
        }
        if (has_global()) {
            rows.values.insert(rows.values.end(), own_, kNaN);
            rows.values.insert(rows.values.end(), f.global.begin(), f.global.end());
            rows.frames.push_back(kNaN);
        }
        return rows;
    }

    /// Rows of the sequences from `first` on.
    Table table(const std::vector<Rows>& rows, std::size_t first) const {
        std::vector<std::string> sequence;
        std::vector<double> frame;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            sequence.insert(sequence.end(), rows[i].frames.size(), dataset_.info(first + i).name);
            frame.insert(frame.end(), rows[i].frames.begin(), rows[i].frames.end());
        }
        const std::size_t count = frame.size(), width = features_.size();
        Table out;
        out.add("sequence", std::move(sequence));
        out.add("frame", std::move(frame));
        for (std::size_t j = 0; j < width; ++j) {
            std::vector<double> column;
            column.reserve(count);
            for (const Rows& part : rows) {
                for (std::size_t r = 0; r < part.frames.size(); ++r)
                    column.push_back(part.values[r * width + j]);
            }
            add_numbers(out, features_[j], std::move(column), options_.is_float);
        }
        out.notes["set"] = options_.set;
        return out;
    }

  private:
    bool has_global() const { return options_.set == "compat81"; }

    const Dataset& dataset_;
    const FeatureTableOptions& options_;
    std::vector<std::string> features_;
    std::size_t own_ = 0;  ///< features a frame; the others are of the whole sequence
};

FeatureFacts stream_compat(const Dataset& dataset, const FeatureTableOptions& options,
                           const FeatureProgress& progress, const FeatureSink& sink) {
    const CompatRows compat(dataset, options);
    if (dataset.size() == 0) sink(compat.table({}, 0));
    spread_in_stretches<Rows>(
        dataset.size(), options.threads,
        [&](std::size_t i) { return static_cast<std::size_t>(dataset.info(i).frames); }, kPieceRows,
        [&](std::size_t i) { return compat.of(i); },
        [&](std::size_t first, const std::vector<Rows>& rows) { sink(compat.table(rows, first)); }, progress);
    return {compat.features(), {}, {}};
}

}  // namespace

FeatureFacts stream_features(const Dataset& dataset, const FeatureTableOptions& options,
                             const FeatureProgress& progress, const FeatureSink& sink) {
    return options.set == "native" ? stream_native(dataset, options, progress, sink)
                                   : stream_compat(dataset, options, progress, sink);
}

Table sequences_table(const Dataset& dataset) {
    Table table;
    std::vector<std::size_t> all(dataset.size());
    std::vector<double> frames, points, fps, scale;
    for (std::size_t i = 0; i < dataset.size(); ++i) {
        all[i] = i;
        frames.push_back(dataset.info(i).frames);
        points.push_back(dataset.info(i).points);
        fps.push_back(dataset.info(i).fps);
        scale.push_back(dataset.info(i).meters_per_pixel);
    }
    add_descriptions(table, dataset, all);
    table.add("frames", std::move(frames));
    table.add("points", std::move(points));
    table.add("fps", std::move(fps));
    table.add("meters_per_pixel", std::move(scale));
    return table;
}

}  // namespace nightshift::jobs
