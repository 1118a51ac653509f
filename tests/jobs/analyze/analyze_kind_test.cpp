#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "jobs/analyze/risk_params.h"
#include "jobs/kinds.h"
#include "jobs/table/table.h"
#include "tests/jobs/analyze/case_dataset.h"
#include "tests/jobs/models/fake_context.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::tests;
using nlohmann::json;

namespace {

namespace fs = std::filesystem;

json params_of(const fs::path& dataset, json more = json::object()) {
    more["dataset"] = dataset.string();
    return jobs::complete_params(jobs::analyze_kind(), more);
}

void run(const json& params, FakeContext& context) {
    jobs::analyze_kind().make(params)->run(context);
}

std::map<std::string, std::string> files_below(const fs::path& folder) {
    std::map<std::string, std::string> out;
    for (const auto& entry : fs::directory_iterator(folder))
        out[entry.path().filename().string()] = bytes_of(entry.path());
    return out;
}

fs::path generated(const ScratchFolder& scratch, const json& params) {
    FakeContext context(scratch / "generated");
    const jobs::Kind kind = jobs::generate_kind();
    kind.make(jobs::complete_params(kind, params))->run(context);
    return context.output() / "dataset";
}

std::string refused(const fs::path& dataset, const json& more, const ScratchFolder& scratch) {
    return refusal([&] {
        FakeContext context(scratch / "refused");
        run(params_of(dataset, more), context);
    });
}

jobs::Sequence short_sequence(const std::string& name, int frames, int label) {
    jobs::Sequence s = compat_case("e_six_frames");
    s.info.name = name;
    s.info.frames = frames;
    s.info.label = label;
    const auto values = static_cast<std::size_t>(frames) * static_cast<std::size_t>(s.info.points);
    s.x.resize(values);
    s.y.resize(values);
    s.frame_number.resize(static_cast<std::size_t>(frames));
    return s;
}

}  // namespace

TEST_CASE("analyze: preempted between any two steps it ends with the bytes of an undisturbed run") {
    const ScratchFolder scratch;
    const fs::path dataset = generated(scratch, {{"preset", "small"}, {"rng", "compat"}});
    const json params = params_of(dataset);
    FakeContext whole(scratch / "whole");
    whole.thread_count = 2;
    run(params, whole);
    for (const char* name : {"summary.csv", "risk.csv", "report.html", "README.txt"})
        CHECK(whole.artifacts.count(name) == 1);
    FakeContext first(scratch / "first"), second(scratch / "second"), third(scratch / "third");
    first.yield_at = 1;
    CHECK_THROWS_AS(run(params, first), jobs::StopRequested);
    CHECK_FALSE(fs::exists(first.output() / "summary.csv"));
    second.resume = first.saved();
    second.yield_at = 100;  // in the middle of the second step, so after it
    CHECK_THROWS_AS(run(params, second), jobs::StopRequested);
    CHECK(has(second.lines.at(0), "resumed after 64 sequences"));
    third.resume = second.saved();
    run(params, third);
    CHECK(files_below(third.output()) == files_below(whole.output()));
    CHECK(jobs::read_table(third.output() / "summary.csv").rows() == 125);
    CHECK(jobs::read_table(third.output() / "risk.csv").rows() == 125 * 60);
}

TEST_CASE("analyze: a checkpoint of other parameters is not gone on with") {
    const ScratchFolder scratch;
    const fs::path dataset = generated(scratch, {{"counts", {{"normal", 70}}}});
    FakeContext first(scratch / "first"), other(scratch / "other"), fresh(scratch / "fresh");
    first.yield_at = 1;
    CHECK_THROWS_AS(run(params_of(dataset), first), jobs::StopRequested);
    const json faster = params_of(dataset, {{"fps", 60}});
    other.resume = first.saved();
    run(faster, other);
    run(faster, fresh);
    CHECK(files_below(other.output()) == files_below(fresh.output()));
}

TEST_CASE("analyze: without labels, or with one class, there is no AUC and the page says so") {
    const ScratchFolder scratch;
    for (const int label : {-1, 1}) {
        const auto dataset = write_cases(scratch / ("data" + std::to_string(label)),
                                         {{"s_normal", label, true}, {"n_outlier", -1, true}});
        FakeContext context(scratch / ("run" + std::to_string(label)));
        run(params_of(dataset), context);
        CHECK(has(context.lines.back(), "no ROC AUC, which needs damaged and normal sequences"));
        const std::string page = bytes_of(context.output() / "report.html");
        CHECK(has(page, "whether this risk tells damage from none is not known"));
        CHECK_FALSE(has(page, "has a ROC AUC of"));
    }
}

