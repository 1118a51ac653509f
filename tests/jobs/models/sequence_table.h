#pragma once

#include <cmath>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "jobs/kinds.h"
#include "jobs/table/table.h"
#include "tests/jobs/models/fake_context.h"

namespace nightshift::tests {

inline constexpr int kTableFrames = 14;

/// Sequences of frames: two waves and their sum. In a damaged one (every sixth) the second wave stumbles for
/// three frames by `stumble` of them, to a value that is usual on its own; a third of the sequences
/// validates, a third tests.
inline jobs::Table wave_table(int sequences, double stumble = 4) {
    std::mt19937_64 generator(3);
    std::normal_distribution<double> noise(0, 0.05);
    std::uniform_real_distribution<double> phase_of(0, 6.28);
    std::vector<std::string> sequence, split, scenario, goal;
    std::vector<double> frame, label, one, two, sum;
    for (int s = 0; s < sequences; ++s) {
        const bool is_damaged = s % 6 >= 4;
        const double phase = phase_of(generator);
        for (int f = 0; f < kTableFrames; ++f) {
            sequence.push_back("s" + std::to_string(s));
            frame.push_back(f);
            label.push_back(is_damaged ? 1 : 0);
            split.emplace_back(s % 3 == 0 ? "train" : s % 3 == 1 ? "val" : "test");
            scenario.emplace_back(is_damaged ? "crack" : "normal");
            goal.emplace_back(is_damaged ? "goal1" : "normal");
            const bool stumbles = is_damaged && f >= 6 && f < 9;
            one.push_back(std::sin(phase + 0.4 * f) + noise(generator));
            two.push_back(std::cos(phase + 0.4 * (stumbles ? f - stumble : f)) + noise(generator));
            sum.push_back(one.back() + two.back() + noise(generator));
        }
    }
    jobs::Table table;
    table.add("sequence", sequence);
    table.add("frame", frame);
    table.add("label", label);
    table.add("split", split);
    table.add("scenario", scenario);
    table.add("goal", goal);
    table.add("one", one);
    table.add("two", two);
    table.add("sum", sum);
    return table;
}

inline std::filesystem::path write_waves(const std::filesystem::path& folder, int sequences,
                                         double stumble = 4) {
    jobs::write_table(wave_table(sequences, stumble), folder / "features.csv", jobs::TableFormat::kCsv);
    return folder / "features.csv";
}

/// Runs a kind as a user would: parameters are checked and completed.
inline void run_kind(const char* name, const nlohmann::json& params, FakeContext& context) {
    const jobs::Kind* kind = jobs::find_kind(name);
    REQUIRE(kind != nullptr);
    kind->make(jobs::complete_params(*kind, params))->run(context);
}

}  // namespace nightshift::tests
