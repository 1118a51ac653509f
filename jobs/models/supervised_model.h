#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "jobs/models/model_folder.h"
#include "jobs/models/supervised_map.h"

namespace nightshift::jobs {

/// Sizes of a supervised model. Two layers see the features; where there is a map, three convolutions (3 x 3,
/// ReLU, halved by the largest of 2 x 2 after the first two) see it, and what is left of it is the largest
/// and the mean of each channel. One layer joins both; from it come the log-odds of damage, to which a
/// straight line in the features is added, and the scenarios' scores, which only help training.
struct SupervisedShape {
    std::int64_t columns = 0;
    std::int64_t width = 64;
    std::int64_t scenarios = 0;  ///< 0: not known in training
    bool has_map = false;
};

/// One layer in the flat parameter array: weight [out, in * kernel] at `offset`, then bias [out].
struct SupervisedLayer {
    std::string name;  ///< "features.0", "map.2", "join", "damaged", "line", "scenario"
    std::int64_t in = 0, out = 0, kernel = 1;
    std::int64_t offset = 0;

    std::int64_t bias_offset() const { return offset + in * kernel * out; }
    std::int64_t end() const { return bias_offset() + out; }
};

/// Where each layer stands; `map` is empty without a map, `scenario` without scenarios.
struct SupervisedLayers {
    std::vector<SupervisedLayer> features, map;
    SupervisedLayer join, damaged, line;
    std::vector<SupervisedLayer> scenario;

    std::vector<SupervisedLayer> all() const;
};
SupervisedLayers supervised_layers(const SupervisedShape& shape);
std::int64_t supervised_parameter_count(const SupervisedShape& shape);
/// Numbers that dropout can take from one row: the outputs of both feature layers, of the map, of the join.
std::int64_t supervised_hidden_values(const SupervisedShape& shape);

/// Uniform with He's bound for layers before a ReLU, 0 for biases and for the line, from Philox.
std::vector<float> supervised_initial_parameters(const SupervisedShape& shape, std::uint64_t seed);

/// Log-odds of damage of n rows: features [n, columns], maps [n, kMapValues] (empty without a map). Eigen,
/// float32, no LibTorch; any thread. Throws JobError("bad_model") where the parameters do not fit the shape.
std::vector<float> supervised_log_odds(const SupervisedShape& shape, std::span<const float> parameters,
                                       std::span<const float> features, std::span<const float> maps);

/// A trained model: what scoring needs besides the columns and their normaliser.
struct SupervisedModel {
    SupervisedShape shape;
    MapNormalizer map_normalizer;  ///< empty without a map
    std::vector<float> parameters;
};
/// Tensors and settings, and back. Throws JobError("bad_model").
void put_supervised(const SupervisedModel& supervised, Model& model);
SupervisedModel supervised_of_model(const Model& model);

}  // namespace nightshift::jobs
