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

NormalizerFit::NormalizerFit(std::size_t columns)
    : sum_(columns, 0), squares_(columns, 0), mean_(columns, 0), count_(columns, 0) {}

void NormalizerFit::add_to_means(std::span<const double> values) {
    const std::size_t d = sum_.size();
    for (std::size_t at = 0; at < values.size(); at += d) {
        for (std::size_t j = 0; j < d; ++j) {
            if (std::isfinite(values[at + j])) sum_[j] += values[at + j], ++count_[j];
        }
    }
}

void NormalizerFit::add_to_deviations(std::span<const double> values) {
    const std::size_t d = sum_.size();
    if (!has_means_) {
        for (std::size_t j = 0; j < d; ++j) {
            if (count_[j] > 0) mean_[j] = sum_[j] / static_cast<double>(count_[j]);
        }
        has_means_ = true;
    }
    for (std::size_t at = 0; at < values.size(); at += d) {
        for (std::size_t j = 0; j < d; ++j) {
            const double away = values[at + j] - mean_[j];
            if (std::isfinite(values[at + j])) squares_[j] += away * away;
        }
    }
}

Normalizer NormalizerFit::finish() const {
    Normalizer out;
    out.mean = mean_;
    for (std::size_t j = 0; j < mean_.size(); ++j) {
        const auto count = static_cast<double>(count_[j]);
        out.deviation.push_back(count_[j] > 1 ? std::sqrt(squares_[j] / (count - 1)) : 0.0);
        const bool has_spread = count_[j] > 0 && out.deviation[j] > kNoSpread * std::abs(mean_[j]);
        out.is_zeroed.push_back(has_spread ? 0 : 1);
    }
    return out;
}

Normalizer fit_normalizer(std::span<const double> values, std::size_t columns) {
    NormalizerFit fit(columns);
    fit.add_to_means(values);
    fit.add_to_deviations(values);
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
