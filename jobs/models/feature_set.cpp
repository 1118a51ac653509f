#include "jobs/models/feature_set.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

#include "jobs/runtime/job_impl.h"
#include "jobs/table/nearest_word.h"

namespace nightshift::jobs {
namespace {

/// Columns that a message names before it only counts them.
constexpr std::size_t kNamedMax = 5;

bool has(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<std::int64_t> integers(const Table& table, std::string_view name, std::int64_t missing) {
    std::vector<std::int64_t> out(table.rows(), missing);
    if (!table.find(name) || table.find(name)->is_text()) return out;
    const std::vector<double> values = table.numbers(name);
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (std::isfinite(values[i])) out[i] = static_cast<std::int64_t>(values[i]);
    }
    return out;
}

std::vector<int> small_integers(const Table& table, std::string_view name) {
    std::vector<int> out;
    for (const std::int64_t value : integers(table, name, -1)) out.push_back(static_cast<int>(value));
    return out;
}

std::vector<std::string> words(const Table& table, std::string_view name) {
    if (!table.find(name)) return std::vector<std::string>(table.rows());
    return table.text(name);
}

void describe(FeatureSet& set, const Table& table) {
    set.sequence = table.text("sequence");
    set.frame = integers(table, "frame", -1);
    set.label = small_integers(table, "label");
    set.scenario = words(table, "scenario");
    set.goal = words(table, "goal");
    set.event_frame = small_integers(table, "event_frame");
    for (const std::string& word : words(table, "split")) set.split.push_back(split_of(word));
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

FeatureSet features_of_table(const Table& table, const std::string& origin,
                             const std::vector<std::string>& columns,
                             const std::vector<std::string>& without) {
    FeatureSet set;
    set.origin = origin;
    set.rows = static_cast<std::int64_t>(table.rows());
    const bool is_plain = table.find("sequence") == nullptr;
    if (columns.empty()) {
        for (const std::string& name : table.numeric_names()) {
            if (has(without, name) || (!is_plain && is_descriptive_column(name))) continue;
            set.names.push_back(name);
        }
    } else {
        set.names = columns;
    }
    if (set.names.empty() || set.rows == 0) {
        throw JobError("bad_table",
                       origin + " has " + std::to_string(table.rows()) + " rows and " +
                           std::to_string(set.names.size()) +
                           " columns of numbers; give a table with a header and numbers below it");
    }
    set.values = table.matrix(set.names);
    if (const auto note = table.notes.find("set"); note != table.notes.end()) set.set = note->second;
    if (!is_plain) describe(set, table);
    return set;
}

void describe_from_dataset(FeatureSet& set, const Dataset& dataset) {
    std::unordered_map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < dataset.size(); ++i) places.emplace(dataset.info(i).name, i);
    for (std::size_t r = 0; r < set.sequence.size(); ++r) {
        const auto place = places.find(set.sequence[r]);
        if (place == places.end()) {
            throw JobError("dataset_mismatch", "sequence '" + set.sequence[r] + "' of " + set.origin +
                                                   " is not in the data set; give the data set that these "
                                                   "features were extracted from");
        }
        const SequenceInfo& info = dataset.info(place->second);
        set.label[r] = info.label;
        set.split[r] = info.split;
        set.scenario[r] = info.scenario;
        set.goal[r] = info.goal;
        set.event_frame[r] = info.event_frame;
    }
}

void describe_from_table(FeatureSet& set, const Table& sequences) {
    FeatureSet known;
    describe(known, sequences);
    std::unordered_map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < known.sequence.size(); ++i) places.emplace(known.sequence[i], i);
    for (std::size_t r = 0; r < set.sequence.size(); ++r) {
        const auto place = places.find(set.sequence[r]);
        if (place == places.end()) continue;
        set.label[r] = known.label[place->second];
        set.split[r] = known.split[place->second];
        set.scenario[r] = known.scenario[place->second];
        set.goal[r] = known.goal[place->second];
        set.event_frame[r] = known.event_frame[place->second];
    }
}

FeatureSet rows_of(const FeatureSet& set, const std::vector<std::int64_t>& rows) {
    FeatureSet out;
    out.names = set.names;
    out.origin = set.origin;
    out.set = set.set;
    out.rows = static_cast<std::int64_t>(rows.size());
    out.values.reserve(rows.size() * set.names.size());
    for (const std::int64_t row : rows) {
        out.values.insert(out.values.end(), set.row(row), set.row(row) + set.columns());
    }
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

std::vector<double> select_features(const FeatureSet& set, const std::vector<std::string>& names,
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
    std::vector<double> out;
    out.reserve(static_cast<std::size_t>(set.rows) * names.size());
    for (std::int64_t r = 0; r < set.rows; ++r) {
        for (const std::int64_t column : columns) out.push_back(set.row(r)[column]);
    }
    return out;
}

void require_finite(const std::vector<double>& values, const std::vector<std::string>& names,
                    const std::string& origin) {
    const auto bad =
        std::find_if_not(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
    if (bad == values.end()) return;
    const auto at = static_cast<std::size_t>(bad - values.begin());
    throw JobError("bad_table",
                   origin + ": row " + std::to_string(at / names.size()) + ", column '" +
                       names[at % names.size()] +
                       "' is empty or not finite; fill it in, leave the column out with columns, or "
                       "use normalize: true (empty cells become the mean)");
}

}  // namespace nightshift::jobs
