#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "jobs/models/model_folder.h"
#include "kernels/dream_net.h"

namespace nightshift::jobs {

/// Share of the discriminator in loss and score.
inline constexpr double kDiscriminatorWeight = 0.5;

/// Sizes of a DREAM model: an autoencoder D - hidden... - latent - hidden reversed... - D with ReLU after
/// each hidden layer, and a discriminator on [x ; reconstruction]: 2D - width - 1 with ReLU and sigmoid.
struct DreamShape {
    std::int64_t columns = 0;
    std::vector<std::int64_t> hidden{64, 32, 16};
    std::int64_t latent = 8;

    std::int64_t discriminator_width() const { return columns * 2 < 64 ? columns * 2 : 64; }
};

/// The same sizes as the kernels take them.
kernels::DreamNetShape dream_net(const DreamShape& shape);

/// One linear layer in the flat parameter array. ReLU (and dropout in training) follow a hidden one.
struct DreamLayer : kernels::DreamNetLayer {
    std::string name;  ///< "autoencoder.encoder.3"
};

/// Encoder, decoder, discriminator in order; names and order are those of the reference's state dictionary.
/// Throws JobError("bad_model") on sizes that cannot be.
std::vector<DreamLayer> dream_layers(const DreamShape& shape);
std::int64_t dream_parameter_count(const DreamShape& shape);
/// Outputs of all hidden layers together: the dropout factors that one row needs. The shape is one that
/// dream_layers() takes.
std::int64_t dream_hidden_values(const DreamShape& shape);
/// Layers of the autoencoder; the rest are the discriminator's.
std::size_t dream_autoencoder_layers(const DreamShape& shape);

/// A start like PyTorch's default for linear layers: U(-1/sqrt(in), 1/sqrt(in)) for weights and biases,
/// from Philox with this seed (the same on every machine).
std::vector<float> dream_initial_parameters(const DreamShape& shape, std::uint64_t seed);

/// Forward only, for scoring, without LibTorch (kernels/dream_net.h). Immutable after construction, any
/// thread.
class DreamModel {
  public:
    /// Throws JobError("bad_model") where the parameters do not fit the shape.
    DreamModel(DreamShape shape, std::vector<float> parameters,
               double discriminator_weight = kDiscriminatorWeight);

    struct Output {
        std::vector<float> reconstruction;  ///< [n, D]
        std::vector<float> latent;          ///< [n, latent]
        std::vector<float> probability;     ///< [n] of being anomalous, by the discriminator
        std::vector<float> score;           ///< [n] mean squared error * (1 + weight * probability)
    };
    /// rows [n, D].
    Output run(std::span<const float> rows) const;
    /// What the autoencoder gives back alone, [n, D].
    std::vector<float> reconstruction(std::span<const float> rows) const;
    /// The scores alone.
    std::vector<float> scores(std::span<const float> rows) const;
    /// The same on the backend's device.
    std::vector<float> scores(std::span<const float> rows, kernels::Backend& backend) const;

    const DreamShape& shape() const { return shape_; }
    const std::vector<float>& parameters() const { return parameters_; }

  private:
    DreamShape shape_;
    std::vector<float> parameters_;
    float discriminator_weight_;
};

/// Tensors named as the layers, and back. Throws JobError("bad_model").
std::vector<Tensor> dream_tensors(const DreamShape& shape, std::span<const float> parameters);
DreamModel dream_of_model(const Model& model);
/// Tensors and settings of the model, as dream_of_model() reads them.
void put_dream(const DreamModel& dream, Model& model);

}  // namespace nightshift::jobs
