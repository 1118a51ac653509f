#include "kernels/dream_net.h"

#include <numeric>
#include <stdexcept>
#include <string>

#include "kernels/cpu/dream_checks.h"
#include "kernels/dream_step.h"

namespace nightshift::kernels {
namespace {

void add_stack(std::vector<DreamNetLayer>& layers, const std::vector<std::int64_t>& widths) {
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
        DreamNetLayer layer;
        layer.in = widths[i];
        layer.out = widths[i + 1];
        layer.offset = layers.empty() ? 0 : layers.back().end();
        layer.is_hidden = i + 2 < widths.size();
        // Each width is below the maximum, so no product overflows before this is seen.
        if (layer.end() > kDreamParametersMax) {
            throw std::invalid_argument("dream: more than " + std::to_string(kDreamParametersMax) +
                                        " parameters; take fewer columns or narrower layers");
        }
        layers.push_back(layer);
    }
}

void require_size(std::size_t found, std::int64_t expected, const char* what) {
    if (static_cast<std::int64_t>(found) == expected) return;
    throw std::invalid_argument("dream: " + std::string(what) + " has " + std::to_string(found) +
                                " values instead of " + std::to_string(expected));
}

}  // namespace

std::vector<DreamNetLayer> dream_net_layers(const DreamNetShape& shape) {
    std::vector<std::int64_t> encoder{shape.columns};
    encoder.insert(encoder.end(), shape.hidden.begin(), shape.hidden.end());
    encoder.push_back(shape.latent);
    const std::vector<std::int64_t> decoder(encoder.rbegin(), encoder.rend());
    std::vector<std::int64_t> sizes = encoder;
    sizes.push_back(shape.discriminator);
    for (const std::int64_t size : sizes) {
        if (size < 1 || size > kDreamParametersMax) {
            throw std::invalid_argument("dream: a layer of width " + std::to_string(size) +
                                        "; it can be 1 to " + std::to_string(kDreamParametersMax));
        }
    }
    std::vector<DreamNetLayer> layers;
    add_stack(layers, encoder);
    add_stack(layers, decoder);
    add_stack(layers, {2 * shape.columns, shape.discriminator, 1});
    return layers;
}

std::size_t dream_net_autoencoder(const DreamNetShape& shape) {
    return 2 * (shape.hidden.size() + 1);
}

std::int64_t dream_net_hidden_values(const DreamNetShape& shape) {
    return 2 * std::accumulate(shape.hidden.begin(), shape.hidden.end(), std::int64_t{0}) +
           shape.discriminator;
}

std::int64_t checked_rows(const DreamNetShape& shape, std::span<const float> parameters,
                          std::span<const float> rows, const DreamNetOutput& out) {
    require_size(parameters.size(), dream_net_layers(shape).back().end(), "the array of parameters");
    const auto n = static_cast<std::int64_t>(rows.size()) / shape.columns;
    require_size(rows.size(), n * shape.columns, "the array of rows");
    if (!out.reconstruction.empty())
        require_size(out.reconstruction.size(), n * shape.columns, "reconstruction");
    if (!out.latent.empty()) require_size(out.latent.size(), n * shape.latent, "latent");
    if (!out.probability.empty()) require_size(out.probability.size(), n, "probability");
    if (!out.score.empty()) require_size(out.score.size(), n, "score");
    return n;
}

void check_fits(const DreamStepOptions& options, const DreamStepBatch& batch) {
    const DreamNetShape& shape = options.shape;
    if (batch.rows < 1 || batch.rows > kDreamValuesMax / shape.columns) {
        throw std::invalid_argument("dream: a batch of " + std::to_string(batch.rows) +
                                    " rows; it can be 1 to " +
                                    std::to_string(kDreamValuesMax / shape.columns));
    }
    require_size(batch.clean.size(), batch.rows * shape.columns, "clean");
    require_size(batch.anomalous.size(), batch.rows * shape.columns, "anomalous");
    require_size(batch.labels.size(), batch.rows, "labels");
    if (batch.keep.empty()) return;
    require_size(batch.keep.size(), batch.rows * dream_net_hidden_values(shape), "keep");
}

void check_fits(const DreamStepOptions& options, const DreamStepState& state) {
    const std::int64_t count = dream_net_layers(options.shape).back().end();
    require_size(state.parameters.size(), count, "the array of parameters");
    require_size(state.first_moment.size(), count, "the first moment");
    require_size(state.second_moment.size(), count, "the second moment");
}

}  // namespace nightshift::kernels
