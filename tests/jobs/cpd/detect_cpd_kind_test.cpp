#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "jobs/cpd/cpd_settings.h"
#include "jobs/cpd/detect_report.h"
#include "jobs/cpd/series.h"
#include "jobs/fpcb/dataset.h"
#include "jobs/kinds.h"
#include "jobs/table/table.h"
#include "tests/jobs/fpcb/sequences.h"
#include "tests/jobs/models/fake_context.h"
#include "tests/jobs/models/temporary_folder.h"

using namespace nightshift::jobs;
using nightshift::tests::bytes_of;
using nightshift::tests::FakeContext;
using nightshift::tests::has;
using nightshift::tests::refusal;
using nightshift::tests::TemporaryFolder;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

const std::string kData = NIGHTSHIFT_SOURCE_FOLDER "/tests/data/";

void run(const char* kind, const json& params, FakeContext& context) {
    const Kind* found = find_kind(kind);
    REQUIRE(found != nullptr);
    found->make(complete_params(*found, params))->run(context);
}

std::vector<double> frames_of(const FakeContext& context) {
    return read_table(context.output() / "events.csv").numbers("frame");
}

/// Two sequences of 60 frames: a step at 30 in one, none in the other; a gap in each.
fs::path write_two(const fs::path& folder) {
    std::vector<std::string> sequence;
    std::vector<double> frame, value;
    for (const char* name : {"stepped", "flat"}) {
        for (int f = 0; f < 60; ++f) {
            sequence.emplace_back(name);
            frame.push_back(100 + f);
            const double wiggle = .1 * std::sin(f * f * 1.7);
            value.push_back(f == 12 ? std::nan("")
                                    : wiggle + (f >= 30 && sequence.back() == "stepped" ? 4 : 0));
        }
    }
    Table table;
    table.add("sequence", sequence);
    table.add("frame", frame);
    table.add("signal", value);
    write_table(table, folder / "two.csv", TableFormat::kCsv);
    return folder / "two.csv";
}

}  // namespace

TEST_CASE("detect.cpd: a plain table in compat gives the reference's rows") {
    const TemporaryFolder folder;
    FakeContext context(folder.path());
    run("detect.cpd",
        {{"table", kData + "golden/cpd/signal_acc_crack.csv"}, {"column", "value"}, {"compat", true}},
        context);
    CHECK(frames_of(context) == std::vector<double>{4, 21, 32, 38, 42, 45, 48, 51, 54, 59});
    const Table scores = read_table(context.output() / "scores.csv");
    CHECK(scores.rows() == 60);
    CHECK(scores.columns()[0].name == "sequence");
    CHECK(scores.numbers("score")[0] == 0);
    CHECK(context.artifacts.at("events.csv") == "table");
    CHECK(context.artifacts.at("report.html") == "report");
    const std::string page = bytes_of(context.output() / "report.html");
    CHECK(has(page, "변화점"));
    CHECK(has(page, "<svg"));
    CHECK(!has(page, "http"));
}

TEST_CASE("detect.cpd: parameters of each method reach it") {
    const TemporaryFolder folder;
    FakeContext context(folder.path());
    const json table{
        {"table", kData + "golden/cpd/signal_acc_normal.csv"}, {"column", "value"}, {"compat", true}};
    const auto found = [&](json more) {
        more.update(table);
        run("detect.cpd", more, context);
        return frames_of(context);
    };
    using F = std::vector<double>;
    CHECK(found({{"threshold", 1000}, {"min_size", 10}}) == F{59});
    CHECK(found({{"method", "window"},
                 {"window_size", 7},
                 {"step_size", 3},
                 {"threshold_ratio", 1.2},
                 {"min_size", 6}}) == F{7, 13, 19, 25, 34, 40, 46});
    CHECK(found({{"method", "pelt"}, {"min_size", 7}}) == F{10, 20, 35, 45});
    CHECK(found({{"method", "pelt"}, {"jump", 1}}) ==
          F{3, 6, 10, 13, 16, 19, 23, 26, 29, 32, 37, 41, 44, 47, 50, 53, 56});
}

TEST_CASE("detect.cpd: sequences of a table apart, frames by their numbers, gaps left out") {
    const TemporaryFolder folder;
    const fs::path table = write_two(folder.path());
    for (const char* method : {"cusum", "window", "pelt"}) {
        CAPTURE(method);
        FakeContext context(folder.path() / method);
        run("detect.cpd", {{"table", table.string()}, {"column", "signal"}, {"method", method}}, context);
        const Table events = read_table(context.output() / "events.csv");
        REQUIRE(events.rows() == 1);
        CHECK(events.text("sequence")[0] == "stepped");
        CHECK(std::abs(events.numbers("frame")[0] - 130) <= 1);
        CHECK(read_table(context.output() / "scores.csv").rows() == 118);
    }
}

