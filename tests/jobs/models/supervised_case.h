#pragma once

#include <cmath>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "jobs/models/supervised_model.h"
#include "jobs/table/table.h"
#include "tests/jobs/models/sequence_table.h"

namespace nightshift::tests {

/// A plain table that no line separates: a row is damaged where `one` and `two` have the same sign.
inline jobs::Table xor_table(int rows, const std::string& label = "label") {
    std::mt19937_64 generator(17);
    std::uniform_real_distribution<double> side(-1, 1);
    std::normal_distribution<double> noise;
    std::vector<double> one, two, other, labels;
    std::vector<std::string> split;
    for (int r = 0; r < rows; ++r) {
        one.push_back(side(generator));
        two.push_back(side(generator));
        other.push_back(noise(generator));
        labels.push_back(one.back() * two.back() > 0 ? 1 : 0);
        split.emplace_back(r % 4 == 0 ? "test" : r % 4 == 1 ? "val" : "train");
    }
    jobs::Table table;
    table.add("one", one);
    table.add("two", two);
    table.add("other", other);
    table.add(label, labels);
    table.add("split", split);
    return table;
}

inline std::filesystem::path write_csv(const jobs::Table& table, const std::filesystem::path& file) {
    std::filesystem::create_directories(file.parent_path());
    jobs::write_table(table, file, jobs::TableFormat::kCsv);
    return file;
}

/// The table with the numbers of one column changed: change(row, value).
template <typename Change>
jobs::Table with_changed(const jobs::Table& table, const std::string& column, Change change) {
    jobs::Table out;
    for (const jobs::Column& each : table.columns()) {
        if (each.name != column) {
            out.add(each.name, each.values);
            continue;
        }
        std::vector<double> values = table.numbers(column);
        for (std::size_t r = 0; r < values.size(); ++r) values[r] = change(r, values[r]);
        out.add(each.name, values);
    }
    return out;
}

/// A generated data set with every scenario in every split; `features.csv` of it beside.
struct PanelCase {
    std::filesystem::path dataset, features;

    explicit PanelCase(const std::filesystem::path& root, int seed = 3) {
        FakeContext generated(root / "generate");
        run_kind("generate",
                 {{"counts", {{"normal", 60}, {"crack", 30}, {"micro_crack", 20}, {"thick_panel", 6}}},
                  {"seed", seed}},
                 generated);
        dataset = generated.output() / "dataset";
        FakeContext extracted(root / "extract");
        run_kind("extract", {{"dataset", dataset.string()}, {"format", "csv"}}, extracted);
        features = extracted.output() / "features.csv";
    }
};

/// Numbers around 0 for every parameter or value.
inline std::vector<float> random_floats(std::size_t count, float deviation, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal(0, deviation);
    std::vector<float> out(count);
    for (float& value : out) value = normal(generator);
    return out;
}

/// A network with every part, on random numbers.
struct NetworkCase {
    jobs::SupervisedShape shape{7, 16, 3, true};
    std::int64_t rows = 5;
    std::vector<float> parameters, features, maps;

    explicit NetworkCase(bool has_map) {
        shape.has_map = has_map;
        parameters = random_floats(static_cast<std::size_t>(jobs::supervised_parameter_count(shape)), .2F, 1);
        features = random_floats(static_cast<std::size_t>(rows * shape.columns), 1, 2);
        if (has_map) maps = random_floats(static_cast<std::size_t>(rows * jobs::kMapValues), 1, 3);
    }
};

}  // namespace nightshift::tests
