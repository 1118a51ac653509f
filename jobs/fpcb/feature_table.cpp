#include "jobs/fpcb/feature_table.h"

#include <algorithm>
#include <utility>

#include "jobs/fpcb/compat_rows.h"
#include "jobs/fpcb/frame_metrics.h"
#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/spread.h"
#include "kernels/panel_features.h"

namespace nightshift::jobs {

namespace {

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
    sink(table);
    return out;
}

FeatureFacts stream_compat(const Dataset& dataset, const FeatureTableOptions& options,
                           const FeatureProgress& progress, const FeatureSink& sink) {
    CompatRows compat(dataset, options);
    if (dataset.size() == 0) sink(compat.table({}, 0));
    spread_in_stretches<CompatSequenceRows>(
        dataset.size(), options.threads,
        [&](std::size_t i) { return static_cast<std::size_t>(dataset.info(i).frames); }, kPieceRows,
        [&](std::size_t i) { return compat.of(i); },
        [&](std::size_t first, const std::vector<CompatSequenceRows>& parts) {
            sink(compat.table(parts, first));
        },
        progress);
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
