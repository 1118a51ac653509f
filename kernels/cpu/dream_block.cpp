#include "kernels/cpu/dream_block.h"

#include <algorithm>

namespace nightshift::kernels {

namespace {

/// Each layer's weights, rows as wide as `width` says, turned; biases as they are.
void turn_layers(const std::vector<DreamNetLayer>& layers, std::int64_t DreamNetLayer::*width,
                 std::int64_t DreamNetLayer::*height, std::span<const float> from, std::span<float> to) {
    for (const DreamNetLayer& layer : layers) {
        array_ops().transpose(from.data() + layer.offset, layer.*width, layer.*height, layer.*width,
                              to.data() + layer.offset, layer.*height);
        std::copy_n(from.data() + layer.bias_offset(), layer.out, to.data() + layer.bias_offset());
    }
}

}  // namespace

void turn_weights(const std::vector<DreamNetLayer>& layers, std::span<const float> from,
                  std::span<float> to) {
    turn_layers(layers, &DreamNetLayer::in, &DreamNetLayer::out, from, to);
}

void turn_weights_back(const std::vector<DreamNetLayer>& layers, std::span<const float> from,
                       std::span<float> to) {
    turn_layers(layers, &DreamNetLayer::out, &DreamNetLayer::in, from, to);
}

DreamBlock::DreamBlock(const DreamNetShape& shape)
    : ops_(array_ops()),
      columns_(shape.columns),
      layers_(dream_net_layers(shape)),
      autoencoder_(dream_net_autoencoder(shape)),
      joined_(static_cast<std::size_t>(2 * columns_ * kRows)),
      outputs_(layers_.size()),
      keep_(layers_.size()) {
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        const auto values = static_cast<std::size_t>(layers_[i].out * kRows);
        if (i + 1 != autoencoder_) outputs_[i].resize(values);
        if (layers_[i].is_hidden) keep_[i].resize(values);
    }
}

void DreamBlock::take_rows(const float* rows, std::int64_t count) {
    rows_ = count;
    lanes_ = (count + kLaneStep - 1) / kLaneStep * kLaneStep;
    // The unused lanes must hold numbers: what is left of other blocks could overflow and cost time.
    if (rows_ != lanes_) std::fill_n(joined_.begin(), columns_ * lanes_, 0.0F);
    ops_.transpose(rows, columns_, count, columns_, joined_.data(), lanes_);
}

void DreamBlock::take_keep(const float* keep, std::int64_t batch_rows, std::int64_t first) {
    has_keep_ = true;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        if (!layers_[i].is_hidden) continue;
        const std::int64_t out = layers_[i].out;
        if (rows_ != lanes_) std::fill_n(keep_[i].begin(), out * lanes_, 0.0F);
        ops_.transpose(keep + first * out, out, rows_, out, keep_[i].data(), lanes_);
        keep += batch_rows * out;
    }
}

const float* DreamBlock::output(std::size_t layer) const {
    return layer + 1 == autoencoder_ ? reconstruction() : outputs_[layer].data();
}

float* DreamBlock::own_output(std::size_t layer) {
    return layer + 1 == autoencoder_ ? joined_.data() + columns_ * lanes_ : outputs_[layer].data();
}

const float* DreamBlock::input(std::size_t layer) const {
    return layer == 0 || layer == autoencoder_ ? joined() : output(layer - 1);
}

void DreamBlock::run(std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
        const DreamNetLayer& layer = layers_[i];
        float* to = own_output(i);
        ops_.multiply({layer.out, lanes_, layer.in, weights_ + layer.offset, layer.out, input(i), lanes_, to,
                       lanes_, false});
        ops_.activate(to, layer.out, lanes_, weights_ + layer.bias_offset(), layer.is_hidden,
                      layer.is_hidden ? keep(i) : nullptr);
    }
}

}  // namespace nightshift::kernels