TEST_CASE("detect.cpd: several columns are combined") {
    const TemporaryFolder folder;
    Table table;
    std::vector<double> a, b;
    for (int i = 0; i < 60; ++i) {
        const double wiggle = .1 * std::sin(i * i * 1.7);
        a.push_back(wiggle + (i >= 20 ? 5 : 0) + (i >= 40 ? 5 : 0));
        b.push_back(wiggle + (i >= 40 ? 7 : 0));
    }
    table.add("a", a);
    table.add("b", b);
    write_table(table, folder.path() / "ab.csv", TableFormat::kCsv);
    const auto found = [&](const char* combine) {
        FakeContext context(folder.path() / combine);
        run("detect.cpd",
            {{"table", (folder.path() / "ab.csv").string()},
             {"column", {"a", "b"}},
             {"method", "pelt"},
             {"combine", combine}},
            context);
        return frames_of(context);
    };
    CHECK(found("union") == std::vector<double>{20, 40});
    CHECK(found("intersection") == std::vector<double>{40});
}

TEST_CASE("detect.cpd: a data set of bundles, in compat and without") {
    const TemporaryFolder folder;
    FakeContext compat(folder.path() / "compat"), own(folder.path() / "own");
    run("detect.cpd", {{"dataset", kData + "bundles"}, {"compat", true}, {"threshold", 3}}, compat);
    const Table events = read_table(compat.output() / "events.csv");
    std::vector<double> crack;
    for (std::size_t i = 0; i < events.rows(); ++i) {
        if (events.text("sequence")[i] == "s_crack") crack.push_back(events.numbers("frame")[i]);
    }
    CHECK(crack == std::vector<double>{4, 21, 32, 38, 42, 45, 48, 51, 54, 59});
    // Ours: one event a sequence, at the frame that the generator used; no threshold can be learned from
    // these.
    run("detect.cpd", {{"dataset", kData + "bundles"}}, own);
    const Table ours = read_table(own.output() / "events.csv");
    std::map<std::string, double> at, score;
    for (std::size_t i = 0; i < ours.rows(); ++i) {
        at[ours.text("sequence")[i]] = ours.numbers("frame")[i];
        score[ours.text("sequence")[i]] = ours.numbers("score")[i];
    }
    CHECK(at.size() == 7);
    CHECK(std::abs(at["s_crack"] - 42) <= 2);
    CHECK(std::abs(at["s_uv_overcured"] - 36) <= 2);
    CHECK(std::abs(at["s_micro_crack"] - 41) <= 2);
    CHECK(score["s_crack"] > 2 * score["s_normal"]);
    FakeContext strict(folder.path() / "strict");
    run("detect.cpd", {{"dataset", kData + "bundles"}, {"threshold", score["s_normal"]}}, strict);
    const auto named = read_table(strict.output() / "events.csv").text("sequence");
    CHECK(std::count(named.begin(), named.end(), "s_normal") == 0);
    CHECK(std::count(named.begin(), named.end(), "s_crack") == 1);
    CHECK(std::any_of(own.lines.begin(), own.lines.end(),
                      [](const std::string& line) { return has(line, "Too few normal sequences"); }));
}

TEST_CASE("detect.cpd: many sequences are written in their order, the same for any number of threads") {
    const TemporaryFolder folder;
    FakeContext made(folder.path() / "made"), one(folder.path() / "one"), three(folder.path() / "three");
    run("generate", {{"counts", {{"normal", 280}, {"crack", 20}}}}, made);
    const json params{{"dataset", (made.output() / "dataset").string()}, {"compat", true}};
    three.thread_count = 3;
    run("detect.cpd", params, one);
    run("detect.cpd", params, three);
    for (const char* file : {"events.csv", "scores.csv", "report.html"})
        CHECK(bytes_of(one.output() / file) == bytes_of(three.output() / file));
    const auto dataset = open_dataset(made.output() / "dataset");
    const Table table = read_table(one.output() / "scores.csv");
    const std::vector<std::string> names = table.text("sequence");
    const std::vector<double> scores = table.numbers("score");
    const CpdSettings settings = cpd_settings(complete_params(*find_kind("detect.cpd"), params), true);
    std::size_t row = 0;
    for (std::size_t i = 0; i < dataset->size(); ++i) {
        const auto frames = static_cast<std::size_t>(dataset->info(i).frames);
        REQUIRE(names.size() >= row + frames);
        CHECK(names[row] == dataset->info(i).name);
        const auto expected =
            detect_changes(peak_acceleration(dataset->read(i)).values, settings, [] { return false; }).scores;
        CHECK(
            std::equal(expected.begin(), expected.end(), scores.begin() + static_cast<std::ptrdiff_t>(row)));
        row += frames;
        CHECK(names[row - 1] == dataset->info(i).name);
    }
    CHECK(row == names.size());
    CHECK(row > kPieceRows);
}

