#include "kernels/change_points.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "kernels/cpu/series_batch.h"

namespace nightshift::kernels {

namespace {

constexpr double kMadToSigma = 1.4826;
constexpr std::size_t kBaselineMin = 8;

struct Moments {
    double mean = 0, deviation = 0;  ///< population standard deviation
};

Moments moments_of(std::span<const double> values) {
    const auto n = static_cast<double>(values.size());
    Moments out;
    for (const double value : values) out.mean += value;
    out.mean /= n;
    double squares = 0;
    for (const double value : values) squares += (value - out.mean) * (value - out.mean);
    out.deviation = std::sqrt(squares / n);
    return out;
}

double median_of(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    if (values.size() % 2 == 1) return *middle;
    return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

/// Either ratio of two numbers, the larger.
double larger_ratio(double before, double after) {
    const double ratio = after / (before + kRatioFloor);
    return std::max(ratio, 1 / ratio);
}

double contrast_of(const Moments& before, const Moments& after) {
    return std::max(larger_ratio(before.mean, after.mean),
                    larger_ratio(before.deviation + kRatioFloor, after.deviation + kRatioFloor));
}

struct Baseline {
    double level = 0, sigma = 1;
};

Baseline baseline_of(std::span<const double> values) {
    Baseline out;
    out.level = median_of({values.begin(), values.end()});
    std::vector<double> away;
    for (const double value : values) away.push_back(std::abs(value - out.level));
    const double sigma = kMadToSigma * median_of(std::move(away));
    if (sigma > 0) out.sigma = sigma;
    return out;
}

}  // namespace

ScoredChanges cusum_compat(std::span<const double> x, const CusumOptions& options) {
    check_options(options);
    ScoredChanges out;
    if (x.size() < 2) return out;
    const Moments moments = moments_of(x);
    const double target = options.target.value_or(moments.mean);
    const double slack = options.sensitivity.value_or(.5 * (moments.deviation > 0 ? moments.deviation : 1));
    out.scores.assign(x.size(), 0);
    double up = 0, down = 0;
    for (std::size_t i = 1; i < x.size(); ++i) {
        up = std::max(0.0, up + x[i] - target - slack);
        down = std::max(0.0, down - x[i] + target - slack);
        out.scores[i] = std::max(up, down);
    }
    std::int64_t last = 0;
    for (std::int64_t i = options.min_size; i < static_cast<std::int64_t>(x.size()); ++i) {
        if (!(out.scores[static_cast<std::size_t>(i)] > options.threshold) || i - last < options.min_size)
            continue;
        out.change_points.push_back(i);
        last = i;
    }
    return out;
}

ScoredChanges window_compat(std::span<const double> x, const WindowOptions& options) {
    check_options(options);
    ScoredChanges out;
    if (x.size() < kWindowSamplesMin) return out;
    out.scores.assign(x.size(), 0);
    const auto w = static_cast<std::size_t>(options.window_size);
    for (std::size_t i = w; i + w < x.size(); i += static_cast<std::size_t>(options.step_size)) {
        const double score = contrast_of(moments_of(x.subspan(i - w, w)), moments_of(x.subspan(i, w)));
        out.scores[i] = score;
        const auto at = static_cast<std::int64_t>(i);
        const bool is_apart = out.change_points.empty() || at - out.change_points.back() >= options.min_size;
        if (score > options.threshold_ratio && is_apart) out.change_points.push_back(at);
    }
    return out;
}

Runs cusum_runs(std::span<const double> x, const RunOptions& options) {
    Runs out;
    out.scores.assign(x.size(), 0);
    const std::size_t usual = options.baseline > 0 ? static_cast<std::size_t>(options.baseline)
                                                   : std::max(kBaselineMin, x.size() / 4);
    for (std::size_t from = 0; from + usual < x.size();) {
        const Baseline base = baseline_of(x.subspan(from, usual));
        double up = 0, down = 0;
        std::size_t up_start = from, down_start = from, next = x.size();
        for (std::size_t i = from + usual; i < x.size(); ++i) {
            const double z = (x[i] - base.level) / base.sigma;
            if (up == 0) up_start = i;
            if (down == 0) down_start = i;
            up = std::max(0.0, up + z - options.sensitivity);
            down = std::max(0.0, down - z - options.sensitivity);
            out.scores[i] = std::max(up, down);
            const std::size_t start = up >= down ? up_start : down_start;
            const auto length = static_cast<std::int64_t>(i - start) + 1;
            if (out.scores[i] > options.threshold && length >= options.min_size) {
                out.runs.push_back(
                    {static_cast<std::int64_t>(start), static_cast<std::int64_t>(i), out.scores[i]});
                next = i;
                break;
            }
        }
        from = next;
    }
    return out;
}

double difference_noise(std::span<const double> x) {
    std::vector<double> steps;
    for (std::size_t i = 1; i < x.size(); ++i) steps.push_back(std::abs(x[i] - x[i - 1]));
    return steps.empty() ? 0 : kMadToSigma * median_of(std::move(steps)) / std::sqrt(2.0);
}

ScoredChanges window_contrast(std::span<const double> x, const ContrastOptions& options) {
    ScoredChanges out;
    out.scores.assign(x.size(), 0);
    const auto w = static_cast<std::size_t>(options.window_size);
    const double noise = difference_noise(x), sigma = noise > 0 ? noise : 1;
    for (std::size_t i = w; i + w <= x.size(); ++i) {
        const double step = moments_of(x.subspan(i, w)).mean - moments_of(x.subspan(i - w, w)).mean;
        out.scores[i] = std::abs(step) / (sigma * std::sqrt(2.0 / static_cast<double>(w)));
    }
    // Peaks, the highest first; each keeps a window's length free of lower ones.
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (out.scores[i] > options.threshold) order.push_back(i);
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return out.scores[a] > out.scores[b]; });
    const auto reach = std::max<std::int64_t>(options.min_size, options.window_size);
    std::vector<char> is_taken(x.size(), 0);
    for (const std::size_t i : order) {
        if (is_taken[i] != 0) continue;
        out.change_points.push_back(static_cast<std::int64_t>(i));
        const auto at = static_cast<std::int64_t>(i), end = static_cast<std::int64_t>(x.size());
        for (std::int64_t k = std::max<std::int64_t>(at - reach + 1, 0); k < std::min(at + reach, end); ++k)
            is_taken[static_cast<std::size_t>(k)] = 1;
    }
    std::sort(out.change_points.begin(), out.change_points.end());
    return out;
}

std::vector<std::int64_t> combine_changes(std::span<const std::vector<std::int64_t>> lists, Combine rule) {
    std::map<std::int64_t, std::size_t> named;
    for (const auto& list : lists) {
        for (const std::int64_t frame : list) ++named[frame];
    }
    std::vector<std::int64_t> out;
    for (const auto& [frame, count] : named) {
        const bool is_kept = rule == Combine::kUnion          ? true
                             : rule == Combine::kIntersection ? count == lists.size()
                                                              : 2 * count > lists.size();
        if (is_kept) out.push_back(frame);
    }
    return out;
}

}  // namespace nightshift::kernels
