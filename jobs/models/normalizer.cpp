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

Normalizer fit_normalizer(std::span<const double> values, std::size_t columns) {
    Normalizer out;
    out.mean.assign(columns, 0.0);
    out.deviation.assign(columns, 0.0);
    out.is_zeroed.assign(columns, 1);
    const std::size_t rows = values.size() / columns;
    for (std::size_t j = 0; j < columns; ++j) {
        std::size_t count = 0;
        double sum = 0;
        for (std::size_t r = 0; r < rows; ++r) {
            const double value = values[r * columns + j];
            if (std::isfinite(value)) sum += value, ++count;
        }
        if (count == 0) continue;
        const double mean = sum / static_cast<double>(count);
        double squares = 0;
        for (std::size_t r = 0; r < rows; ++r) {
            const double value = values[r * columns + j];
            if (std::isfinite(value)) squares += (value - mean) * (value - mean);
        }
        out.mean[j] = mean;
        if (count > 1) out.deviation[j] = std::sqrt(squares / static_cast<double>(count - 1));
        out.is_zeroed[j] = out.deviation[j] <= kNoSpread * std::abs(mean) ? 1 : 0;
    }
    return out;
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
