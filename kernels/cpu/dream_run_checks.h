#pragma once

#include <cstdint>
#include <span>

#include "kernels/dream_run.h"

/// What every implementation of a run refuses, with std::invalid_argument.
namespace nightshift::kernels {

void check_run(const DreamRunOptions& options, std::span<const float> rows);
/// rows: how many the run has.
void check_batches(const DreamRunOptions& options, std::int64_t rows, std::span<const std::int64_t> order,
                   std::int64_t epoch, std::int64_t first_batch);

}  // namespace nightshift::kernels
