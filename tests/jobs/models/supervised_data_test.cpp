#include "jobs/models/supervised_data.h"

#include <algorithm>
#include <limits>
#include <set>

#include "jobs/runtime/job_impl.h"
#include "tests/jobs/models/supervised_case.h"
#include "tests/jobs/models/table_features.h"

using namespace nightshift::jobs;
using namespace nightshift::tests;

namespace {

SupervisedData data_of(const Table& table, const std::string& label = "label", std::uint64_t seed = 1) {
    FeaturesInput input;
    input.table = table;
    input.set = features_of_table(table, "features.csv", {}, {label});
    return supervised_data(input, label, seed);
}

Table without(const Table& table, const std::string& column) {
    Table out;
    for (const Column& each : table.columns()) {
        if (each.name != column) out.add(each.name, each.values);
    }
    return out;
}

}  // namespace

TEST_CASE("supervised data: rows of the test split are in neither part, the label is no feature") {
    const SupervisedData data = data_of(xor_table(80));
    CHECK(data.training.set.rows == 40);
    CHECK(data.validation.set.rows == 20);
    CHECK(!data.is_held_out);
    CHECK(data.training.set.names == std::vector<std::string>{"one", "two", "other"});
    for (std::size_t r = 0; r < data.training.label.size(); ++r) {
        const std::vector<double> row = data.training.set.values(static_cast<std::int64_t>(r), 1);
        CHECK(data.training.label[r] == (row[0] * row[1] > 0 ? 1 : 0));
    }
}

TEST_CASE("supervised data: without a validation split whole sequences of both classes are kept back") {
    const Table waves = without(wave_table(60), "split");
    const SupervisedData data = data_of(waves);
    CHECK(data.is_held_out);
    const std::set<std::string> training(data.training.set.sequence.distinct().begin(),
                                         data.training.set.sequence.distinct().end());
    const std::set<std::string> validation(data.validation.set.sequence.distinct().begin(),
                                           data.validation.set.sequence.distinct().end());
    CHECK(training.size() + validation.size() == 60);
    CHECK(validation.size() == 12);  // a fifth of 40 and of 20
    CHECK(std::none_of(validation.begin(), validation.end(),
                       [&](const std::string& name) { return training.contains(name); }));
    CHECK(std::count(data.validation.label.begin(), data.validation.label.end(), 1) == 4 * kTableFrames);
    CHECK(data_of(waves).validation.set.sequence.strings() == data.validation.set.sequence.strings());
    CHECK(data_of(waves, "label", 2).validation.set.sequence.strings() !=
          data.validation.set.sequence.strings());
    CHECK(data.scenarios == std::vector<std::string>{"crack", "normal"});
}

TEST_CASE("supervised data: every label that cannot be learned from is named with its row and the way out") {
    const Table good = xor_table(80);
    const auto message = [](const Table& table, const std::string& label = "label") -> std::string {
        try {
            data_of(table, label);
        } catch (const JobError& error) {
            return error.code() + ": " + error.what();
        }
        return "";
    };
    CHECK(message(good) == "");
    const std::string third = message(
        with_changed(good, "label", [](std::size_t r, double value) { return r == 7 ? 2.0 : value; }));
    CHECK(third.starts_with("bad_labels: features.csv: row 7, column 'label' is '2"));
    CHECK(third.find("map its values to 0 and 1") != std::string::npos);
    const std::string empty = message(with_changed(good, "label", [](std::size_t r, double value) {
        return r == 9 ? std::numeric_limits<double>::quiet_NaN() : value;
    }));
    CHECK(empty ==
          "bad_labels: features.csv: row 9, column 'label' is empty; a label is 1 for damaged or 0 "
          "for not: fill it in or remove the row");
    const std::string one_class = message(with_changed(good, "label", [](auto, double) { return 0.0; }));
    CHECK(one_class.starts_with("no_labels: "));
    CHECK(one_class.find("0 damaged and 40 other rows to train on; both are needed") != std::string::npos);
    const std::string none = message(without(good, "label"), "labels");
    CHECK(none.starts_with("no_labels: features.csv has no column 'labels'."));
    const std::string near = message(good, "labels");
    CHECK(near.find("Did you mean 'label'?") != std::string::npos);
    const std::string words = message(good, "split");
    CHECK(words.find("column 'split' holds words") != std::string::npos);
    const std::string few = message(xor_table(28));
    CHECK(few.starts_with("no_training_rows: "));
    CHECK(few.find("10 of each are needed") != std::string::npos);
}

TEST_CASE("supervised data: of sequences -1 is not known, and variants teach nothing") {
    Table table;
    std::vector<std::string> sequence, split, goal, scenario;
    std::vector<double> label, value;
    for (int i = 0; i < 90; ++i) {
        sequence.push_back("s" + std::to_string(i));
        split.emplace_back(i % 3 == 0 ? "val" : "train");
        goal.emplace_back(i % 10 == 9 ? "variant" : i % 2 == 0 ? "goal1" : "normal");
        scenario.emplace_back(i % 4 == 0 ? "crack" : i % 4 == 2 ? "micro_crack" : "normal");
        label.push_back(i == 1 ? -1 : i % 2 == 0 ? 1 : 0);
        value.push_back(i);
    }
    table.add("sequence", sequence);
    table.add("split", split);
    table.add("goal", goal);
    table.add("scenario", scenario);
    table.add("label", label);
    table.add("value", value);
    const SupervisedData data = data_of(table);
    CHECK(data.unlabelled == 1);
    CHECK(data.training.set.rows + data.validation.set.rows == 90 - 9 - 1);
    CHECK(data.scenarios == std::vector<std::string>{"crack", "micro_crack", "normal"});
    const std::vector<float> weights = balancing_weights(data.training, data.scenarios.size());
    double damaged = 0, other = 0;
    for (std::size_t r = 0; r < weights.size(); ++r)
        (data.training.label[r] == 1 ? damaged : other) += static_cast<double>(weights[r]);
    CHECK(damaged == doctest::Approx(other));
    CHECK(damaged + other == doctest::Approx(static_cast<double>(weights.size())));
}
