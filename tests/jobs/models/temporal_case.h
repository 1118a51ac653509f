#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "jobs/models/temporal_model.h"
#include "jobs/models/temporal_windows.h"
#include "jobs/table/table.h"
#include "tests/jobs/models/golden_array.h"
#include "tests/jobs/models/table_features.h"

namespace nightshift::tests {

inline constexpr Eigen::Index kGoldenWindows = 8;
inline constexpr Eigen::Index kGoldenSteps = 10;

/// One cell of the reference's temporal data; the decoder is the reference's.
struct TemporalCase {
    std::string folder, tag;
    nlohmann::json facts;
    jobs::TemporalShape shape;
    std::vector<float> parameters;
    std::vector<std::string> columns;

    std::vector<float> array(const std::string& name) const {
        return read_array<float>(folder + name + "_" + tag + ".bin");
    }
    jobs::FeatureSet frames(const std::string& which) const {
        const std::string file = folder + "frames_" + which + ".csv";
        return features_of_table(jobs::read_table(file), file, columns);
    }
};

/// The reference's models: LSTM and GRU.
inline std::vector<TemporalCase> temporal_cases() {
    const std::string folder = kGoldenFolder + "temporal/";
    const nlohmann::json data = nlohmann::json::parse(std::ifstream(folder + "temporal.json"));
    std::vector<TemporalCase> cases;
    for (const auto& model : data.at("models")) {
        TemporalCase each;
        each.folder = folder;
        each.tag = model.at("cell") == "LSTM" ? "lstm" : "gru";
        each.facts = model;
        each.columns = data.at("columns").get<std::vector<std::string>>();
        each.shape = {static_cast<std::int64_t>(each.columns.size()), 64, jobs::cell_of(each.tag),
                      jobs::DecoderInput::kSequence};
        each.parameters = each.array("weights");
        cases.push_back(std::move(each));
    }
    return cases;
}

/// [n, steps, width] to time-major [steps * n, width], and back.
inline jobs::FloatRows time_major(const std::vector<float>& values, Eigen::Index n, Eigen::Index steps) {
    const Eigen::Index width = static_cast<Eigen::Index>(values.size()) / (n * steps);
    jobs::FloatRows out(steps * n, width);
    const Eigen::Map<const jobs::FloatRows> from(values.data(), n * steps, width);
    for (Eigen::Index i = 0; i < n; ++i) {
        for (Eigen::Index t = 0; t < steps; ++t) out.row(t * n + i) = from.row(i * steps + t);
    }
    return out;
}

inline std::vector<float> window_major(const jobs::FloatRows& values, Eigen::Index n) {
    const Eigen::Index steps = values.rows() / n;
    jobs::FloatRows out(values.rows(), values.cols());
    for (Eigen::Index i = 0; i < n; ++i) {
        for (Eigen::Index t = 0; t < steps; ++t) out.row(i * steps + t) = values.row(t * n + i);
    }
    return {out.data(), out.data() + out.size()};
}

/// Largest |a - b|, relative to the largest |b|.
template <typename A, typename B>
double largest_error(const A& a, const B& b) {
    if (a.size() != b.size() || a.size() == 0) return 1e30;
    double error = 0, largest = 1e-30;
    for (std::size_t i = 0; i < a.size(); ++i) {
        error = std::max(error, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
        largest = std::max(largest, std::abs(static_cast<double>(b[i])));
    }
    return error / largest;
}

}  // namespace nightshift::tests