TEST_CASE("detect.cpd: what is stopped leaves no scores") {
    const TemporaryFolder folder;
    FakeContext context(folder.path());
    context.cancel_at = 1;
    CHECK_THROWS(run("detect.cpd", {{"dataset", kData + "bundles"}}, context));
    CHECK(fs::is_empty(context.output()));
}

TEST_CASE("detect report: only the series that are drawn are asked for, the surest first") {
    std::vector<Detected> found;
    for (int i = 0; i < 50; ++i) {
        found.push_back({"s" + std::to_string(i), "", -1, {}});
        if (i >= 40) found.back().events.push_back({1, 7, static_cast<double>(i)});
    }
    std::vector<std::size_t> asked;
    const std::string page = detect_report_html(found,
                                                [&](std::size_t i) {
                                                    asked.push_back(i);
                                                    return DetectedSeries{{5, 7, 9}, {1, 2, 3}, {1, 2, 3}};
                                                },
                                                {"here", "cusum", "evidence", std::nan(""), "", ""});
    CHECK(asked == std::vector<std::size_t>{49, 48, 47, 46, 45, 44, 43, 42, 41, 40, 0, 1});
    CHECK(has(page, "<title>s49</title>"));
    CHECK(has(page, "s0 · 변화점 없음 none"));
    CHECK(has(page, "s41 · 변화점 at 7"));
}

TEST_CASE("detect.cpd: refusals say what to do") {
    const TemporaryFolder folder;
    FakeContext context(folder.path());
    const std::string table = write_two(folder.path()).string();
    const auto said = [&](const json& params) {
        return refusal([&] { run("detect.cpd", params, context); });
    };
    CHECK(has(said(json::object()), "give either dataset, or table"));
    CHECK(has(said({{"table", table}, {"dataset", kData}, {"column", "signal"}}), "give either"));
    CHECK(has(said({{"table", table}}), "missing_param"));
    CHECK(has(said({{"table", table}, {"column", "signa"}}), "signal"));
    CHECK(has(said({{"table", table}, {"column", "signal"}, {"method", "event"}}), "give dataset"));
    CHECK(has(said({{"dataset", kData + "bundles"}, {"method", "event"}, {"compat", true}}),
              "leave out compat"));
}

TEST_CASE("detect.cpd: the largest acceleration of a data set is searched like a table of it") {
    const TemporaryFolder folder;
    fs::create_directories(folder.path() / "data");
    fs::copy(kData + "bundles/s_crack", folder.path() / "data/s_crack", fs::copy_options::recursive);
    const std::string dataset = (folder.path() / "data").string();
    for (const char* method : {"cusum", "window", "pelt"}) {
        CAPTURE(std::string(method));
        FakeContext tracks(folder.path() / method / "a"), table(folder.path() / method / "b"),
            evidence(folder.path() / method / "c");
        json params{{"dataset", dataset}, {"method", method}, {"min_size", 2}};
        run("detect.cpd", params, evidence);
        params["signal"] = "acceleration_max";
        run("detect.cpd", params, tracks);
        run("detect.cpd",
            {{"table", kData + "golden/cpd/signal_acc_crack.csv"},
             {"column", "value"},
             {"method", method},
             {"min_size", 2}},
            table);
        CHECK_FALSE(frames_of(tracks).empty());
        CHECK(frames_of(tracks) == frames_of(table));
        CHECK(frames_of(tracks) != frames_of(evidence));
    }
    FakeContext refused(folder.path() / "refused");
    for (const json& more : {json{{"method", "event"}}, json{{"compat", true}}, json::object()}) {
        json params{{"dataset", dataset}, {"signal", "evidence"}};
        params.update(more);
        CHECK(has(refusal([&] { run("detect.cpd", params, refused); }),
                  "signal chooses what cusum, window and pelt search"));
    }
}
