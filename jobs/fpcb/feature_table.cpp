#include "jobs/fpcb/feature_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <nlohmann/json.hpp>

#include "jobs/fpcb/frame_metrics.h"
#include "jobs/models/normalizer.h"
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

/// Runs make(i) for every sequence on several threads; results stay in order. `progress` is called by
/// this thread, and what it throws ends the work.
std::vector<Rows> for_each_sequence(std::size_t count, int threads,
                                    const std::function<Rows(std::size_t)>& make,
                                    const FeatureProgress& progress) {
    std::vector<Rows> out(count);
    spread(
        count, threads, [&](std::size_t i) { out[i] = make(i); }, progress);
    return out;
}

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

FeatureTable native_table(const Dataset& dataset, const FeatureTableOptions& options,
                          const FeatureProgress& progress) {
    FeatureTable out;
    const auto all = kernels::panel_feature_names();
    const auto make = [&](std::size_t i) {
        const SequenceInfo& info = dataset.info(i);
        if (info.frames < kernels::kPanelFramesMin || info.points < kernels::kPanelPointsMin) return Rows{};
        const Sequence sequence = dataset.read(i);
        return Rows{kernels::panel_features(view_of(sequence)), {kNaN}};
    };
    const std::vector<Rows> rows = for_each_sequence(dataset.size(), options.threads, make, progress);
    std::vector<std::size_t> which;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].values.empty())
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
        for (const std::size_t i : which) columns.back().push_back(rows[i].values[j]);
    }
    if (!options.keeps_idle) out.dropped = idle_columns(names, columns);
    add_descriptions(out.table, dataset, which);
    for (std::size_t j = 0; j < names.size(); ++j) {
        if (is_dropped(out.dropped, names[j])) continue;
        add_numbers(out.table, names[j], std::move(columns[j]), options.is_float);
        out.features.push_back(names[j]);
    }
    return out;
}

FeatureTable compat_table(const Dataset& dataset, const FeatureTableOptions& options,
                          const FeatureProgress& progress) {
    FeatureTable out;
    out.features = kernels::compat_columns();
    const bool with_global = options.set == "compat81";
    if (options.set == "compat21") out.features.resize(kernels::kCompatBaseColumns);
    const std::size_t own = out.features.size();
    if (with_global) {
        for (const std::string& name : kernels::compat_global_columns()) out.features.push_back(name);
    }
    const std::size_t width = out.features.size();
    const auto make = [&](std::size_t i) {
        const Sequence s = dataset.read(i);
        const kernels::CompatFeatures f = kernels::compat_features(view_of(s), frame_metrics_of(s));
        Rows rows;
        for (std::size_t frame = 0; frame < s.frame_number.size(); ++frame) {
            const double* from = f.rows.data() + frame * kernels::kCompatColumns;
            rows.values.insert(rows.values.end(), from, from + own);
            rows.values.insert(rows.values.end(), width - own, kNaN);
            rows.frames.push_back(s.frame_number[frame]);
        }
        if (with_global) {
            rows.values.insert(rows.values.end(), own, kNaN);
            rows.values.insert(rows.values.end(), f.global.begin(), f.global.end());
            rows.frames.push_back(kNaN);
        }
        return rows;
    };
    const std::vector<Rows> rows = for_each_sequence(dataset.size(), options.threads, make, progress);
    std::vector<std::string> sequence;
    std::vector<double> frame;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        sequence.insert(sequence.end(), rows[i].frames.size(), dataset.info(i).name);
        frame.insert(frame.end(), rows[i].frames.begin(), rows[i].frames.end());
    }
    out.table.add("sequence", std::move(sequence));
    out.table.add("frame", std::move(frame));
    for (std::size_t j = 0; j < width; ++j) {
        std::vector<double> column;
        column.reserve(out.table.rows());
        for (const Rows& part : rows) {
            for (std::size_t r = 0; r < part.frames.size(); ++r) column.push_back(part.values[r * width + j]);
        }
        add_numbers(out.table, out.features[j], std::move(column), options.is_float);
    }
    return out;
}

}  // namespace

FeatureTable make_feature_table(const Dataset& dataset, const FeatureTableOptions& options,
                                const FeatureProgress& progress) {
    FeatureTable out = options.set == "native" ? native_table(dataset, options, progress)
                                               : compat_table(dataset, options, progress);
    out.table.notes["set"] = options.set;
    return out;
}

nlohmann::json normalizer_of(const FeatureTable& features, const Dataset& dataset, const std::string& set) {
    std::map<std::string, const SequenceInfo*> infos;
    bool has_split = false;
    for (std::size_t i = 0; i < dataset.size(); ++i) {
        infos[dataset.info(i).name] = &dataset.info(i);
        has_split = has_split || dataset.info(i).split == Split::kTrain;
    }
    const std::vector<std::string> sequence = features.table.text("sequence");
    const std::vector<double> all = features.table.matrix(features.features);
    const std::size_t width = features.features.size();
    std::vector<double> normal;
    for (std::size_t i = 0; i < sequence.size(); ++i) {
        const SequenceInfo& info = *infos.at(sequence[i]);
        if (info.label == 1 || (has_split && info.split != Split::kTrain)) continue;
        normal.insert(normal.end(), all.begin() + static_cast<std::ptrdiff_t>(i * width),
                      all.begin() + static_cast<std::ptrdiff_t>((i + 1) * width));
    }
    nlohmann::ordered_json out;
    out["set"] = set;
    out["columns"] = features.features;
    out["rows"] = width > 0 ? normal.size() / width : 0;
    if (!normal.empty()) {
        const Normalizer fitted = fit_normalizer(normal, width);
        const nlohmann::json numbers = to_json(fitted);  // named: items() must not outlive it
        for (const auto& [key, value] : numbers.items()) out[key] = value;
        nlohmann::ordered_json zeroed = nlohmann::ordered_json::array();
        for (std::size_t j = 0; j < width; ++j) {
            if (fitted.is_zeroed[j]) zeroed.push_back(features.features[j]);
        }
        out["without_spread"] = zeroed;
    }
    nlohmann::ordered_json dropped = nlohmann::ordered_json::array();
    for (const DroppedColumn& column : features.dropped)
        dropped.push_back({{"name", column.name}, {"reason", column.reason}});
    out["dropped"] = dropped;
    out["skipped_sequences"] = features.skipped;
    return out;
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
