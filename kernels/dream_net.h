#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/backend.h"

namespace nightshift::kernels {

/// Sizes of the DREAM pair: an autoencoder columns - hidden... - latent - hidden reversed... - columns, and
/// a discriminator 2 columns - discriminator - 1 on [x ; reconstruction]. ReLU follows every hidden layer.
struct DreamNetShape {
    std::int64_t columns = 0;
    std::vector<std::int64_t> hidden;  ///< may be empty
    std::int64_t latent = 0;
    std::int64_t discriminator = 0;
};

/// One linear layer in the flat parameters: weight [out, in], row-major, at `offset`, then bias [out].
struct DreamNetLayer {
    std::int64_t in = 0, out = 0;
    std::int64_t offset = 0;
    bool is_hidden = false;

    std::int64_t bias_offset() const { return offset + in * out; }
    std::int64_t end() const { return bias_offset() + out; }
};

/// Parameters of a net at most: their count and bytes, and those of a block of rows, fit an int.
inline constexpr std::int64_t kDreamParametersMax = std::int64_t{1} << 28;

/// Encoder, decoder, discriminator, without gaps. Throws std::invalid_argument where a size is below 1 or
/// the parameters would be more than kDreamParametersMax.
std::vector<DreamNetLayer> dream_net_layers(const DreamNetShape& shape);
/// Of these, how many are the autoencoder's; the first half of them is the encoder.
std::size_t dream_net_autoencoder(const DreamNetShape& shape);
/// Outputs of all hidden layers together: the dropout factors that one row needs. The shape is one that
/// dream_net_layers() takes.
std::int64_t dream_net_hidden_values(const DreamNetShape& shape);

/// What a forward pass is asked for; what is empty is not computed or not kept.
struct DreamNetOutput {
    std::span<float> reconstruction;  ///< [n, columns]
    std::span<float> latent;          ///< [n, latent]
    std::span<float> probability;     ///< [n], sigmoid of the discriminator
    std::span<float> score;           ///< [n], mean squared error * (1 + weight * probability)
};

/// Forward only. rows [n, columns]; n may be 0. `weight` is the discriminator's in the score. Rows do not
/// influence each other: a row has the same bits in any company. float32 products, squared errors in
/// double. Tolerance between the three: 1e-6 of the largest value. Throws std::invalid_argument on sizes
/// that do not fit; _cuda throws DeviceError where the build has no CUDA or the device fails.
void dream_forward_reference(const DreamNetShape& shape, std::span<const float> parameters, float weight,
                             std::span<const float> rows, const DreamNetOutput& out);
void dream_forward_cpu(const DreamNetShape& shape, std::span<const float> parameters, float weight,
                       std::span<const float> rows, const DreamNetOutput& out);
void dream_forward_cuda(Backend& backend, const DreamNetShape& shape, std::span<const float> parameters,
                        float weight, std::span<const float> rows, const DreamNetOutput& out);
/// On whatever the backend is.
void dream_forward(Backend& backend, const DreamNetShape& shape, std::span<const float> parameters,
                   float weight, std::span<const float> rows, const DreamNetOutput& out);

}  // namespace nightshift::kernels
