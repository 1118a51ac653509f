#include "jobs/models/dream_training.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/sha256.h"

namespace nightshift::jobs {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Validation rows scored at a time.
constexpr std::int64_t kValidationBlock = 4096;
/// Batches that an engine which makes them itself is given at once: a stop waits for so many.
constexpr std::int64_t kBatchesTogether = 64;

json to_json(const DreamLosses& losses) {
    return {losses.total, losses.reconstruction, losses.discriminator};
}

DreamLosses losses_of(const json& row) {
    return {row.at(0), row.at(1), row.at(2)};
}

}  // namespace

DreamTraining::DreamTraining(SharedRows rows, SharedRows validation, const std::vector<std::string>& features,
                             DreamTrainingOptions options, const DreamEngineFactory& factory)
    : rows_(std::move(rows)),
      validation_(std::move(validation)),
      options_(std::move(options)),
      anomaly_(features),
      draws_(options_.seed) {
    options_.engine.shape.columns = static_cast<std::int64_t>(features.size());
    if (options_.engine.parameters.empty()) {
        options_.engine.parameters = dream_initial_parameters(options_.engine.shape, options_.seed);
    }
    engine_ = factory(options_.engine);
    kernels::DreamRunOptions run;
    run.batch = options_.batch;
    run.scalings = anomaly_.scalings();
    draws_.put(run);
    if (rows_->rows() > 0) run_ = engine_->keep_rows(*rows_, run);
}

std::int64_t DreamTraining::batches_per_epoch() const {
    return (rows_->rows() + options_.batch - 1) / options_.batch;
}

void DreamTraining::advance() {
    const std::int64_t rows = rows_->rows(), first = batch_ * options_.batch;
    if (order_.empty()) order_ = draws_.order(rows, epoch_);
    const std::int64_t most = run_ != nullptr ? options_.batch * kBatchesTogether : options_.batch;
    const auto own = std::span(order_).subspan(static_cast<std::size_t>(first),
                                               static_cast<std::size_t>(std::min(most, rows - first)));
    if (run_ == nullptr) {
        count(step_on(own), static_cast<std::int64_t>(own.size()));
    } else {
        std::int64_t left = static_cast<std::int64_t>(own.size());
        for (const DreamLosses& losses : run_->run(own, epoch_, batch_)) {
            count(losses, std::min(options_.batch, left));
            left -= options_.batch;
        }
    }
    if (batch_ == batches_per_epoch()) close_epoch();
}

DreamLosses DreamTraining::step_on(std::span<const std::int64_t> rows) {
    const std::size_t n = rows.size(), d = static_cast<std::size_t>(options_.engine.shape.columns);
    clean_.resize(n * d);
    rows_->gather(rows, clean_);
    anomalous_.resize(clean_.size());
    labels_.resize(n);
    uniforms_.resize(anomaly_.uniforms(n));
    draws_.anomaly_uniforms(epoch_, batch_, uniforms_);
    anomaly_.apply(clean_, uniforms_, anomalous_, labels_);
    keep_.resize(n * static_cast<std::size_t>(dream_hidden_values(options_.engine.shape)));
    draws_.keep_factors(epoch_, batch_, keep_);
    return engine_->step({static_cast<std::int64_t>(n), clean_, anomalous_, labels_, keep_});
}

/// What one batch lost; the next is counted from then on.
void DreamTraining::count(const DreamLosses& losses, std::int64_t rows) {
    if (!std::isfinite(losses.total)) {
        throw JobError("not_finite", "the loss is not a number at epoch " + std::to_string(epoch_ + 1) +
                                         ", batch " + std::to_string(batch_ + 1) +
                                         "; lower lr, or use normalize: true");
    }
    const auto weight = static_cast<double>(rows);
    sums_.total += losses.total * weight;
    sums_.reconstruction += losses.reconstruction * weight;
    sums_.discriminator += losses.discriminator * weight;
    rows_seen_ += rows;
    ++batch_;
}

void DreamTraining::close_epoch() {
    DreamEpoch closed;
    closed.train = current();
    closed.validation = std::numeric_limits<double>::quiet_NaN();
    if (validation_->rows() > 0) {
        const DreamModel now = model();
        const std::int64_t d = options_.engine.shape.columns;
        double squares = 0;
        std::vector<float> block;
        for (std::int64_t first = 0; first < validation_->rows(); first += kValidationBlock) {
            block.resize(
                static_cast<std::size_t>(std::min(kValidationBlock, validation_->rows() - first) * d));
            validation_->read(first, block);
            const std::vector<float> reconstruction = now.reconstruction(block);
            for (std::size_t i = 0; i < block.size(); ++i) {
                const double error = static_cast<double>(block[i]) - static_cast<double>(reconstruction[i]);
                squares += error * error;
            }
        }
        closed.validation = squares / static_cast<double>(validation_->rows() * d);
    }
    history_.push_back(closed);
    ++epoch_;
    batch_ = 0;
    rows_seen_ = 0;
    sums_ = {};
    order_.clear();
}

DreamLosses DreamTraining::current() const {
    if (rows_seen_ == 0) return history_.empty() ? DreamLosses{} : history_.back().train;
    const auto rows = static_cast<double>(rows_seen_);
    return {sums_.total / rows, sums_.reconstruction / rows, sums_.discriminator / rows};
}

DreamModel DreamTraining::model() const {
    return {options_.engine.shape, engine_->state().parameters, options_.engine.discriminator_weight};
}

std::string DreamTraining::fingerprint() const {
    Sha256 hash;
    hash.update(rows_->hash());
    hash.update(bytes_of(options_.engine.parameters));
    const DreamEngineOptions& engine = options_.engine;
    hash.update(json{options_.epochs, options_.batch, options_.seed, engine.learning_rate,
                     engine.weight_decay, engine.discriminator_weight, engine.use_amp}
                    .dump());
    return hash.hex();
}

void DreamTraining::save(const fs::path& folder) const {
    const DreamState state = engine_->state();
    save_state(state, folder);
    json epochs = json::array();
    for (const DreamEpoch& each : history_) {
        epochs.push_back(
            {{"train", to_json(each.train)},
             {"validation", std::isfinite(each.validation) ? json(each.validation) : json(nullptr)}});
    }
    const json place{{"fingerprint", fingerprint()},
                     {"epoch", epoch_},
                     {"batch", batch_},
                     {"adam_steps", state.steps},
                     {"sums", to_json(sums_)},
                     {"rows_seen", rows_seen_},
                     {"engine", engine_->name()},
                     {"threads", options_.engine.threads},
                     {"history", epochs}};
    write_place(place, folder);
}

void DreamTraining::restore(const fs::path& folder) {
    DreamState state = read_state(folder, options_.engine.parameters.size());
    read_place(folder, fingerprint(), [&](const json& place) {
        state.steps = place.at("adam_steps");
        epoch_ = place.at("epoch");
        batch_ = place.at("batch");
        rows_seen_ = place.at("rows_seen");
        sums_ = losses_of(place.at("sums"));
        history_.clear();
        for (const json& row : place.at("history")) {
            const json& validation = row.at("validation");
            history_.push_back({losses_of(row.at("train")), validation.is_null()
                                                                ? std::numeric_limits<double>::quiet_NaN()
                                                                : validation.get<double>()});
        }
    });
    order_.clear();
    engine_->restore(state);
}

}  // namespace nightshift::jobs
