#include "jobs/models/normalizer.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

/// Spread below this share of the mean's size is rounding, not information.
constexpr double kNoSpread = 1e-12;

}  // namespace

void Normalizer::apply(std::span<double> values) const {
    const std::size_t d = columns();
    for (std::size_t at = 0; at < values.size(); ++at) {
        const std::size_t j = at % d;
        const double value = values[at];
        values[at] = is_zeroed[j] || !std::isfinite(value) ? 0.0 : (value - mean[j]) / deviation[j];
    }
}

NormalizerFit::NormalizerFit(std::size_t columns) : count_(columns, 0), sum_(columns, 0.0) {
    fitted_.mean.assign(columns, 0.0);
    fitted_.deviation.assign(columns, 0.0);
    fitted_.is_zeroed.assign(columns, 1);
}

void NormalizerFit::add(std::span<const double> rows) {
    const std::size_t columns = sum_.size();
    if (!has_means_) rows_ += columns > 0 ? rows.size() / columns : 0;
    for (std::size_t at = 0; at < rows.size();) {
        for (std::size_t j = 0; j < columns; ++j, ++at) {
            const double value = rows[at];
            if (!std::isfinite(value)) continue;
            if (has_means_) {
                sum_[j] += (value - fitted_.mean[j]) * (value - fitted_.mean[j]);
            } else {
                sum_[j] += value;
                ++count_[j];
            }
        }
    }
}

void NormalizerFit::start_again() {
    for (std::size_t j = 0; j < sum_.size(); ++j)
        if (count_[j] > 0) fitted_.mean[j] = sum_[j] / static_cast<double>(count_[j]);
    sum_.assign(sum_.size(), 0.0);
    has_means_ = true;
}

Normalizer NormalizerFit::finish() const {
    Normalizer out = fitted_;
    for (std::size_t j = 0; j < sum_.size(); ++j) {
        if (count_[j] == 0) continue;
        if (count_[j] > 1) out.deviation[j] = std::sqrt(sum_[j] / static_cast<double>(count_[j] - 1));
        out.is_zeroed[j] = out.deviation[j] <= kNoSpread * std::abs(out.mean[j]) ? 1 : 0;
    }
    return out;
}

Normalizer fit_normalizer(std::span<const double> values, std::size_t columns) {
    NormalizerFit fit(columns);
    fit.add(values.first(values.size() / columns * columns));
    fit.start_again();
    fit.add(values.first(values.size() / columns * columns));
    return fit.finish();
}

nlohmann::json to_json(const Normalizer& normalizer) {
    return {{"mean", normalizer.mean}, {"deviation", normalizer.deviation}, {"zeroed", normalizer.is_zeroed}};
}

Normalizer normalizer_from_json(const nlohmann::json& json, const std::string& origin) {
    Normalizer out;
    try {
        json.at("mean").get_to(out.mean);
        json.at("deviation").get_to(out.deviation);
        json.at("zeroed").get_to(out.is_zeroed);
    } catch (const nlohmann::json::exception& error) {
        throw JobError("bad_model",
                       origin + ": the normalizer cannot be read (" + error.what() + "); train again");
    }
    if (out.mean.size() != out.deviation.size() || out.mean.size() != out.is_zeroed.size()) {
        throw JobError("bad_model", origin + ": the normalizer's arrays differ in length; train again");
    }
    return out;
}

}  // namespace nightshift::jobs
