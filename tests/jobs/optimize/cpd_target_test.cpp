#include <doctest/doctest.h>

#include <cmath>
#include <sstream>

#include "jobs/kinds.h"
#include "jobs/optimize/cpd_objective.h"
#include "tests/jobs/analyze/case_dataset.h"
#include "tests/jobs/models/fake_context.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::tests;
using nlohmann::json;

namespace {

namespace fs = std::filesystem;

json params_of(json more) {
    more["target"] = "cpd";
    return jobs::complete_params(jobs::optimize_kind(), more);
}

void run(const json& params, FakeContext& context) {
    jobs::optimize_kind().make(params)->run(context);
}

std::vector<double> values_of(const FakeContext& context) {
    std::istringstream in(bytes_of(context.output() / "trials.jsonl"));
    std::vector<double> out;
    for (std::string line; std::getline(in, line);) out.push_back(json::parse(line).at("value"));
    return out;
}

json best_of(const FakeContext& context) {
    return json::parse(bytes_of(context.output() / "best.json"));
}

std::string refused(const json& more, const ScratchFolder& scratch) {
    return refusal([&] {
        FakeContext context(scratch / "refused");
        run(params_of(more), context);
    });
}

jobs::JudgedSeries step_at(std::size_t event, bool is_damaged) {
    jobs::JudgedSeries one;
    for (std::size_t i = 0; i < 60; ++i) {
        one.values.push_back(.1 * std::sin(2.1 * double(i)) + (is_damaged && i >= event ? 4 : 0));
        one.frames.push_back(static_cast<long long>(i));
    }
    one.is_damaged = is_damaged;
    one.event = static_cast<long long>(event);
    return one;
}

bool never() {
    return false;
}

}  // namespace

TEST_CASE("cpd target: every trial and the best point of the reference's searches") {
    const ScratchFolder scratch;
    const json cases = json::parse(bytes_of(data_folder() / "golden/cpd/combined.json")).at("optimisers");
    int count = 0;
    for (const json& each : cases) {
        const auto signal = each.at("signal").get<std::string>();
        CAPTURE(signal);
        const fs::path table = data_folder() / "golden/cpd" / ("signal_" + signal + ".csv");
        for (const char* detector : {"cusum", "window"}) {
            CAPTURE(std::string(detector));
            json params{{"method", "grid"},
                        {"detector", detector},
                        {"compat", true},
                        {"table", table.string()},
                        {"column", "value"}};
            if (!each.at("expected_range").is_null()) params["expected_range"] = each.at("expected_range");
            FakeContext context(scratch / std::to_string(count++));
            run(params_of(params), context);
            const json& expected = each.at(detector);
            CHECK(values_of(context) == expected.at("trial_scores").get<std::vector<double>>());
            const json best = best_of(context);
            CHECK(best.at("value") == expected.at("score"));
            CHECK(best.at("trials") == expected.at("n_trials"));
            for (const auto& [name, value] : expected.at("best").items()) {
                CAPTURE(name);
                CHECK(best.at("verdict").at("detect").at(name).get<double>() ==
                      doctest::Approx(value.get<double>()).epsilon(1e-12));
            }
        }
    }
    CHECK(count == 16);
}

TEST_CASE("cpd target: one answer a series counts, and alarms on normal ones are taken off") {
    std::vector<jobs::JudgedSeries> series{step_at(40, true), step_at(30, true), step_at(0, false),
                                           step_at(0, false)};
    series[1].event = 20;  // found at 30, so ten frames off
    const std::vector<std::size_t> all{0, 1, 2, 3};
    jobs::CpdSettings settings;
    settings.method = jobs::CpdMethod::kWindow;
    settings.contrast.threshold = 6;
    const auto found = jobs::judge_series(series, all, settings, never);
    REQUIRE(found);
    CHECK(found->damaged == 2);
    CHECK(found->within == 1);
    CHECK(found->normal == 2);
    CHECK(found->alarmed == 0);
    CHECK(found->gain() == doctest::Approx(.5));
    settings.contrast.threshold = 1e-9;  // alarms everywhere
    CHECK(jobs::judge_series(series, all, settings, never)->gain() <= 0);
    settings.contrast.threshold = 1e9;  // and nowhere
    CHECK(jobs::judge_series(series, all, settings, never)->gain() == 0);
    CHECK_FALSE(jobs::judge_series(series, all, settings, [] { return true; }));
}