TEST_CASE("analyze: the page needs nothing from outside and shows names as text") {
    const ScratchFolder scratch;
    std::vector<jobs::Sequence> sequences;
    for (const char* name : {"s_crack", "s_normal", "n_outlier"}) {
        sequences.push_back(compat_case(name));
        sequences.back().info.name = std::string(name) + "<b>&";
        sequences.back().info.scenario = "\"</svg>";
        sequences.back().info.label = sequences.size() == 1 ? 1 : 0;
    }
    sequences.back().side_files.clear();
    FakeContext context(scratch / "run");
    run(params_of(write_sequences(scratch / "data", sequences)), context);
    const std::string page = bytes_of(context.output() / "report.html");
    CHECK_FALSE(has(page, "<b>&"));
    CHECK_FALSE(has(page, "\"</svg>"));
    CHECK(has(page, "s_crack&lt;b&gt;&amp;"));
    for (const char* outside : {"http:", "https:", "src=", "@import", "url(h"})
        CHECK_FALSE(has(page, outside));
    CHECK(has(page, "ROC AUC of 1.000"));
    CHECK(has(page, "1 sequences have no frame_metrics.csv"));
    CHECK(has(page, "class=\"chart map\""));
    CHECK(has(context.lines.back(), "1 have no frame_metrics.csv, so strain and angle count as 0"));
}

TEST_CASE("analyze: sequences of no, one and two frames") {
    const ScratchFolder scratch;
    const auto dataset = write_sequences(
        scratch / "data",
        {short_sequence("none", 0, 0), short_sequence("one", 1, 0), short_sequence("two", 2, 1)});
    FakeContext context(scratch / "run");
    run(params_of(dataset), context);
    const jobs::Table found = jobs::read_table(context.output() / "summary.csv");
    CHECK(found.text("sequence") == std::vector<std::string>{"one", "two"});
    CHECK(found.numbers("frame_count") == std::vector<double>{1, 2});
    CHECK(found.numbers("max_speed")[0] == 0);
    CHECK(found.numbers("max_acceleration")[1] > 0);
    CHECK(has(bytes_of(context.output() / "report.html"), "분석하지 않은 시퀀스 1개: none"));
    const auto empty = write_sequences(scratch / "empty", {short_sequence("none", 0, 0)});
    CHECK(has(refused(empty, json::object(), scratch), "no_sequences: "));
}

TEST_CASE("analyze: a sequence without a frame rate needs one given") {
    const ScratchFolder scratch;
    jobs::Sequence s = short_sequence("still", 6, 0);
    s.info.fps = 0;
    const auto dataset = write_sequences(scratch / "data", {s});
    CHECK(refused(dataset, json::object(), scratch).starts_with("no_fps: sequence still has no frame rate"));
    FakeContext context(scratch / "run");
    run(params_of(dataset, {{"fps", 30}}), context);
    CHECK(jobs::read_table(context.output() / "summary.csv").numbers("fps").at(0) == 30);
}

TEST_CASE("analyze: frame metrics without a number name sequence and frame") {
    const ScratchFolder scratch;
    jobs::Sequence s = short_sequence("odd", 2, 0);
    for (jobs::SideFile& side : s.side_files) {
        if (side.name == "frame_metrics.csv") {
            side.bytes =
                "frame,time_s,bend_angle_deg,curvature_concentration,est_max_strain\n0,0,1,1,0\n1,0,,1,0\n";
        }
    }
    const std::string found = refused(write_sequences(scratch / "data", {s}), json::object(), scratch);
    CHECK(found.starts_with("bad_bundle: odd/frame_metrics.csv: the row of frame 1 has no number"));
}

TEST_CASE("analyze: options that mean nothing are refused with what to do") {
    const ScratchFolder scratch;
    const auto dataset = write_cases(scratch / "data", {{"e_one_frame", -1, true}});
    json weightless;
    for (const jobs::RiskParam& param : jobs::risk_params()) {
        if (param.name.starts_with("w_")) weightless[std::string(param.name)] = 0;
    }
    CHECK(has(refused(dataset, weightless, scratch), "bad_param: all five weights of the risk are 0"));
    CHECK(has(refused(dataset, {{"fps", -1}}, scratch), "bad_param: parameter 'fps' is -1"));
    CHECK(has(refused(dataset, {{"strain_cap", 0}}, scratch), "bad_param: parameter 'strain_cap' is 0"));
    CHECK(has(refused(dataset, {{"w_strane", 1}}, scratch), "w_strain"));
    const double not_a_number = std::numeric_limits<double>::quiet_NaN();
    for (const char* name : {"fps", "meters_per_pixel", "w_strain", "sigmoid_center", "impact_cap_px_s2"})
        CHECK(has(refused(dataset, {{name, not_a_number}}, scratch),
                  "bad_param: parameter '" + std::string(name)));
    CHECK(has(refused(scratch / "nowhere", json::object(), scratch), "no_such_input"));
}

TEST_CASE("analyze: the README names every column") {
    const ScratchFolder scratch;
    FakeContext context(scratch / "run");
    run(params_of(write_cases(scratch / "data", {{"e_six_frames", -1, true}})), context);
    const std::string readme = bytes_of(context.output() / "README.txt");
    for (const char* name :
         {"has_frame_metrics", "unique_index_count", "curvature_like", "max_crack_risk_frame",
          "strain_surrogate", "impact_surrogate", "event_frame", "px/s^2", "m/s^2"})
        CHECK(has(readme, name));
    // Columns are not to be renamed by accident: other people's scripts read them.
    CHECK(bytes_of(context.output() / "summary.csv")
              .starts_with(
                  "sequence,scenario,goal,label,split,event_frame,has_frame_metrics,fps,frame_count,"));
    CHECK(bytes_of(context.output() / "risk.csv")
              .starts_with("sequence,frame,strain_surrogate,stress_surrogate,impact_surrogate,crack_risk\n"));
}
