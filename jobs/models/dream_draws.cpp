#include "jobs/models/dream_draws.h"

#include <numeric>
#include <utility>

#include "jobs/models/dream_engine.h"
#include "kernels/array_fill.h"

namespace nightshift::jobs {
namespace {

// Philox draw kinds; dream_model.cpp has another for the initial parameters.
constexpr std::uint32_t kOrderDraw = 0x0d3a;
constexpr std::uint32_t kAnomalyDraw = 0xa40;
constexpr std::uint32_t kDropoutDraw = 0xd409;

kernels::PhiloxStream stream_of(std::uint64_t seed, std::uint32_t kind, std::int64_t epoch,
                                std::int64_t batch) {
    return {seed, static_cast<std::uint32_t>(batch), kind, static_cast<std::uint32_t>(epoch)};
}

}  // namespace

std::vector<std::int64_t> DreamDraws::order(std::int64_t rows, std::int64_t epoch) const {
    std::vector<std::int64_t> order(static_cast<std::size_t>(rows));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    // Fisher-Yates from the end; position i uses word i.
    std::vector<std::uint32_t> words(order.size());
    kernels::fill_words(stream_of(seed_, kOrderDraw, epoch, 0), words);
    for (std::size_t i = order.size(); i-- > 1;) {
        std::swap(order[i],
                  order[static_cast<std::size_t>(static_cast<std::uint64_t>(words[i]) * (i + 1) >> 32)]);
    }
    return order;
}

void DreamDraws::anomaly_uniforms(std::int64_t epoch, std::int64_t batch, std::span<float> out) const {
    kernels::fill_uniforms(stream_of(seed_, kAnomalyDraw, epoch, batch), out);
}

void DreamDraws::keep_factors(std::int64_t epoch, std::int64_t batch, std::span<float> out) const {
    kernels::fill_keep_factors(stream_of(seed_, kDropoutDraw, epoch, batch), kDreamDropout, out);
}

void DreamDraws::put(kernels::DreamRunOptions& options) const {
    options.seed = seed_;
    options.anomaly_kind = kAnomalyDraw;
    options.dropout_kind = kDropoutDraw;
    options.drop = kDreamDropout;
}

}  // namespace nightshift::jobs
