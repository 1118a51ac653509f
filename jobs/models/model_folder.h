#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "jobs/models/normalizer.h"

namespace nightshift::jobs {

inline constexpr int kModelFormatVersion = 1;

/// A named array of a model, C order.
struct Tensor {
    using Values = std::variant<std::vector<float>, std::vector<double>>;
    std::string name;
    std::vector<std::int64_t> shape;
    Values values;

    std::size_t size() const;
};

/// A trained model. On disk a folder: `model.json` (all below but the numbers) and one raw little-endian
/// `<name>.bin` a tensor, with its SHA-256 in model.json.
struct Model {
    std::string kind;                      ///< "patchcore", "dream", "temporal", "supervised", "ensemble"
    std::vector<std::string> features;     ///< columns it was trained on, in order
    std::string feature_set;               ///< "native", "compat81", ...; empty = a plain table
    std::optional<Normalizer> normalizer;  ///< applied to the columns before scoring
    double threshold = 0;                  ///< decision: score > threshold
    std::string threshold_rule;            ///< how it was found, in words
    std::string settings_json = "{}";      ///< the kind's own parameters
    std::string training_json = "{}";      ///< what it saw: rows, sequences, seconds
    std::vector<Tensor> tensors;

    /// Throws JobError("bad_model") where there is none of that name.
    const Tensor& tensor(std::string_view name) const;
};

/// Writes the folder (made if missing); every file is synced before model.json appears.
void write_model(const Model& model, const std::filesystem::path& folder);

/// Reads and verifies. Throws JobError: no_such_input, not_a_model (says what is there instead),
/// bad_model, hash_mismatch (file and both hashes named).
Model read_model(const std::filesystem::path& folder);

}  // namespace nightshift::jobs
