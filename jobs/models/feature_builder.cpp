#include "jobs/models/feature_builder.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

#include "jobs/runtime/job_impl.h"
#include "jobs/table/table_reader.h"

namespace nightshift::jobs {
namespace {

bool has(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

template <typename Integer>
void append_integers(const Table& table, std::string_view name, std::vector<Integer>& to) {
    const Column* column = table.find(name);
    if (column == nullptr || column->is_text()) {
        to.resize(to.size() + table.rows(), -1);
        return;
    }
    for (const double value : table.numbers(name))
        to.push_back(std::isfinite(value) ? static_cast<Integer>(value) : -1);
}

void append_words(const Table& table, std::string_view name, Words& to) {
    const Column* column = table.find(name);
    if (column == nullptr) {
        for (std::size_t r = 0; r < table.rows(); ++r) to.push_back("");
    } else if (const auto* words = std::get_if<std::vector<std::string>>(&column->values)) {
        for (const std::string& word : *words) to.push_back(word);
    } else {
        for (const std::string& word : table.text(name)) to.push_back(word);
    }
}

}  // namespace

void describe_rows(FeatureSet& set, const Table& table) {
    append_words(table, "sequence", set.sequence);
    append_integers(table, "frame", set.frame);
    append_integers(table, "label", set.label);
    append_words(table, "scenario", set.scenario);
    append_words(table, "goal", set.goal);
    append_integers(table, "event_frame", set.event_frame);
    if (table.find("split") == nullptr) {
        set.split.resize(set.split.size() + table.rows(), Split::kNone);
        return;
    }
    for (const std::string& word : table.text("split")) set.split.push_back(split_of(word));
}

FeatureBuilder::FeatureBuilder(std::string origin, ColumnChoice choice, RowRoom room)
    : origin_(std::move(origin)), choice_(std::move(choice)), room_(std::move(room)) {}

void FeatureBuilder::start(const Table& piece) {
    const bool is_plain = piece.find("sequence") == nullptr;
    set_.names = choice_.only;
    if (set_.names.empty()) {
        for (const std::string& name : piece.numeric_names()) {
            if (has(choice_.without, name) || (!is_plain && is_descriptive_column(name))) continue;
            set_.names.push_back(name);
        }
    }
    if (const auto note = piece.notes.find("set"); note != piece.notes.end()) set_.set = note->second;
    values_.emplace(set_.columns(), room_);
    for (const std::string& name : choice_.also) {
        if (piece.find(name) == nullptr) piece.text(name);  // says which one is near
    }
}

Table FeatureBuilder::kept_of(const Table& piece) const {
    Table kept;
    for (const Column& column : piece.columns()) {
        const bool is_used =
            has(set_.names, column.name) || column.name == "sequence" || column.name == "frame";
        if (!is_used || has(choice_.also, column.name)) kept.add(column.name, column.values);
    }
    return kept;
}

void FeatureBuilder::add(const Table& piece) {
    if (!values_) start(piece);
    values_->append(piece.matrix(set_.names));
    append_rows(kept_, kept_of(piece));
    if (piece.find("sequence") != nullptr) describe_rows(set_, piece);
    set_.rows += static_cast<std::int64_t>(piece.rows());
}

FeatureSet FeatureBuilder::features() {
    if (set_.names.empty() || set_.rows == 0) {
        throw JobError("bad_table",
                       origin_ + " has " + std::to_string(set_.rows) + " rows and " +
                           std::to_string(set_.names.size()) +
                           " columns of numbers; give a table with a header and numbers below it");
    }
    FeatureSet out = std::move(set_);
    out.origin = origin_;
    out.put_values(std::move(*values_));
    return out;
}

Table FeatureBuilder::columns() {
    return std::move(kept_);
}

}  // namespace nightshift::jobs
