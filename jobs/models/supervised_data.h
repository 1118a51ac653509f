#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jobs/models/features_input.h"

namespace nightshift::jobs {

/// Rows with what is to be learned of each.
struct LabelledSet {
    FeatureSet set;
    std::vector<int> label;              ///< [rows] 1 damaged, 0 not
    std::vector<std::int64_t> scenario;  ///< [rows] index among SupervisedData::scenarios; empty: not known
};

struct SupervisedData {
    LabelledSet training, validation;
    std::vector<std::string> scenarios;  ///< of the training rows, sorted; fewer than two: not known
    bool is_held_out = false;            ///< the table has no validation split: training rows were kept back
    std::int64_t unlabelled = 0;         ///< rows left out because nothing says what they are
};

/// Rows of the training and of the validation split with the labels of column `label`; variants and rows of
/// the test split are left out. Without a validation split a fifth of the sequences (or plain rows) of each
/// class is kept back by `seed`. Throws JobError: no_labels (no such column, or one class only), bad_labels
/// (text, or values other than 0 and 1; names column and row), no_training_rows (too few).
SupervisedData supervised_data(const FeaturesInput& input, const std::string& label, std::uint64_t seed);

/// Weight of each row in the loss, mean 1: damaged and other rows count the same together, and the damaged
/// scenarios count nearly the same among themselves.
std::vector<float> balancing_weights(const LabelledSet& rows, std::size_t scenarios);

}  // namespace nightshift::jobs
