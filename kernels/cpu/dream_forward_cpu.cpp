#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/cpu/dream_block.h"
#include "kernels/cpu/dream_checks.h"
#include "kernels/dream_net.h"

namespace nightshift::kernels {
namespace {

/// Mean squared error of each lane's row.
void errors_of(const DreamBlock& block, std::int64_t columns, double* out) {
    const std::int64_t lanes = block.lanes();
    std::fill_n(out, lanes, 0.0);
    for (std::int64_t j = 0; j < columns; ++j) {
        const float* seen = block.joined() + j * lanes;
        const float* given_back = block.reconstruction() + j * lanes;
        for (std::int64_t lane = 0; lane < lanes; ++lane) {
            const auto error = static_cast<double>(seen[lane] - given_back[lane]);
            out[lane] += error * error;
        }
    }
    for (std::int64_t lane = 0; lane < lanes; ++lane) out[lane] /= static_cast<double>(columns);
}

}  // namespace

void dream_forward_cpu(const DreamNetShape& shape, std::span<const float> parameters, float weight,
                       std::span<const float> rows, const DreamNetOutput& out) {
    const std::int64_t n = checked_rows(shape, parameters, rows, out), d = shape.columns;
    DreamBlock block(shape);
    std::vector<float> turned(parameters.size());
    turn_weights(block.layers(), parameters, turned);
    block.take_weights(turned);
    const std::size_t code = block.autoencoder() / 2 - 1, logit = block.layers().size() - 1;
    for (std::int64_t at = 0; at < n; at += DreamBlock::kRows) {
        const std::int64_t count = std::min(DreamBlock::kRows, n - at);
        block.take_rows(rows.data() + at * d, count);
        block.run_autoencoder();
        const std::int64_t lanes = block.lanes();
        if (!out.reconstruction.empty())
            block.ops().transpose(block.reconstruction(), lanes, d, count, out.reconstruction.data() + at * d,
                                  d);
        if (!out.latent.empty()) {
            block.ops().transpose(block.output(code), lanes, shape.latent, count,
                                  out.latent.data() + at * shape.latent, shape.latent);
        }
        if (out.probability.empty() && out.score.empty()) continue;
        block.run_discriminator();
        double errors[DreamBlock::kRows];
        if (!out.score.empty()) errors_of(block, d, errors);
        for (std::int64_t lane = 0; lane < count; ++lane) {
            const float probability = 1.0F / (1.0F + std::exp(-block.output(logit)[lane]));
            const auto row = static_cast<std::size_t>(at + lane);
            if (!out.probability.empty()) out.probability[row] = probability;
            if (!out.score.empty())
                out.score[row] = static_cast<float>(errors[lane]) * (1.0F + weight * probability);
        }
    }
}

}  // namespace nightshift::kernels
