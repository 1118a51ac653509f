#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace nightshift::jobs {

/// Everything that training changes. Restoring it and repeating the batches gives the same bits again on
/// the same device with the same number of threads.
struct TrainingState {
    std::vector<float> parameters, first_moment, second_moment;
    std::int64_t steps = 0;

    /// The state before the first step.
    static TrainingState from(std::vector<float> parameters);
};

/// One step of Adam (0.9, 0.999, 1e-8) in float32, as PyTorch computes it. `weight_decay` times the
/// parameter is added to its gradient (coupled L2).
void adam_step(TrainingState& state, const std::vector<float>& gradients, double learning_rate,
               double weight_decay);

/// The numbers as they lie in memory, for hashes and files.
std::string_view bytes_of(const std::vector<float>& values);

/// Numbers in a file of a checkpoint. Throws JobError("checkpoint_mismatch") where it does not hold `count`.
void write_floats(const std::vector<float>& values, const std::filesystem::path& file);
std::vector<float> read_floats(const std::filesystem::path& file, std::size_t count);

/// Parameters and moments as files of an empty folder; `steps` is the caller's to keep.
void save_state(const TrainingState& state, const std::filesystem::path& folder);
/// Throws JobError("checkpoint_mismatch") where a file does not hold `count` numbers.
TrainingState read_state(const std::filesystem::path& folder, std::size_t count);

/// Where a loop stands, with its `fingerprint`, as a file of the folder.
void write_place(const nlohmann::json& place, const std::filesystem::path& folder);
/// Hands what write_place() wrote to `take`. Throws JobError("checkpoint_mismatch") where it has another
/// fingerprint, or `take` finds it to be something else.
void read_place(const std::filesystem::path& folder, const std::string& fingerprint,
                const std::function<void(const nlohmann::json& place)>& take);

}  // namespace nightshift::jobs
