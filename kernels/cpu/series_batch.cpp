#include "kernels/cpu/series_batch.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace nightshift::kernels {

namespace {

/// Below that many of them a thread costs more than it saves.
constexpr std::size_t kSeriesAThread = 4096;

[[noreturn]] void refuse(const std::string& what) {
    throw std::invalid_argument("series: " + what);
}

}  // namespace

SeriesBatch equal_series(std::span<const double> values, std::size_t series, std::size_t samples) {
    return {values, series, samples, {}};
}

SeriesBatch ragged_series(std::span<const double> values, std::span<const std::size_t> offsets) {
    if (offsets.empty()) refuse("offsets are empty; give one more than there are series, from 0");
    return {values, offsets.size() - 1, 0, offsets};
}

void check_batch(const SeriesBatch& batch, std::span<const double> scores) {
    const std::size_t values = batch.values.size();
    if (batch.series > kBatchMax || batch.samples > kBatchMax) {
        refuse(std::to_string(batch.series) + " series of " + std::to_string(batch.samples) +
               " samples are more than " + std::to_string(kBatchMax) + "; give them in parts");
    }
    if (!scores.empty() && scores.size() != values) {
        refuse(std::to_string(scores.size()) + " scores for " + std::to_string(values) +
               " values; give room for one a value, or none");
    }
    if (batch.offsets.empty()) {
        const std::size_t wanted = batch.series * batch.samples;  // below 2^62
        if (wanted != values) {
            refuse(std::to_string(values) + " values are not " + std::to_string(batch.series) +
                   " series of " + std::to_string(batch.samples));
        }
        return;
    }
    if (batch.offsets.size() != batch.series + 1 || batch.offsets.front() != 0 ||
        batch.offsets.back() != values) {
        refuse("offsets have to be one more than series, from 0 to the number of values");
    }
    for (std::size_t i = 0; i < batch.series; ++i) {
        if (batch.offsets[i + 1] < batch.offsets[i])
            refuse("series " + std::to_string(i) + " ends before it begins");
        if (batch.samples_of(i) > kBatchMax)
            refuse("series " + std::to_string(i) + " has more than " + std::to_string(kBatchMax) +
                   " samples");
    }
}

void check_options(const CusumOptions& options) {
    if (options.min_size < 0) refuse("min_size of CUSUM is below 0");
}

void check_options(const WindowOptions& options) {
    if (options.window_size < 1 || options.step_size < 1)
        refuse("window_size and step_size have to be 1 or more");
}

CusumPlan cusum_plan(const CusumOptions& options) {
    return {options.target.has_value(),
            options.sensitivity.has_value(),
            !options.target || !options.sensitivity,
            options.target.value_or(0),
            options.sensitivity.value_or(0),
            options.threshold,
            static_cast<std::size_t>(options.min_size)};
}

void FoundPoints::begin(std::size_t first, std::size_t end) {
    first_ = first;
    used_ = 0;
    stretches_.assign(end - first, {});
}

std::int32_t* FoundPoints::room(std::size_t count) {
    if (points_.size() - used_ < count) points_.resize(2 * points_.size() + count);
    return points_.data() + used_;
}

void FoundPoints::take(std::size_t series, std::size_t count) {
    stretches_[series - first_] = {used_, count};
    used_ += count;
}

void FoundPoints::finish(BatchChanges& out) const {
    for (const Stretch& each : stretches_) {
        const std::int32_t* const from = points_.data() + each.at;
        out.points.insert(out.points.end(), from, from + each.count);
        out.offsets.push_back(out.points.size());
    }
}

void in_groups(const SeriesBatch& batch, std::size_t first, std::size_t end, std::size_t lanes,
               std::size_t samples_max, const std::function<void(std::span<const std::size_t>)>& group,
               const std::function<void(std::size_t)>& one) {
    std::vector<std::size_t> order(end - first);
    for (std::size_t k = 0; k < order.size(); ++k) order[k] = first + k;
    const auto is_shorter = [&](std::size_t a, std::size_t b) {
        return batch.samples_of(a) < batch.samples_of(b);
    };
    if (!batch.offsets.empty()) std::stable_sort(order.begin(), order.end(), is_shorter);
    for (std::size_t at = 0; at < order.size();) {
        std::size_t count = 1;
        while (count < lanes && at + count < order.size() && !is_shorter(order[at], order[at + count]))
            ++count;
        if (2 * count > lanes && batch.samples_of(order[at]) <= samples_max) {
            group(std::span(order).subspan(at, count));
        } else {
            for (std::size_t k = 0; k < count; ++k) one(order[at + k]);
        }
        at += count;
    }
}

std::size_t parts_of(std::size_t series, int threads) {
    return std::clamp<std::size_t>(series / kSeriesAThread, 1,
                                   static_cast<std::size_t>(std::max(threads, 1)));
}

BatchChanges joined(std::vector<BatchChanges> parts) {
    BatchChanges out = std::move(parts.front());
    out.offsets.insert(out.offsets.begin(), 0);
    for (std::size_t part = 1; part < parts.size(); ++part) {
        const std::size_t before = out.points.size();
        for (const std::size_t offset : parts[part].offsets) out.offsets.push_back(before + offset);
        out.points.insert(out.points.end(), parts[part].points.begin(), parts[part].points.end());
    }
    return out;
}

}  // namespace nightshift::kernels
