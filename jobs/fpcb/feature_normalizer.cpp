#include "jobs/fpcb/feature_normalizer.h"

#include <algorithm>
#include <utility>

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
    const std::size_t width = names_.size();
    const std::vector<double> rows = piece.matrix(names_);
    const auto& sequence = std::get<std::vector<std::string>>(piece.find("sequence")->values);
    for (std::size_t row = 0; row < sequence.size(); ++row) {
        const bool counts = counted_.contains(sequence[row]);
        if (runs_.empty() || runs_.back().counts != counts) runs_.push_back({0, counts});
        ++runs_.back().rows;
        if (counts) fit_->add(std::span(rows).subspan(row * width, width));
    }
}

nlohmann::json FeatureNormalizer::finish(TableReader& written, const FeatureFacts& facts,
                                         const std::function<void()>& progress) {
    fit_->start_again();
    const std::size_t width = names_.size();
    Table piece;
    // Rows are told by their place: a CSV has no types, so a name in it may be read as a number.
    std::size_t run = 0, left = runs_.empty() ? 0 : runs_.front().rows;
    while (written.next(piece)) {
        progress();
        std::vector<double> rows = piece.matrix(names_);
        if (is_float_)  // a CSV's floats are read as doubles with other digits behind the ninth
            std::transform(rows.begin(), rows.end(), rows.begin(),
                           [](double value) { return static_cast<double>(static_cast<float>(value)); });
        for (std::size_t first = 0; first < piece.rows();) {
            while (left == 0) left = runs_.at(++run).rows;
            const std::size_t count = std::min(left, piece.rows() - first);
            if (runs_[run].counts) fit_->add(std::span(rows).subspan(first * width, count * width));
            first += count;
            left -= count;
        }
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
