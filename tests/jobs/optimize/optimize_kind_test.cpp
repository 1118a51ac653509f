#include "jobs/kinds.h"

#include <doctest/doctest.h>

#include <sstream>

#include <nlohmann/json.hpp>

#include "tests/jobs/models/training_checks.h"

using namespace nightshift::tests;
using namespace nightshift::jobs;
using nlohmann::json;

namespace {

json params_with(const fs::path& features, const json& more = json::object()) {
    json params{{"target", "dream"}, {"features", features.string()}, {"trials", 6}};
    params["space"] = {{"epochs", {{"low", 1}, {"high", 3}}}, {"batch", {{"low", 20}, {"high", 60}}}};
    params.update(more);
    return complete_params(optimize_kind(), params);
}

/// Runs to the end; each attempt is asked to leave as `stop` says, until it says nothing any more.
template <typename Stop>
std::map<std::string, std::string> search(const fs::path& root, const json& params, Stop stop) {
    fs::path resume;
    for (int attempt = 0; attempt < 50; ++attempt) {
        FakeContext context(root / std::to_string(attempt));
        if (!resume.empty()) context.resume = resume;
        stop(context, attempt);
        try {
            optimize_kind().make(params)->run(context);
            CHECK(context.artifacts.at("best.json") == "report");
            return files_of(context.output());
        } catch (const StopRequested& request) {
            REQUIRE(request.is_yield);
            resume = context.saved();
        }
    }
    FAIL("the search never ended");
    return {};
}

std::vector<json> lines_of(const std::string& text) {
    std::istringstream in(text);
    std::vector<json> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
    return lines;
}

std::string refusal(const fs::path& root, const json& params) {
    FakeContext context(root / "refused");
    try {
        optimize_kind().make(params)->run(context);
    } catch (const JobError& error) {
        return error.code() + ": " + error.what();
    }
    return "";
}

}  // namespace

TEST_CASE(
    "optimize: preempted between and inside trials, the search ends with the bytes of an undisturbed one") {
    const TemporaryFolder folder;
    const json params = params_with(write_features(folder.path()));
    const auto undisturbed = search(folder.path() / "a", params, [](FakeContext&, int) {});
    const auto between = search(folder.path() / "b", params, [](FakeContext& context, int attempt) {
        if (attempt < 4) context.yield_at = attempt + 1;
    });
    const auto inside = search(folder.path() / "c", params, [](FakeContext& context, int attempt) {
        if (attempt < 4) context.stop_at_poll = 4 + 5 * attempt;
    });
    CHECK(lines_of(undisturbed.at("trials.jsonl")).size() == 6);
    CHECK(undisturbed == between);
    CHECK(undisturbed == inside);
}

TEST_CASE("optimize: the best trial is the first of the largest values, and says what it is") {
    const TemporaryFolder folder;
    const json params = params_with(write_features(folder.path()));
    const auto files = search(folder.path() / "a", params, [](FakeContext&, int) {});
    const auto trials = lines_of(files.at("trials.jsonl"));
    const json best = json::parse(files.at("best.json"));
    double largest = -1;
    std::size_t place = 0;
    for (std::size_t i = 0; i < trials.size(); ++i) {
        CHECK(trials[i].at("trial") == i + 1);
        if (trials[i].at("value").get<double>() <= largest) continue;
        largest = trials[i].at("value");
        place = i;
    }
    CHECK(best.at("value") == largest);
    CHECK(best.at("trial") == place + 1);
    CHECK(best.at("params") == trials[place].at("params"));
    CHECK(best.at("metric") == "ROC AUC of the validation sequences");
}

TEST_CASE("optimize: a grid is tried whole") {
    const TemporaryFolder folder;
    const fs::path features = write_features(folder.path());
    const json space = json::parse(
        R"({"bank": {"low": 16, "high": 64, "points": 3}, "k": {"low": 1, "high": 4, "points": 2}})");
    json params{
        {"target", "patchcore"}, {"features", features.string()}, {"method", "grid"}, {"space", space}};
    const auto files =
        search(folder.path() / "a", complete_params(optimize_kind(), params), [](FakeContext&, int) {});
    const auto trials = lines_of(files.at("trials.jsonl"));
    CHECK(trials.size() == 3 * 2 * 2);
    CHECK(trials[0].at("params").dump() == R"({"bank":16,"k":1,"sampling":"random"})");
    params["trials"] = 5;
    const std::string refused = refusal(folder.path(), complete_params(optimize_kind(), params));
    CHECK(refused.starts_with("bad_param: the grid has 12 points and trials is 5"));
}

TEST_CASE("optimize: what cannot be searched is refused with what to do") {
    const TemporaryFolder folder;
    const fs::path features = write_features(folder.path());
    CHECK(refusal(folder.path(), params_with(features, {{"space", {{"speed", 1}}}}))
              .starts_with("bad_param: space"));
    Table plain;
    plain.add("a", std::vector<double>{1, 2, 3});
    write_table(plain, folder.path() / "plain.csv", TableFormat::kCsv);
    const std::string refused = refusal(folder.path(), params_with(folder.path() / "plain.csv"));
    CHECK(refused.starts_with("bad_table: "));
    CHECK(refused.find("validation split") != std::string::npos);
    CHECK_THROWS_AS(params_with(features, {{"target", "weather"}}), JobError);
    CHECK_THROWS_AS(params_with(features, {{"trials", 0}}), JobError);
}

TEST_CASE("optimize: a checkpoint of another search is refused") {
    const TemporaryFolder folder;
    const fs::path features = write_features(folder.path());
    FakeContext first(folder.path() / "first");
    first.yield_at = 2;
    CHECK_THROWS_AS(optimize_kind().make(params_with(features))->run(first), StopRequested);
    FakeContext second(folder.path() / "second");
    second.resume = first.saved();
    const json other = params_with(features, {{"target", "patchcore"}, {"space", json::object()}});
    try {
        optimize_kind().make(other)->run(second);
        FAIL("a foreign checkpoint was taken");
    } catch (const JobError& error) {
        CHECK(error.code() == "bad_trials");
    }
}
