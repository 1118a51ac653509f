#include "jobs/models/feature_set.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

#include "jobs/models/feature_builder.h"
#include "jobs/runtime/job_impl.h"
#include "jobs/table/nearest_word.h"

namespace nightshift::jobs {
namespace {

/// Columns that a message names before it only counts them.
constexpr std::size_t kNamedMax = 5;

Words picked(const Words& from, const std::vector<std::int64_t>& rows) {
    return from.empty() ? Words() : from.picked(rows);
}

template <typename T>
std::vector<T> picked(const std::vector<T>& from, const std::vector<std::int64_t>& rows) {
    std::vector<T> out;
    if (from.empty()) return out;
    out.reserve(rows.size());
    for (const std::int64_t row : rows) out.push_back(from[static_cast<std::size_t>(row)]);
    return out;
}

}  // namespace

bool is_descriptive_column(std::string_view name) {
    static constexpr std::array<std::string_view, 10> kNames{
        "sequence", "frame", "label", "split", "scenario", "goal", "event_frame", "fold", "id", "row"};
    return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

std::vector<double> FeatureSet::values(std::int64_t first, std::int64_t count) const {
    if (!places_.empty()) {
        return stored(
            std::span(places_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)));
    }
    std::vector<double> out(static_cast<std::size_t>(count * columns()));
    store_->read(first, out);
    return out;
}

std::vector<double> FeatureSet::values(std::span<const std::int64_t> which) const {
    if (places_.empty()) return stored(which);
    std::vector<std::int64_t> places;
    places.reserve(which.size());
    for (const std::int64_t row : which) places.push_back(places_[static_cast<std::size_t>(row)]);
    return stored(places);
}

std::vector<double> FeatureSet::stored(std::span<const std::int64_t> places) const {
    std::vector<double> out(places.size() * names.size());
    store_->gather(places, out);
    return out;
}

std::int64_t FeatureSet::table_row(std::int64_t row) const {
    return places_.empty() ? row : places_[static_cast<std::size_t>(row)];
}

void FeatureSet::put_values(RowStore<double> values) {
    rows = values.rows();
    store_ = std::make_shared<const RowStore<double>>(std::move(values));
    places_.clear();
}

void describe_from_dataset(FeatureSet& set, const Dataset& dataset) {
    std::unordered_map<std::string_view, std::size_t> places;
    for (std::size_t i = 0; i < dataset.size(); ++i) places.emplace(dataset.info(i).name, i);
    std::vector<const SequenceInfo*> infos;  // of each name in the set
    for (const std::string& name : set.sequence.distinct()) {
        const auto place = places.find(name);
        if (place == places.end()) {
            throw JobError("dataset_mismatch", "sequence '" + name + "' of " + set.origin +
                                                   " is not in the data set; give the data set that these "
                                                   "features were extracted from");
        }
        infos.push_back(&dataset.info(place->second));
    }
    Words scenario, goal;
    for (std::size_t r = 0; r < set.sequence.size(); ++r) {
        const SequenceInfo& info = *infos[set.sequence.code(r)];
        set.label[r] = info.label;
        set.split[r] = info.split;
        scenario.push_back(info.scenario);
        goal.push_back(info.goal);
        set.event_frame[r] = info.event_frame;
    }
    set.scenario = std::move(scenario);
    set.goal = std::move(goal);
}

void describe_from_table(FeatureSet& set, const Table& sequences) {
    FeatureSet known;
    describe_rows(known, sequences);
    std::unordered_map<std::string_view, std::size_t> places;
    for (std::size_t i = 0; i < known.sequence.size(); ++i) places.emplace(known.sequence[i], i);
    Words scenario, goal;
    for (std::size_t r = 0; r < set.sequence.size(); ++r) {
        const auto place = places.find(set.sequence[r]);
        const bool is_known = place != places.end();
        scenario.push_back(is_known ? known.scenario[place->second] : set.scenario[r]);
        goal.push_back(is_known ? known.goal[place->second] : set.goal[r]);
        if (!is_known) continue;
        set.label[r] = known.label[place->second];
        set.split[r] = known.split[place->second];
        set.event_frame[r] = known.event_frame[place->second];
    }
    set.scenario = std::move(scenario);
    set.goal = std::move(goal);
}

FeatureSet rows_of(const FeatureSet& set, const std::vector<std::int64_t>& rows) {
    FeatureSet out;
    out.names = set.names;
    out.origin = set.origin;
    out.set = set.set;
    out.rows = static_cast<std::int64_t>(rows.size());
    out.store_ = set.store_;
    out.places_.reserve(rows.size());
    for (const std::int64_t row : rows) out.places_.push_back(set.table_row(row));
    out.sequence = picked(set.sequence, rows);
    out.frame = picked(set.frame, rows);
    out.label = picked(set.label, rows);
    out.split = picked(set.split, rows);
    out.scenario = picked(set.scenario, rows);
    out.goal = picked(set.goal, rows);
    out.event_frame = picked(set.event_frame, rows);
    return out;
}

std::vector<std::int64_t> normal_training_rows(const FeatureSet& set) {
    std::vector<std::int64_t> rows;
    const bool has_splits =
        std::any_of(set.split.begin(), set.split.end(), [](Split split) { return split != Split::kNone; });
    for (std::int64_t r = 0; r < set.rows; ++r) {
        const auto at = static_cast<std::size_t>(r);
        if (!set.is_plain()) {
            if (set.label[at] == 1) continue;
            if (has_splits && set.split[at] != Split::kTrain) continue;
        }
        rows.push_back(r);
    }
    if (rows.empty()) {
        throw JobError("no_training_rows", set.origin +
                                               " has no normal row in its training split; give features "
                                               "of a data set with normal sequences, or a plain table");
    }
    return rows;
}

std::vector<std::int64_t> feature_places(const FeatureSet& set, const std::vector<std::string>& names,
                                         const std::string& model) {
    std::unordered_map<std::string_view, std::int64_t> places;
    for (std::size_t j = 0; j < set.names.size(); ++j)
        places.emplace(set.names[j], static_cast<std::int64_t>(j));
    std::vector<std::int64_t> columns;
    std::vector<std::string> missing;
    for (const std::string& name : names) {
        const auto place = places.find(name);
        if (place == places.end()) {
            missing.push_back(name);
        } else {
            columns.push_back(place->second);
        }
    }
    if (!missing.empty()) {
        std::string list;
        for (std::size_t i = 0; i < std::min(missing.size(), kNamedMax); ++i) {
            list += (i == 0 ? "'" : ", '") + missing[i] + "'";
        }
        if (missing.size() > kNamedMax)
            list += " and " + std::to_string(missing.size() - kNamedMax) + " more";
        throw JobError("feature_mismatch",
                       "model '" + model + "' was trained on " + std::to_string(names.size()) +
                           " features; " + set.origin + " (" + std::to_string(set.names.size()) +
                           " features) lacks " + list + "." + did_you_mean(missing.front(), set.names) +
                           " Extract the same set of features as for its training, or train again");
    }
    return columns;
}

void require_finite(std::span<const double> values, const std::vector<std::string>& names,
                    const std::string& origin, std::int64_t first_row) {
    const auto bad =
        std::find_if_not(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
    if (bad == values.end()) return;
    const auto at = static_cast<std::size_t>(bad - values.begin());
    throw JobError("bad_table",
                   origin + ": row " +
                       std::to_string(first_row + static_cast<std::int64_t>(at / names.size())) +
                       ", column '" + names[at % names.size()] +
                       "' is empty or not finite; fill it in, leave the column out with columns, or "
                       "use normalize: true (empty cells become the mean)");
}

void require_finite(const FeatureSet& set) {
    const std::size_t width = set.names.size();
    for_blocks(set, [&](std::int64_t first, const std::vector<double>& values) {
        for (std::size_t r = 0; r * width < values.size(); ++r) {
            require_finite(std::span(values).subspan(r * width, width), set.names, set.origin,
                           set.table_row(first + static_cast<std::int64_t>(r)));
        }
    });
}

}  // namespace nightshift::jobs
