#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "jobs/models/model_rows.h"
#include "kernels/backend.h"

namespace nightshift::jobs {

/// PatchCore: keep some normal rows (the bank); the score of a row is the mean distance to its k nearest
/// bank rows. No projection, no re-weighting.
struct PatchCoreOptions {
    enum class Sampling { kRandom, kGreedy };
    enum class Precision { kFp64, kFp32 };
    double bank = 1000;  ///< rows; below 1 a share of the training rows
    Sampling sampling = Sampling::kRandom;
    std::uint64_t seed = 42;  ///< random: NumPy's default_rng(seed).choice, without replacement
    std::int64_t start = 0;   ///< greedy: first row
    int k = 1;
    Precision precision = Precision::kFp64;
    int threads = 1;
    std::shared_ptr<kernels::Backend> backend;  ///< null: the CPU with `threads`
};

struct PatchCoreBank {
    std::vector<std::int64_t> picks;  ///< rows of the training data, in the order picked
    std::vector<double> values;       ///< [picks, columns]
};

/// Called now and then with 0..1; false stops.
using FitProgress = std::function<bool(double share)>;

/// Number of bank rows for `rows` training rows: all of them where the bank would be larger.
std::int64_t bank_rows(double bank, std::int64_t rows);

/// Picks the bank out of the rows as the model sees them. A bank as large as the data keeps its order. Random
/// picks read their rows alone; greedy ones look at all rows for each pick, so what does not fit into `room`
/// is slow. Returns nothing where progress asked to stop.
std::optional<PatchCoreBank> pick_bank(const ModelRows& rows, const PatchCoreOptions& options,
                                       const RowRoom& room, const FitProgress& progress = {});

/// Scores rows [n, columns] against a bank; fp32 rounds both to float first.
std::vector<double> patchcore_scores(std::span<const double> bank, std::span<const double> values,
                                     std::int64_t columns, const PatchCoreOptions& options);

}  // namespace nightshift::jobs
