#include "jobs/models/dream_draws.h"

#include <numeric>
#include <utility>

#include "jobs/models/dream_engine.h"
#include "kernels/philox.h"

namespace nightshift::jobs {
namespace {

// Philox draw kinds; dream_model.cpp has another for the initial parameters.
constexpr std::uint32_t kOrderDraw = 0x0d3a;
constexpr std::uint32_t kAnomalyDraw = 0xa40;
constexpr std::uint32_t kDropoutDraw = 0xd409;

template <typename Use>
void draw(std::uint64_t seed, std::uint32_t kind, std::int64_t epoch, std::int64_t batch, std::size_t count,
          Use use) {
    for (std::size_t i = 0; i < count; i += 4) {
        const kernels::PhiloxWords words =
            kernels::philox({static_cast<std::uint32_t>(i / 4), static_cast<std::uint32_t>(batch), kind,
                             static_cast<std::uint32_t>(epoch)},
                            seed);
        const std::uint32_t lanes[4] = {words.w0, words.w1, words.w2, words.w3};
        for (std::size_t lane = 0; lane < 4 && i + lane < count; ++lane) use(i + lane, lanes[lane]);
    }
}

}  // namespace

std::vector<std::int64_t> DreamDraws::order(std::int64_t rows, std::int64_t epoch) const {
    std::vector<std::int64_t> order(static_cast<std::size_t>(rows));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    // Fisher-Yates from the end; position i uses word i.
    std::vector<std::uint32_t> words(order.size());
    draw(seed_, kOrderDraw, epoch, 0, words.size(),
         [&](std::size_t i, std::uint32_t word) { words[i] = word; });
    for (std::size_t i = order.size(); i-- > 1;) {
        std::swap(order[i],
                  order[static_cast<std::size_t>(static_cast<std::uint64_t>(words[i]) * (i + 1) >> 32)]);
    }
    return order;
}

void DreamDraws::anomaly_uniforms(std::int64_t epoch, std::int64_t batch, std::span<float> out) const {
    draw(seed_, kAnomalyDraw, epoch, batch, out.size(),
         [&](std::size_t i, std::uint32_t word) { out[i] = kernels::unit_float(word); });
}

void DreamDraws::keep_factors(std::int64_t epoch, std::int64_t batch, std::span<float> out) const {
    draw(seed_, kDropoutDraw, epoch, batch, out.size(), [&](std::size_t i, std::uint32_t word) {
        out[i] = kernels::unit_float(word) < kDreamDropout ? 0.0F : 1.0F / (1.0F - kDreamDropout);
    });
}

}  // namespace nightshift::jobs
