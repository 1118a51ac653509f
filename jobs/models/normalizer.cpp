#include "jobs/models/normalizer.h"

#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

/// Spread below this share of the mean's size is rounding, not information.
constexpr double kNoSpread = 1e-12;

/// std::isfinite() that compilers turn into lanes.
bool is_there(double value) {
    return std::abs(value) <= std::numeric_limits<double>::max();
}

/// 0 where there is no value. A sum that begins at 0 is never -0, so 0 changes no bit of it.
double square_around(double value, double mean) {
    const double off = value - mean;
    return is_there(value) ? off * off : 0.0;
}

}  // namespace

void Normalizer::apply(std::span<double> values) const {
    const std::size_t d = columns();
    for (std::size_t first = 0; first < values.size(); first += d) {
        double* row = values.data() + first;
        for (std::size_t j = 0; j < d; ++j) {
            const bool is_nothing = is_zeroed[j] != 0 || !is_there(row[j]);
            const double score = (row[j] - mean[j]) / deviation[j];
            row[j] = is_nothing ? 0.0 : score;
        }
    }
}

NormalizerFit::NormalizerFit(std::size_t columns) : count_(columns, 0), sum_(columns, 0.0) {
    fitted_.mean.assign(columns, 0.0);
    fitted_.deviation.assign(columns, 0.0);
    fitted_.is_zeroed.assign(columns, 1);
}

void NormalizerFit::add(std::span<const double> rows) {
    const std::size_t columns = sum_.size();
    if (columns == 0) return;
    if (!has_means_) rows_ += rows.size() / columns;
    for (std::size_t first = 0; first < rows.size(); first += columns) {
        const double* row = rows.data() + first;
        if (has_means_) {
            for (std::size_t j = 0; j < columns; ++j) sum_[j] += square_around(row[j], fitted_.mean[j]);
        } else {
            for (std::size_t j = 0; j < columns; ++j) {
                sum_[j] += is_there(row[j]) ? row[j] : 0.0;
                count_[j] += is_there(row[j]) ? 1 : 0;
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