TEST_CASE("cpd target: tuned against true event frames outside the test split, judged inside it") {
    const ScratchFolder scratch;
    FakeContext made(scratch / "made");
    const jobs::Kind generate = jobs::generate_kind();
    generate
        .make(jobs::complete_params(
            generate, {{"counts", {{"normal", 40}, {"crack", 20}}}, {"difficulty", "easy"}, {"seed", 7}}))
        ->run(made);
    const std::string dataset = (made.output() / "dataset").string();
    for (const char* detector : {"cusum", "window", "pelt"}) {
        CAPTURE(std::string(detector));
        const json params = params_of({{"dataset", dataset},
                                       {"detector", detector},
                                       {"trials", 25},
                                       {"space", {{"signal", "acceleration_max"}}}});
        FakeContext whole(scratch / (std::string(detector) + "-whole")),
            first(scratch / (std::string(detector) + "-first")),
            second(scratch / (std::string(detector) + "-second"));
        run(params, whole);
        const json best = best_of(whole);
        const json& verdict = best.at("verdict");
        CHECK(has(best.at("metric"), "share of damaged training and validation sequences"));
        CHECK(best.at("value").get<double>() ==
              doctest::Approx(verdict.at("tuned").at("value").get<double>()));
        CHECK(best.at("value").get<double>() > .3);
        CHECK(verdict.at("test").at("judged") == "test split");
        for (const char* part : {"test", "test_defaults"}) {
            const json& share = verdict.at(part);
            CHECK(share.at("damaged").get<int>() > 0);
            CHECK(share.at("value").get<double>() ==
                  doctest::Approx(share.at("within_2_frames").get<double>() -
                                  share.at("false_alarm_rate").get<double>()));
        }
        CHECK(verdict.at("test").at("damaged").get<int>() + verdict.at("tuned").at("damaged").get<int>() ==
              20);
        CHECK(verdict.at("test").at("normal").get<int>() + verdict.at("tuned").at("normal").get<int>() == 40);
        first.stop_at_poll = 200;
        CHECK_THROWS_AS(run(params, first), jobs::StopRequested);
        second.resume = first.saved();
        run(params, second);
        for (const char* name : {"trials.jsonl", "best.json"})
            CHECK(bytes_of(second.output() / name) == bytes_of(whole.output() / name));
    }
}

TEST_CASE("cpd target: compat on a data set looks five frames around the event") {
    const ScratchFolder scratch;
    const auto dataset = write_cases(scratch / "data", {{"s_crack", 1, true}, {"s_normal", 0, true}});
    json params{{"dataset", dataset.string()}, {"compat", true}, {"method", "grid"}};
    FakeContext context(scratch / "near"), far(scratch / "far");
    run(params_of(params), context);
    CHECK(best_of(context).at("value") == 1.0);
    CHECK(best_of(context).at("verdict").at("detect").at("method") == "cusum");
    params["expected_range"] = {0, 1};  // an alarm comes after min_size samples
    run(params_of(params), far);
    CHECK(best_of(far).at("value") == 0.0);
}

TEST_CASE("cpd target: what cannot be searched is refused with what to do") {
    const ScratchFolder scratch;
    const auto dataset = write_cases(scratch / "data", {{"s_crack", 1, true}, {"s_normal", 0, true}});
    const auto unlabelled =
        write_cases(scratch / "unlabelled", {{"s_crack", -1, true}, {"s_normal", -1, true}});
    const auto damaged = write_cases(scratch / "damaged", {{"s_crack", 1, true}});
    const auto with = [](const fs::path& folder, json more = json::object()) {
        more["dataset"] = folder.string();
        return more;
    };
    CHECK(has(refused(json::object(), scratch), "missing_param: target=cpd looks at tracks: give dataset"));
    CHECK(has(refused({{"compat", true}}, scratch), "needs either dataset, or table with column"));
    CHECK(has(refused({{"compat", true}, {"table", "x.csv"}}, scratch), "table is given without column"));
    CHECK(has(refused(with(dataset, {{"expected_range", {1, 2}}}), scratch), "only with compat=true"));
    CHECK(has(refused(with(unlabelled), scratch), "has 0 damaged and 0 normal"));
    CHECK(has(refused(with(unlabelled, {{"compat", true}}), scratch), "no_labels: "));
    CHECK(has(refused(with(damaged), scratch), "has 1 damaged and 0 normal"));
    CHECK(has(refused(with(dataset, {{"space", {{"pen", 3}}}}), scratch),
              "this target has no 'pen' to search"));
    CHECK(has(refused(with(dataset, {{"columns", {"a"}}}), scratch), "does not look at 'columns'"));
    CHECK_THROWS_AS(params_of({{"detector", "event"}}), jobs::JobError);
    CHECK_THROWS_AS(params_of({{"expected_range", {1}}}), jobs::JobError);
}
