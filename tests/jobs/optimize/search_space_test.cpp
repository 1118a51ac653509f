#include "jobs/optimize/search_space.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "jobs/runtime/job_impl.h"

using namespace nightshift::jobs;
using nlohmann::json;

namespace {

const SearchSpace kSpace{{"lr", Dimension::Kind::kReal, 1e-5, 0.1, true, 5, {}},
                         {"k", Dimension::Kind::kInteger, 1, 9, false, 3, {}},
                         {"sampling", Dimension::Kind::kChoice, 0, 1, false, 2, {"random", "greedy"}}};

std::string refusal(const json& space) {
    try {
        narrowed(kSpace, space);
    } catch (const JobError& error) {
        CHECK(error.code() == "bad_param");
        return error.what();
    }
    return "";
}

bool says(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("search space: what is named is narrowed, the rest keeps its range") {
    const SearchSpace space = narrowed(
        kSpace, json::parse(R"({"lr": {"low": 0.001, "high": 0.01, "points": 2}, "sampling": "greedy"})"));
    CHECK(space[0].low == 0.001);
    CHECK(space[0].high == 0.01);
    CHECK(space[0].is_log);
    CHECK(space[0].grid() == std::vector<double>{0.001, 0.01});
    CHECK(space[1].high == 9);
    CHECK(space[2].words == std::vector<std::string>{"greedy"});
    CHECK(narrowed(kSpace, json::parse(R"({"k": 4})"))[1].grid() == std::vector<double>{4});
}

TEST_CASE("search space: what makes no sense is refused with the name of the dimension") {
    CHECK(says(refusal(json::parse(R"({"learning": 1})")), "no 'learning'"));
    CHECK(says(refusal(json::parse(R"({"lrr": 1})")), "'lr'"));
    CHECK(says(refusal(json::parse(R"({"k": {"low": 5, "high": 2}})")), "'k' has a low end above"));
    CHECK(says(refusal(json::parse(R"({"k": {"low": 0}})")), "can go from 1"));
    CHECK(says(refusal(json::parse(R"({"k": {"lo": 2}})")), "no field 'lo'"));
    CHECK(says(refusal(json::parse(R"({"k": {"low": "2"}})")), "needs a number"));
    CHECK(says(refusal(json::parse(R"({"k": {"points": 0}})")), "points"));
    CHECK(says(refusal(json::parse(R"({"k": {"points": 1e300}})")), "points"));
    CHECK(says(refusal(json::parse(R"({"k": [2]})")), "'k' needs a number"));
    CHECK(says(refusal(json::parse(R"({"sampling": "best"})")), "random, greedy"));
    CHECK(says(refusal(json::parse(R"({"sampling": {"choices": []}})")), "'sampling' needs"));
    CHECK(says(refusal(json::parse(R"({"lr": {"low": 0.00002, "high": 1}})")), "can go from"));
}

TEST_CASE("search space: a range may be widened as far as its dimension says, and no further") {
    const SearchSpace wide{{"w", Dimension::Kind::kReal, .25, .25, false, 1, {}, 0, 1}};
    const auto given = [&](const char* text) { return narrowed(wide, json::parse(text)); };
    CHECK(given(R"({})")[0].grid() == std::vector<double>{.25});
    CHECK(given(R"({"w": {"low": 0, "high": 1, "points": 3}})")[0].grid() == std::vector<double>{0, .5, 1});
    CHECK(given(R"({"w": 0.9})")[0].grid() == std::vector<double>{.9});
    CHECK_THROWS_AS(given(R"({"w": 1.1})"), JobError);
    CHECK_THROWS_AS(given(R"({"w": {"low": -0.1}})"), JobError);
}

TEST_CASE("search space: a point and its names are the same") {
    const Point point{0.25e-3, 7, 1};
    const auto names = to_json(kSpace, point);
    CHECK(names.dump() == R"({"lr":0.00025,"k":7,"sampling":"greedy"})");
    CHECK(point_from_json(kSpace, json::parse(names.dump())) == point);
    CHECK_THROWS_AS(point_from_json(kSpace, json::parse(R"({"lr": 0.1, "k": 7})")), JobError);
}

TEST_CASE("search space: grids go by ratios where the search does, and whole numbers come once") {
    CHECK(kSpace[1].grid() == std::vector<double>{1, 5, 9});
    const auto rates = kSpace[0].grid();
    REQUIRE(rates.size() == 5);
    for (std::size_t i = 1; i < rates.size(); ++i) CHECK(rates[i] / rates[i - 1] == doctest::Approx(10));
    Dimension few = kSpace[1];
    few.high = 2;
    few.points = 50;
    CHECK(few.grid() == std::vector<double>{1, 2});
}
