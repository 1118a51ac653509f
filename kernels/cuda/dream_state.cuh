#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kernels/cpu/dream_checks.h"
#include "kernels/cuda/dream_gradient.cuh"

namespace nightshift::kernels::cuda {

/// Device memory that grows with what is asked of it.
template <typename T>
T* room(Backend& backend, Buffer<T>& buffer, std::int64_t count, const char* owner) {
    if (static_cast<std::int64_t>(buffer.size()) < count) {
        buffer = {};
        buffer = Buffer<T>(backend, static_cast<std::size_t>(count), owner);
    }
    return buffer.data();
}

/// A pair in training on the device: parameters, moments, and the tables that kernels need of its shape.
class DreamDeviceState {
  public:
    /// op: what it is called in errors.
    DreamDeviceState(Backend& backend, const char* op, const DreamStepOptions& options)
        : backend_(backend),
          op_(op),
          options_(options),
          table_(dream_device_layers(options.shape, width_)),
          tiles_(tiles_of(table_)),
          count_(dream_net_layers(options.shape).back().end()),
          places_(dream_turned_places(options.shape)) {
        const Op own(backend, op, "made for rows of " + std::to_string(options.shape.columns));
        layers_d_ = {backend, table_, "dream.layers"};
        tiles_d_ = {backend, tiles_, "dream.layers"};
        places_d_ = {backend, places_, "dream.layers"};
        const std::vector<float> zeros(static_cast<std::size_t>(count_));
        for (Buffer<float>* each : {&parameters_, &first_, &second_, &gradients_, &turned_})
            *each = Buffer<float>(backend, zeros, "dream.parameters");
    }

    const DreamStepOptions& options() const { return options_; }
    const std::vector<DreamDeviceLayer>& table() const { return table_; }
    const Buffer<GradientTile>& tiles() const { return tiles_d_; }
    std::int64_t count() const { return count_; }  ///< parameters
    std::int64_t width() const { return width_; }  ///< of a block's values

    DreamDeviceNet net() const {
        return dream_device_net(options_.shape, layers_d_, width_, parameters_, turned_);
    }
    DreamLearnt learnt() {
        return {gradients_.data(), parameters_.data(), first_.data(),
                second_.data(),    turned_.data(),     places_d_.data()};
    }
    std::vector<float> gradients() const {
        const Op own(backend_, op_, "its gradients");
        return gradients_.to_host();
    }
    DreamStepState state() const {
        const Op own(backend_, op_, "its state");
        return {parameters_.to_host(), first_.to_host(), second_.to_host(), steps_};
    }
    void set_state(const DreamStepState& state) {
        check_fits(options_, state);
        const Op own(backend_, op_, "its state");
        parameters_.upload(state.parameters);
        first_.upload(state.first_moment);
        second_.upload(state.second_moment);
        turned_.upload(dream_turned(state.parameters, places_));
        steps_ = state.steps;
    }
    /// Adam's factors of the next step, which counts as done.
    AdamFactors next_step() { return adam_factors(options_.adam, ++steps_); }

  private:
    Backend& backend_;
    const char* op_;
    DreamStepOptions options_;
    std::int64_t width_ = 0;
    std::vector<DreamDeviceLayer> table_;
    std::vector<GradientTile> tiles_;
    std::int64_t count_;
    std::vector<int> places_;
    Buffer<DreamDeviceLayer> layers_d_;
    Buffer<GradientTile> tiles_d_;
    Buffer<int> places_d_;
    Buffer<float> parameters_, first_, second_, gradients_, turned_;
    std::int64_t steps_ = 0;
};

}  // namespace nightshift::kernels::cuda
