#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cpu/aligned_floats.h"
#include "kernels/cpu/array_ops.h"
#include "kernels/dream_net.h"

namespace nightshift::kernels {

/// Parameters [out, in] of each layer, then its biases, as the contract has them, to the same with weights
/// [in, out], as a DreamBlock takes them; and back. Both hold all parameters and do not overlap.
void turn_weights(const std::vector<DreamNetLayer>& layers, std::span<const float> from, std::span<float> to);
void turn_weights_back(const std::vector<DreamNetLayer>& layers, std::span<const float> from,
                       std::span<float> to);

/// The forward pass over one block of rows at a time, which stays in the second cache. Values of a layer
/// lie as [width, lanes]: a row of the block is a lane, so products run along lanes whatever the widths.
/// Lanes beyond the block's rows hold numbers that nobody may use. One thread at a time.
class DreamBlock {
  public:
    /// Rows of a block, and lanes between two columns of a full one.
    static constexpr std::int64_t kRows = 32;
    static constexpr std::int64_t kLaneStep = 16;

    explicit DreamBlock(const DreamNetShape& shape);

    /// Parameters with turned weights (turn_weights), which are looked at until others are taken.
    void take_weights(std::span<const float> turned) { weights_ = turned.data(); }
    /// The next block: 1..kRows rows of `columns`.
    void take_rows(const float* rows, std::int64_t count);
    /// Dropout factors of the block, which begins at row `first` of a batch of `batch_rows`; `keep` is the
    /// whole batch's, hidden layer after hidden layer, each [batch_rows, out].
    void take_keep(const float* keep, std::int64_t batch_rows, std::int64_t first);
    void without_keep() { has_keep_ = false; }

    void run_autoencoder() { run(0, autoencoder_); }
    void run_discriminator() { run(autoencoder_, layers_.size()); }

    const std::vector<DreamNetLayer>& layers() const { return layers_; }
    std::size_t autoencoder() const { return autoencoder_; }
    std::int64_t rows() const { return rows_; }
    std::int64_t lanes() const { return lanes_; }
    /// [2 columns, lanes]: the rows seen, then their reconstruction.
    const float* joined() const { return joined_.data(); }
    const float* reconstruction() const { return joined_.data() + columns_ * lanes_; }
    /// What goes into a layer and comes out of it, [in or out, lanes].
    const float* input(std::size_t layer) const;
    const float* output(std::size_t layer) const;
    /// Dropout factors of a hidden layer [out, lanes], or nullptr.
    const float* keep(std::size_t layer) const { return has_keep_ ? keep_[layer].data() : nullptr; }
    const ArrayOps& ops() const { return ops_; }

  private:
    void run(std::size_t begin, std::size_t end);
    float* own_output(std::size_t layer);

    const ArrayOps& ops_;
    std::int64_t columns_;
    std::vector<DreamNetLayer> layers_;
    std::size_t autoencoder_;
    const float* weights_ = nullptr;
    AlignedFloats joined_;
    std::vector<AlignedFloats> outputs_, keep_;  ///< of each layer; the reconstruction lies in joined_
    std::int64_t rows_ = 0, lanes_ = 0;
    bool has_keep_ = false;
};

}  // namespace nightshift::kernels
