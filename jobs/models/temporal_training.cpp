#include "jobs/models/temporal_training.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <nlohmann/json.hpp>

#include "jobs/models/dream_draws.h"
#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/sha256.h"

namespace nightshift::jobs {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Validation windows scored at a time.
constexpr std::size_t kValidationBlock = 128;

json number_or_null(double value) {
    return std::isfinite(value) ? json(value) : json(nullptr);
}

double number_of(const json& value) {
    return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

}  // namespace

double temporal_step(const TemporalShape& shape, TrainingState& state, const FloatRows& windows,
                     Eigen::Index n, double learning_rate) {
    const TemporalPass pass = temporal_forward(shape, state.parameters, windows, n);
    const FloatRows error = pass.reconstruction - windows;
    const double loss = error.cast<double>().squaredNorm() / static_cast<double>(error.size());
    const FloatRows slope = (2.0F / static_cast<float>(error.size())) * error;
    adam_step(state, temporal_backward(shape, state.parameters, pass, n, slope), learning_rate, 0);
    return loss;
}

TemporalTraining::TemporalTraining(WindowedRows training, WindowedRows validation,
                                   TemporalTrainingOptions options)
    : training_(std::move(training)),
      validation_(std::move(validation)),
      options_(options),
      state_(TrainingState::from(temporal_initial_parameters(options.shape, options.seed))) {}

std::int64_t TemporalTraining::batches_per_epoch() const {
    return (static_cast<std::int64_t>(training_.windows.size()) + options_.batch - 1) / options_.batch;
}

void TemporalTraining::advance() {
    if (batch_ < batches_per_epoch()) {
        train_batch();
    } else {
        validate_block();
    }
    if (batch_ == batches_per_epoch() && validated_ == validation_.windows.size()) close_epoch();
}

void TemporalTraining::train_batch() {
    const auto windows = static_cast<std::int64_t>(training_.windows.size());
    if (order_.empty()) order_ = DreamDraws(options_.seed).order(windows, epoch_);
    const std::int64_t first = batch_ * options_.batch, count = std::min(options_.batch, windows - first);
    const auto which =
        std::span(order_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
    const FloatRows batch = gathered(*training_.values, training_.windows, which);
    const double loss = temporal_step(options_.shape, state_, batch, count, options_.learning_rate);
    if (!std::isfinite(loss)) {
        throw JobError("not_finite", "the loss is not a number at epoch " + std::to_string(epoch_ + 1) +
                                         ", batch " + std::to_string(batch_ + 1) +
                                         "; lower lr, or use normalize: true");
    }
    sum_ += loss * static_cast<double>(count);
    windows_seen_ += count;
    ++batch_;
}

void TemporalTraining::validate_block() {
    std::vector<std::int64_t> which(std::min(kValidationBlock, validation_.windows.size() - validated_));
    std::iota(which.begin(), which.end(), static_cast<std::int64_t>(validated_));
    const FloatRows block = gathered(*validation_.values, validation_.windows, which);
    for (const double score :
         window_scores(options_.shape, state_.parameters, block, static_cast<Eigen::Index>(which.size()))) {
        validation_sum_ += score / static_cast<double>(options_.shape.columns);
    }
    validated_ += which.size();
}

void TemporalTraining::close_epoch() {
    TemporalEpoch closed{current(), std::numeric_limits<double>::quiet_NaN()};
    if (validated_ > 0) closed.validation = validation_sum_ / static_cast<double>(validated_);
    history_.push_back(closed);
    ++epoch_;
    batch_ = windows_seen_ = 0;
    validated_ = 0;
    sum_ = validation_sum_ = 0;
    order_.clear();
}

double TemporalTraining::current() const {
    if (windows_seen_ == 0) return history_.empty() ? 0 : history_.back().train;
    return sum_ / static_cast<double>(windows_seen_);
}

std::string TemporalTraining::fingerprint() const {
    Sha256 hash;
    hash.update(training_.values->hash());
    hash.update(validation_.values->hash());
    hash.update(std::as_bytes(training_.windows.rows()));
    const TemporalShape& shape = options_.shape;
    hash.update(json{training_.windows.size(), options_.epochs, options_.batch, options_.seed,
                     options_.learning_rate, shape.columns, shape.hidden, name_of(shape.cell),
                     name_of(shape.decoder)}
                    .dump());
    return hash.hex();
}

void TemporalTraining::save(const fs::path& folder) const {
    save_state(state_, folder);
    json epochs = json::array();
    for (const TemporalEpoch& each : history_)
        epochs.push_back({each.train, number_or_null(each.validation)});
    const json place{{"fingerprint", fingerprint()},
                     {"epoch", epoch_},
                     {"batch", batch_},
                     {"adam_steps", state_.steps},
                     {"sum", sum_},
                     {"windows_seen", windows_seen_},
                     {"validated", validated_},
                     {"validation_sum", validation_sum_},
                     {"history", epochs}};
    write_place(place, folder);
}

void TemporalTraining::restore(const fs::path& folder) {
    state_ = read_state(folder, state_.parameters.size());
    read_place(folder, fingerprint(), [&](const json& place) {
        place.at("adam_steps").get_to(state_.steps);
        place.at("epoch").get_to(epoch_);
        place.at("batch").get_to(batch_);
        place.at("sum").get_to(sum_);
        place.at("windows_seen").get_to(windows_seen_);
        place.at("validated").get_to(validated_);
        place.at("validation_sum").get_to(validation_sum_);
        history_.clear();
        for (const json& row : place.at("history")) history_.push_back({row.at(0), number_of(row.at(1))});
    });
    order_.clear();
}

}  // namespace nightshift::jobs
