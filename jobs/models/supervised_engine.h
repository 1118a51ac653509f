#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "jobs/models/supervised_model.h"

namespace nightshift::jobs {

/// Share of the scenarios' cross entropy in the loss.
inline constexpr double kScenarioShare = 0.3;

struct SupervisedLosses {
    double total = 0, damaged = 0, scenario = 0;
};

/// One batch of n rows.
struct SupervisedBatch {
    std::int64_t rows = 0;
    std::span<const float> features;          ///< [n, columns]
    std::span<const float> maps;              ///< [n, kMapValues]; empty without a map
    std::span<const float> labels;            ///< [n] 1 = damaged; between 0 and 1 where rows are mixed
    std::span<const float> weights;           ///< [n] of the rows in the loss, mean 1 over the training rows
    std::span<const std::int64_t> scenarios;  ///< [n]; empty where none are known
    /// Dropout factors (0 or 1 / (1 - p)): of both feature layers, of the map's summary, of the join, each
    /// [n, width]; empty = no dropout.
    std::span<const float> keep;
};

struct SupervisedEngineOptions {
    SupervisedShape shape;
    int threads = 1;
    bool use_cuda = false;
};

/// Loss and gradient: mean over the batch of weight * (BCE of the log-odds + kScenarioShare * cross entropy
/// of the scenarios). Holds no state between calls. One thread at a time.
class SupervisedEngine {
  public:
    virtual ~SupervisedEngine() = default;
    /// Overwrites `out`, which has the parameters' length and layout.
    virtual SupervisedLosses gradients(std::span<const float> parameters, const SupervisedBatch& batch,
                                       std::span<float> out) = 0;
    /// "torch cpu", "torch cuda": for the log and the model's record.
    virtual std::string name() const = 0;
};

using SupervisedEngineFactory =
    std::function<std::unique_ptr<SupervisedEngine>(const SupervisedEngineOptions&)>;

}  // namespace nightshift::jobs
