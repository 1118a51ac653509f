#include "jobs/models/supervised_training.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <nlohmann/json.hpp>

#include "jobs/evaluate/metrics.h"
#include "jobs/models/dream_draws.h"
#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/sha256.h"

namespace nightshift::jobs {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kAverageFile = "average.bin";
constexpr const char* kBestFile = "best.bin";
/// Validation rows looked at between two looks at whether to stop: some 50 ms of work.
constexpr std::int64_t kRowsPerBlock = 4096, kMapsPerBlock = 32;

constexpr double kWeightDecay = 1e-4;
constexpr float kDropped = 0.2F;
/// Standard deviation of what is added to a z-score.
constexpr float kFeatureNoise = 0.1F;
/// How far a map is moved in training, in its rows and columns.
constexpr int kShiftFrames = 1, kShiftPlaces = 1;
/// Share of the running average that a step leaves.
constexpr double kAverageKept = 0.995;

json to_json(const SupervisedLosses& losses) {
    return {losses.total, losses.damaged, losses.scenario};
}

SupervisedLosses losses_of(const json& row) {
    return {row.at(0), row.at(1), row.at(2)};
}

/// log(1 + exp(x)) without overflow.
double softplus(double x) {
    return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}

SupervisedEpoch judged(const std::vector<float>& labels, const std::vector<float>& log_odds) {
    std::vector<int> classes;
    std::vector<double> scores;
    double loss[2] = {0, 0}, count[2] = {0, 0};
    for (std::size_t r = 0; r < labels.size(); ++r) {
        const int label = labels[r] > 0.5F ? 1 : 0;
        const auto score = static_cast<double>(log_odds[r]);
        classes.push_back(label);
        scores.push_back(score);
        loss[label] += softplus(label == 1 ? -score : score);
        count[label] += 1;
    }
    SupervisedEpoch out;
    out.validation_loss = (loss[0] / count[0] + loss[1] / count[1]) / 2;
    out.validation_auc = roc_auc(classes, scores);
    return out;
}

}  // namespace

SupervisedTraining::SupervisedTraining(SupervisedRows training, SupervisedRows validation,
                                       MapNormalizer map_normalizer, SupervisedTrainingOptions options,
                                       const SupervisedEngineFactory& factory)
    : training_(std::move(training)),
      validation_(std::move(validation)),
      map_normalizer_(std::move(map_normalizer)),
      options_(std::move(options)),
      draws_(options_.seed),
      engine_(factory(options_.engine)),
      state_(TrainingState::from(supervised_initial_parameters(options_.engine.shape, options_.seed))),
      average_(state_.parameters),
      best_(state_.parameters),
      gradient_(state_.parameters.size()) {}

std::int64_t SupervisedTraining::batches_per_epoch() const {
    return (training_.count() + options_.batch - 1) / options_.batch;
}

bool SupervisedTraining::is_done() const {
    return epoch_ >= options_.epochs || epoch_ - best_epoch_ > options_.patience;
}

void SupervisedTraining::advance() {
    if (batch_ < batches_per_epoch()) {
        train_batch();
    } else {
        validate_block();
    }
    if (batch_ == batches_per_epoch() && static_cast<std::int64_t>(scores_.size()) == validation_.count())
        close_epoch();
}

void SupervisedTraining::train_batch() {
    const SupervisedShape& shape = options_.engine.shape;
    if (order_.empty()) order_ = DreamDraws(options_.seed).order(training_.count(), epoch_);
    const std::int64_t first = batch_ * options_.batch;
    const std::int64_t count = std::min(options_.batch, training_.count() - first);
    const auto n = static_cast<std::size_t>(count);
    features_.resize(n * static_cast<std::size_t>(shape.columns));
    maps_.resize(shape.has_map ? n * static_cast<std::size_t>(kMapValues) : 0);
    labels_.resize(n);
    weights_.resize(n);
    scenarios_.resize(training_.scenarios.empty() ? 0 : n);
    shifts_.resize(n);
    noise_.resize(features_.size());
    keep_.resize(n * static_cast<std::size_t>(supervised_hidden_values(shape)));
    draws_.keep_factors(epoch_, batch_, kDropped, keep_);
    draws_.shifts(epoch_, batch_, kShiftFrames, kShiftPlaces, shifts_);
    draws_.noise(epoch_, batch_, kFeatureNoise, noise_);
    const auto drawn = std::span(order_).subspan(static_cast<std::size_t>(first), n);
    training_.features->gather(drawn, features_);
    for (std::size_t i = 0; i < features_.size(); ++i) features_[i] += noise_[i];
    if (shape.has_map) {
        stored_maps_.resize(n * static_cast<std::size_t>(kMapStored));
        training_.maps->gather(drawn, stored_maps_);
    }
    for (std::size_t i = 0; i < n; ++i) {
        const auto row = static_cast<std::size_t>(drawn[i]);
        labels_[i] = training_.labels[row];
        weights_[i] = training_.weights[row];
        if (!scenarios_.empty()) scenarios_[i] = training_.scenarios[row];
        if (!shape.has_map) continue;
        expand_map(std::span(stored_maps_).subspan(i * kMapStored, kMapStored), map_normalizer_,
                   shifts_[i].frames, shifts_[i].places,
                   std::span(maps_).subspan(i * kMapValues, kMapValues));
    }
    const SupervisedLosses losses = engine_->gradients(
        state_.parameters, {count, features_, maps_, labels_, weights_, scenarios_, keep_}, gradient_);
    if (!std::isfinite(losses.total)) {
        throw JobError("not_finite", "the loss is not a number at epoch " + std::to_string(epoch_ + 1) +
                                         ", batch " + std::to_string(batch_ + 1) + "; lower lr");
    }
    const double share = static_cast<double>(step()) / static_cast<double>(steps());
    adam_step(state_, gradient_, options_.learning_rate * (1 + std::cos(std::numbers::pi * share)) / 2,
              kWeightDecay);
    // The average forgets its start quickly.
    const auto steps_done = static_cast<double>(state_.steps);
    const auto kept = static_cast<float>(std::min(kAverageKept, (1 + steps_done) / (10 + steps_done)));
    for (std::size_t i = 0; i < average_.size(); ++i)
        average_[i] = kept * average_[i] + (1 - kept) * state_.parameters[i];
    const auto rows = static_cast<double>(count);
    sums_.total += losses.total * rows;
    sums_.damaged += losses.damaged * rows;
    sums_.scenario += losses.scenario * rows;
    rows_seen_ += count;
    ++batch_;
}

