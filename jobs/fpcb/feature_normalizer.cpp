#include "jobs/fpcb/feature_normalizer.h"

#include <algorithm>
#include <utility>
#include <variant>

#include <nlohmann/json.hpp>

#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

Normalizer chosen(const Normalizer& all, const std::vector<std::string>& names,
                  const std::vector<std::string>& features) {
    Normalizer out;
    for (const std::string& name : features) {
        const auto j = static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
        out.mean.push_back(all.mean[j]);
        out.deviation.push_back(all.deviation[j]);
        out.is_zeroed.push_back(all.is_zeroed[j]);
    }
    return out;
}

/// A CSV's floats are read as doubles with other digits behind the ninth.
Table narrowed(Table&& piece) {
    std::vector<Column> columns = piece.release();
    for (Column& column : columns) {
        if (auto* doubles = std::get_if<std::vector<double>>(&column.values)) {
            for (double& value : *doubles) value = static_cast<double>(static_cast<float>(value));
        }
    }
    return Table(std::move(columns));
}

}  // namespace

FeatureNormalizer::FeatureNormalizer(const Dataset& dataset, const FeatureTableOptions& options)
    : set_(options.set), is_float_(options.is_float) {
    bool has_split = false;
    for (std::size_t i = 0; i < dataset.size(); ++i)
        has_split = has_split || dataset.info(i).split == Split::kTrain;
    for (std::size_t i = 0; i < dataset.size(); ++i) {
        const SequenceInfo& info = dataset.info(i);
        if (info.label != 1 && (!has_split || info.split == Split::kTrain)) counted_.insert(info.name);
    }
}

void FeatureNormalizer::add(const Table& piece) {
    if (!fit_) {
        names_ = piece.numeric_names();
        fit_.emplace(names_.size());
    }
    const auto& sequence = std::get<std::vector<std::string>>(piece.find("sequence")->values);
    std::vector<Run> runs;
    for (std::size_t row = 0; row < sequence.size(); ++row) {
        const bool is_same = row > 0 && sequence[row] == sequence[row - 1];
        const bool counts = is_same ? runs.back().counts : counted_.contains(sequence[row]);
        if (runs.empty() || runs.back().counts != counts) runs.push_back({0, counts});
        ++runs.back().rows;
    }
    add_counted(piece, runs);
    runs_.insert(runs_.end(), runs.begin(), runs.end());
}

void FeatureNormalizer::add_counted(const Table& piece, const std::vector<Run>& runs) {
    const std::vector<const Column*> columns = piece.number_columns(names_);
    std::size_t first = 0;
    for (const Run& run : runs) {
        const std::size_t end = first + run.rows;
        for (std::size_t at = run.counts ? first : end; at < end; at += kRowsTurned) {
            const std::size_t rows = std::min(kRowsTurned, end - at);
            turned_.resize(rows * columns.size());
            turn_rows(columns, at, rows, turned_.data());
            fit_->add(turned_);
        }
        first = end;
    }
}

nlohmann::json FeatureNormalizer::finish(TableReader& written, const FeatureFacts& facts,
                                         const std::function<void()>& progress) {
    fit_->start_again();
    Table piece;
    // Rows are told by their place: a CSV has no types, so a name in it may be read as a number.
    std::size_t run = 0, left = runs_.empty() ? 0 : runs_.front().rows;
    while (written.next(piece)) {
        progress();
        std::vector<Run> runs;
        for (std::size_t first = 0; first < piece.rows();) {
            while (left == 0) left = runs_.at(++run).rows;
            runs.push_back({std::min(left, piece.rows() - first), runs_[run].counts});
            first += runs.back().rows;
            left -= runs.back().rows;
        }
        if (is_float_) piece = narrowed(std::move(piece));
        add_counted(piece, runs);
    }
    nlohmann::ordered_json out;
    out["set"] = set_;
    out["columns"] = facts.features;
    out["rows"] = facts.features.empty() ? 0 : fit_->rows();
    if (!facts.features.empty() && fit_->rows() > 0) {
        const Normalizer fitted = chosen(fit_->finish(), names_, facts.features);
        const nlohmann::json numbers = to_json(fitted);  // named: items() must not outlive it
        for (const auto& [key, value] : numbers.items()) out[key] = value;
        nlohmann::ordered_json zeroed = nlohmann::ordered_json::array();
        for (std::size_t j = 0; j < facts.features.size(); ++j) {
            if (fitted.is_zeroed[j]) zeroed.push_back(facts.features[j]);
        }
        out["without_spread"] = zeroed;
    }
    nlohmann::ordered_json dropped = nlohmann::ordered_json::array();
    for (const DroppedColumn& column : facts.dropped)
        dropped.push_back({{"name", column.name}, {"reason", column.reason}});
    out["dropped"] = dropped;
    out["skipped_sequences"] = facts.skipped;
    return out;
}

}  // namespace nightshift::jobs
