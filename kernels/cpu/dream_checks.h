#pragma once

#include <cstdint>
#include <span>

#include "kernels/dream_step.h"

/// What every implementation of the DREAM kernels refuses, with std::invalid_argument.
namespace nightshift::kernels {

/// Rows of a forward pass, where everything fits.
std::int64_t checked_rows(const DreamNetShape& shape, std::span<const float> parameters,
                          std::span<const float> rows, const DreamNetOutput& out);
void check_fits(const DreamStepOptions& options, const DreamStepBatch& batch);
void check_fits(const DreamStepOptions& options, const DreamStepState& state);

}  // namespace nightshift::kernels
