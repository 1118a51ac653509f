#pragma once

#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "jobs/models/dream_model.h"
#include "tests/jobs/models/golden_array.h"

namespace nightshift::tests {

/// One model of the reference's DREAM data.
struct DreamCase {
    std::string folder, tag;
    nlohmann::json facts;
    jobs::DreamShape shape;

    std::vector<float> array(const std::string& name) const {
        return read_array<float>(folder + name + "_" + tag + ".bin");
    }
    std::vector<std::string> features() const { return facts.at("feature_names"); }
};

/// The reference's models: 81 and 21 columns, and an odd shape.
inline std::vector<DreamCase> dream_cases() {
    const std::string folder = kGoldenFolder + "dream/";
    std::vector<DreamCase> cases;
    const nlohmann::json data = nlohmann::json::parse(std::ifstream(folder + "dream.json"));
    for (const auto& model : data.at("models")) {
        DreamCase each{folder, model.at("tag"), model, {}};
        each.shape.columns = model.at("D");
        each.shape.hidden = model.at("hidden").get<std::vector<std::int64_t>>();
        each.shape.latent = model.at("latent");
        cases.push_back(std::move(each));
    }
    return cases;
}

/// Largest |a - b|, relative to the largest |b|.
inline double relative_error(const std::vector<float>& a, const std::vector<float>& b) {
    if (a.size() != b.size()) return 1e30;
    double error = 0, largest = 1e-30;
    for (std::size_t i = 0; i < a.size(); ++i) {
        error = std::max(error, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
        largest = std::max(largest, std::abs(static_cast<double>(b[i])));
    }
    return error / largest;
}

}  // namespace nightshift::tests