std::vector<float> SupervisedTraining::block_scores(std::int64_t first, std::int64_t count,
                                                    const std::vector<float>& parameters) const {
    const SupervisedShape& shape = options_.engine.shape;
    const auto n = static_cast<std::size_t>(count);
    std::vector<float> features(n * static_cast<std::size_t>(shape.columns)), maps;
    validation_.features->read(first, features);
    if (shape.has_map) {
        std::vector<float> stored(n * static_cast<std::size_t>(kMapStored));
        validation_.maps->read(first, stored);
        maps = expanded_maps(stored, map_normalizer_);
    }
    return supervised_log_odds(shape, parameters, features, maps);
}

void SupervisedTraining::validate_block() {
    const auto first = static_cast<std::int64_t>(scores_.size());
    const std::int64_t most = options_.engine.shape.has_map ? kMapsPerBlock : kRowsPerBlock;
    const std::vector<float> part =
        block_scores(first, std::min(most, validation_.count() - first), average_);
    scores_.insert(scores_.end(), part.begin(), part.end());
}

void SupervisedTraining::close_epoch() {
    SupervisedEpoch closed = judged(validation_.labels, scores_);
    closed.train = current();
    const auto worth = [](const SupervisedEpoch& epoch) {
        return std::pair(epoch.validation_auc, -epoch.validation_loss);
    };
    if (history_.empty() || worth(closed) > worth(history_[static_cast<std::size_t>(best_epoch_)])) {
        best_epoch_ = epoch_;
        best_ = average_;
    }
    history_.push_back(closed);
    ++epoch_;
    batch_ = rows_seen_ = 0;
    sums_ = {};
    scores_.clear();
    order_.clear();
}

SupervisedLosses SupervisedTraining::current() const {
    if (rows_seen_ == 0) return history_.empty() ? SupervisedLosses{} : history_.back().train;
    const auto rows = static_cast<double>(rows_seen_);
    return {sums_.total / rows, sums_.damaged / rows, sums_.scenario / rows};
}

SupervisedModel SupervisedTraining::model() const {
    return {options_.engine.shape, map_normalizer_, best_};
}

std::vector<double> SupervisedTraining::validation_scores() const {
    std::vector<double> out;
    while (static_cast<std::int64_t>(out.size()) < validation_.count()) {
        const auto first = static_cast<std::int64_t>(out.size());
        const auto part = block_scores(first, std::min(kRowsPerBlock, validation_.count() - first), best_);
        out.insert(out.end(), part.begin(), part.end());
    }
    return out;
}

std::string SupervisedTraining::fingerprint() const {
    Sha256 hash;
    for (const SupervisedRows* rows : {&training_, &validation_}) {
        hash.update(rows->features->hash());
        if (rows->maps) hash.update(rows->maps->hash());
        for (const auto* values : {&rows->labels, &rows->weights}) hash.update(bytes_of(*values));
    }
    const SupervisedShape& shape = options_.engine.shape;
    hash.update(json{options_.epochs, options_.batch, options_.patience, options_.seed,
                     options_.learning_rate, shape.columns, shape.width, shape.scenarios, shape.has_map,
                     training_.scenarios}
                    .dump());
    return hash.hex();
}

void SupervisedTraining::save(const fs::path& folder) const {
    save_state(state_, folder);
    write_floats(average_, folder / kAverageFile);
    write_floats(best_, folder / kBestFile);
    json epochs = json::array();
    for (const SupervisedEpoch& each : history_)
        epochs.push_back({to_json(each.train), each.validation_loss, each.validation_auc});
    const json place{{"fingerprint", fingerprint()},
                     {"epoch", epoch_},
                     {"batch", batch_},
                     {"best_epoch", best_epoch_},
                     {"adam_steps", state_.steps},
                     {"sums", to_json(sums_)},
                     {"rows_seen", rows_seen_},
                     {"engine", engine_->name()},
                     {"threads", options_.engine.threads},
                     {"history", epochs}};
    write_place(place, folder);
}

void SupervisedTraining::restore(const fs::path& folder) {
    state_ = read_state(folder, state_.parameters.size());
    average_ = read_floats(folder / kAverageFile, average_.size());
    best_ = read_floats(folder / kBestFile, best_.size());
    read_place(folder, fingerprint(), [&](const json& place) {
        place.at("adam_steps").get_to(state_.steps);
        place.at("epoch").get_to(epoch_);
        place.at("batch").get_to(batch_);
        place.at("best_epoch").get_to(best_epoch_);
        place.at("rows_seen").get_to(rows_seen_);
        sums_ = losses_of(place.at("sums"));
        history_.clear();
        for (const json& row : place.at("history")) {
            history_.push_back({losses_of(row.at(0)), row.at(1).get<double>(), row.at(2).get<double>()});
        }
    });
    // Validation rows are looked at anew: the parameters have not changed since.
    scores_.clear();
    order_.clear();
}

}  // namespace nightshift::jobs
