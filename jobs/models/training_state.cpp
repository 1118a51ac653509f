#include "jobs/models/training_state.h"

#include <cstring>

#include <nlohmann/json.hpp>

#include "jobs/runtime/durable_file.h"
#include "jobs/runtime/job_impl.h"
#include "kernels/adam.h"

namespace nightshift::jobs {
namespace {

constexpr std::size_t kStateBytesMax = 256u << 20;
constexpr std::size_t kPlaceBytesMax = 64u << 20;
constexpr const char* kPlaceFile = "place.json";
constexpr const char* kParametersFile = "parameters.bin";
constexpr const char* kFirstMomentFile = "first_moment.bin";
constexpr const char* kSecondMomentFile = "second_moment.bin";

}  // namespace

TrainingState TrainingState::from(std::vector<float> parameters) {
    TrainingState state;
    state.first_moment.assign(parameters.size(), 0.0F);
    state.second_moment.assign(parameters.size(), 0.0F);
    state.parameters = std::move(parameters);
    return state;
}

void adam_step(TrainingState& state, const std::vector<float>& gradients, double learning_rate,
               double weight_decay) {
    kernels::adam_update(state.parameters, state.first_moment, state.second_moment, gradients, ++state.steps,
                         {learning_rate, weight_decay});
}

std::string_view bytes_of(const std::vector<float>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

void write_floats(const std::vector<float>& values, const std::filesystem::path& file) {
    write_durably(file, bytes_of(values));
}

std::vector<float> read_floats(const std::filesystem::path& file, std::size_t count) {
    const std::string bytes = read_text(file, kStateBytesMax);
    if (bytes.size() != count * sizeof(float)) {
        throw JobError("checkpoint_mismatch",
                       file.string() + " has " + std::to_string(bytes.size()) + " bytes instead of " +
                           std::to_string(count * sizeof(float)) + "; start the job again without it");
    }
    std::vector<float> values(count);
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
}

void save_state(const TrainingState& state, const std::filesystem::path& folder) {
    write_floats(state.parameters, folder / kParametersFile);
    write_floats(state.first_moment, folder / kFirstMomentFile);
    write_floats(state.second_moment, folder / kSecondMomentFile);
}

TrainingState read_state(const std::filesystem::path& folder, std::size_t count) {
    TrainingState state;
    state.parameters = read_floats(folder / kParametersFile, count);
    state.first_moment = read_floats(folder / kFirstMomentFile, count);
    state.second_moment = read_floats(folder / kSecondMomentFile, count);
    return state;
}

void write_place(const nlohmann::json& place, const std::filesystem::path& folder) {
    write_durably(folder / kPlaceFile, place.dump(1));
}

void read_place(const std::filesystem::path& folder, const std::string& fingerprint,
                const std::function<void(const nlohmann::json& place)>& take) {
    try {
        const auto place = nlohmann::json::parse(read_text(folder / kPlaceFile, kPlaceBytesMax));
        if (place.at("fingerprint") != fingerprint) {
            throw JobError("checkpoint_mismatch", folder.string() +
                                                      " belongs to other features or parameters; submit the "
                                                      "job anew to start from the beginning");
        }
        take(place);
    } catch (const nlohmann::json::exception& error) {
        throw JobError("checkpoint_mismatch", folder.string() + " cannot be read (" + error.what() +
                                                  "); start the job again without it");
    }
}

}  // namespace nightshift::jobs
