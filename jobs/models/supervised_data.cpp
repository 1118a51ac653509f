#include "jobs/models/supervised_data.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "jobs/runtime/job_impl.h"
#include "jobs/table/nearest_word.h"
#include "kernels/philox.h"

namespace nightshift::jobs {
namespace {

constexpr std::uint32_t kHoldOutDraw = 0x5b02;
/// One group in so many is kept back where the table has no validation split.
constexpr std::size_t kHoldOutEvery = 5;
/// Rows of each class below which training or validating means nothing.
constexpr std::int64_t kTrainingRowsMin = 10, kValidationRowsMin = 2;

constexpr int kUnknown = -1;

/// What a cell of the label column says; `row` for the message.
int label_of(double value, const std::string& column, const std::string& origin, std::int64_t row,
             bool is_plain) {
    if (value == 0 || value == 1) return value == 1 ? 1 : 0;
    const bool is_missing = std::isnan(value);
    if (!is_plain && (is_missing || value == kUnknown)) return kUnknown;
    throw JobError("bad_labels",
                   origin + ": row " + std::to_string(row) + ", column '" + column + "' is " +
                       (is_missing ? std::string("empty") : "'" + std::to_string(value) + "'") +
                       "; a label is 1 for damaged or 0 for not: " +
                       (is_missing ? "fill it in or remove the row"
                                   : "give another column with label, or map its values to 0 and 1"));
}

/// Every column of numbers that the table had.
std::vector<std::string> numbers_of(const FeaturesInput& input) {
    std::vector<std::string> names = input.table.numeric_names();
    names.insert(names.end(), input.set.names.begin(), input.set.names.end());
    return names;
}

std::vector<int> labels_of(const FeaturesInput& input, const std::string& column) {
    const FeatureSet& set = input.set;
    const Column* found = input.table.find(column);
    const bool is_described =
        !set.is_plain() && column == "label" && (input.dataset != nullptr || found == nullptr);
    const bool is_known =
        std::any_of(set.label.begin(), set.label.end(), [](int label) { return label != kUnknown; });
    if (is_described && is_known) return set.label;
    if (found == nullptr) {
        throw JobError("no_labels",
                       set.origin + " has no column '" + column + "'." +
                           did_you_mean(column, numbers_of(input)) +
                           " Name the column with 1 for damaged and 0 for other rows with label" +
                           (set.is_plain() ? "" : ", or give dataset, which knows them"));
    }
    if (found->is_text()) {
        throw JobError("bad_labels", set.origin + ": column '" + column +
                                         "' holds words; a label is 1 for damaged or 0 for not: give another "
                                         "column with label, or map its words to 0 and 1");
    }
    const std::vector<double> values = input.table.numbers(column);
    std::vector<int> labels;
    for (std::size_t r = 0; r < values.size(); ++r)
        labels.push_back(
            label_of(values[r], column, set.origin, static_cast<std::int64_t>(r), set.is_plain()));
    return labels;
}

std::vector<Split> splits_of(const FeaturesInput& input) {
    if (!input.set.is_plain()) return input.set.split;
    std::vector<Split> splits(static_cast<std::size_t>(input.set.rows), Split::kNone);
    const Column* column = input.table.find("split");
    if (column == nullptr || !column->is_text()) return splits;
    const std::vector<std::string> words = input.table.text("split");
    for (std::size_t r = 0; r < splits.size(); ++r) splits[r] = split_of(words[r]);
    return splits;
}

bool has(const std::vector<Split>& splits, Split wanted) {
    return std::find(splits.begin(), splits.end(), wanted) != splits.end();
}

/// Moves a fifth of the groups of each class from the training to the validation rows.
void hold_out(const FeatureSet& set, const std::vector<int>& labels, std::uint64_t seed,
              std::vector<std::int64_t>& training, std::vector<std::int64_t>& validation) {
    std::map<std::string, std::size_t> seen;
    std::vector<std::size_t> group_of_row;
    std::array<std::vector<std::pair<std::uint32_t, std::size_t>>, 2> groups;  // drawn word, group
    for (const std::int64_t row : training) {
        const auto at = static_cast<std::size_t>(row);
        const std::string name = set.is_plain() ? std::to_string(row) : set.sequence[at];
        const auto [place, is_new] = seen.emplace(name, seen.size());
        group_of_row.push_back(place->second);
        if (!is_new) continue;
        const auto element = static_cast<std::uint32_t>(place->second);
        const std::uint32_t word = kernels::philox({element, 0, kHoldOutDraw, 0}, seed).w0;
        groups[static_cast<std::size_t>(labels[at])].emplace_back(word, place->second);
    }
    std::set<std::size_t> kept_back;
    for (auto& of_class : groups) {
        std::sort(of_class.begin(), of_class.end());
        for (std::size_t i = 0; i < of_class.size() / kHoldOutEvery; ++i)
            kept_back.insert(of_class[i].second);
    }
    std::vector<std::int64_t> rest;
    for (std::size_t i = 0; i < training.size(); ++i)
        (kept_back.contains(group_of_row[i]) ? validation : rest).push_back(training[i]);
    training = std::move(rest);
}

LabelledSet labelled(const FeatureSet& set, const std::vector<int>& labels,
                     const std::vector<std::int64_t>& rows) {
    LabelledSet out;
    out.set = rows_of(set, rows);
    for (const std::int64_t row : rows) out.label.push_back(labels[static_cast<std::size_t>(row)]);
    return out;
}

void require_enough(const LabelledSet& rows, std::int64_t least, const char* what, const std::string& label) {
    const auto damaged = std::count(rows.label.begin(), rows.label.end(), 1);
    const auto other = static_cast<std::ptrdiff_t>(rows.label.size()) - damaged;
    if (damaged >= least && other >= least) return;
    const std::string counts =
        std::to_string(damaged) + " damaged and " + std::to_string(other) + " other rows " + what;
    if (!rows.label.empty() && (damaged == 0 || other == 0)) {
        throw JobError("no_labels", rows.set.origin + ": column '" + label + "' has one class only, " +
                                        counts +
                                        "; both are needed: give data with both, or learn "
                                        "without labels (train.dream, train.patchcore)");
    }
    throw JobError("no_training_rows", rows.set.origin + ": column '" + label + "' gives " + counts + "; " +
                                           std::to_string(least) +
                                           " of each are needed: give more rows, or another split");
}

/// Scenarios where every training and validation row has one.
void find_scenarios(SupervisedData& data) {
    const FeatureSet& training = data.training.set;
    const Words& words = training.scenario;
    std::set<std::string> names(words.distinct().begin(), words.distinct().end());
    if (names.contains("") || names.size() < 2) return;
    data.scenarios.assign(names.begin(), names.end());
    for (std::size_t r = 0; r < words.size(); ++r) {
        const auto at = std::lower_bound(data.scenarios.begin(), data.scenarios.end(), words[r]);
        data.training.scenario.push_back(at - data.scenarios.begin());
    }
}

}  // namespace

SupervisedData supervised_data(const FeaturesInput& input, const std::string& label, std::uint64_t seed) {
    const FeatureSet& set = input.set;
    const std::vector<int> labels = labels_of(input, label);
    const std::vector<Split> splits = splits_of(input);
    const Split wanted = has(splits, Split::kTrain) ? Split::kTrain : Split::kNone;
    SupervisedData out;
    std::vector<std::int64_t> training, validation;
    for (std::int64_t r = 0; r < set.rows; ++r) {
        const auto at = static_cast<std::size_t>(r);
        const bool is_variant = !set.is_plain() && set.goal[at] == "variant";
        if (is_variant || (splits[at] != wanted && splits[at] != Split::kVal)) continue;
        if (labels[at] == kUnknown) {
            ++out.unlabelled;
            continue;
        }
        (splits[at] == Split::kVal ? validation : training).push_back(r);
    }
    out.is_held_out = !has(splits, Split::kVal);
    if (out.is_held_out) hold_out(set, labels, seed, training, validation);
    out.training = labelled(set, labels, training);
    out.validation = labelled(set, labels, validation);
    require_enough(out.training, kTrainingRowsMin, "to train on", label);
    require_enough(out.validation, kValidationRowsMin, "in the validation split", label);
    find_scenarios(out);
    return out;
}

std::vector<float> balancing_weights(const LabelledSet& rows, std::size_t scenarios) {
    const auto total = static_cast<double>(rows.label.size());
    const auto damaged = static_cast<double>(std::count(rows.label.begin(), rows.label.end(), 1));
    std::vector<double> count(std::max<std::size_t>(scenarios, 1), 0);
    for (std::size_t r = 0; r < rows.label.size(); ++r) {
        if (rows.label[r] == 1)
            ++count[rows.scenario.empty() ? 0 : static_cast<std::size_t>(rows.scenario[r])];
    }
    // A damaged scenario's rows count by the root of their number: rare ones more, but not as much as all.
    double roots = 0;
    for (const double each : count) roots += std::sqrt(each);
    std::vector<float> out;
    for (std::size_t r = 0; r < rows.label.size(); ++r) {
        if (rows.label[r] == 0) {
            out.push_back(static_cast<float>(total / 2 / (total - damaged)));
            continue;
        }
        const double own = count[rows.scenario.empty() ? 0 : static_cast<std::size_t>(rows.scenario[r])];
        out.push_back(static_cast<float>(total / 2 / roots / std::sqrt(own)));
    }
    return out;
}

}  // namespace nightshift::jobs
