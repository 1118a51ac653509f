#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "jobs/fpcb/bundle_metadata.h"
#include "jobs/fpcb/compat_recipe.h"
#include "jobs/fpcb/python_text.h"
#include "jobs/fpcb/text_bundle.h"
#include "jobs/kinds.h"
#include "jobs/runtime/sha256.h"
#include "tests/jobs/fpcb/compat_cases.h"
#include "tests/jobs/models/fake_context.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::tests;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

std::string frames_of(const jobs::Sequence& s) {
    std::string out;
    for (int f = 0; f < s.info.frames; ++f) out += jobs::frame_text(s, f);
    return out;
}

const std::string& side_file(const jobs::Sequence& s, const std::string& name) {
    for (const jobs::SideFile& side : s.side_files) {
        if (side.name == name) return side.bytes;
    }
    throw std::runtime_error("no " + name);
}

void run(const json& params, FakeContext& context) {
    const jobs::Kind kind = jobs::generate_kind();
    kind.make(jobs::complete_params(kind, params))->run(context);
}

std::string message_for(const json& params) {
    const jobs::Kind kind = jobs::generate_kind();
    return refusal([&] { kind.make(jobs::complete_params(kind, params)); });
}

std::string message_for_entry(json changes) {
    json entry{{"name", "a"}, {"frames", 3}};
    entry.update(changes);
    return message_for({{"rng", "compat"}, {"sequences", json::array({entry})}});
}

/// Every file below a folder, by its path there.
std::map<std::string, std::string> tree_of(const std::filesystem::path& folder) {
    std::map<std::string, std::string> out;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (entry.is_regular_file())
            out[entry.path().lexically_relative(folder).generic_string()] = bytes_of(entry.path());
    }
    return out;
}

}  // namespace

TEST_CASE("compat: every file of every reference sequence, byte for byte") {
    REQUIRE(compat_cases().size() == 68);
    std::set<std::string> scenarios, modes;
    for (const json& one : compat_cases()) {
        const std::string name = one.at("entry").at("name").get<std::string>();
        CAPTURE(name);
        const jobs::Sequence s = compat_case(name);
        const std::string all = frames_of(s) + side_file(s, "fps.txt") + side_file(s, "frame_metrics.csv") +
                                side_file(s, "metadata.json");
        CHECK(jobs::sha256_of(all) == one.at("sha256").get<std::string>());
        CHECK(s.info.frames + 3 == one.at("files").get<int>());
        scenarios.insert(one.at("entry").at("scenario").get<std::string>());
        modes.insert(one.at("entry").at("noise_mode").dump());
    }
    CHECK(scenarios.size() == 7);
    CHECK(modes.size() == 6);
}

TEST_CASE("compat: the small data set has the reference's draws, splits, files and manifest") {
    const json golden = json::parse(bytes_of(data_folder() / "golden/compat/dataset_small.json"));
    const auto planned = jobs::compat_dataset(jobs::preset_counts("small"), 20260219);
    std::map<std::string, const jobs::CompatSequence*> by_name;
    for (const jobs::CompatSequence& one : planned) by_name[one.name] = &one;
    REQUIRE(golden.at("sequences").size() == 125);
    REQUIRE(by_name.size() == 125);
    for (const json& row : golden.at("sequences")) {
        const std::string name = row.at(0).get<std::string>();
        CAPTURE(name);
        REQUIRE(by_name.count(name) == 1);
        const jobs::Sequence s = jobs::make_compat_sequence(*by_name[name], 0);
        CHECK(jobs::sha256_of(frames_of(s)) == row.at(1).get<std::string>());
        CHECK(jobs::sha256_of(side_file(s, "frame_metrics.csv")) == row.at(2).get<std::string>());
        CHECK(jobs::sha256_of(side_file(s, "metadata.json")) == row.at(3).get<std::string>());
        CHECK(side_file(s, "fps.txt") == "30.0\n");
    }
    auto manifest = ordered_json::parse(jobs::compat_manifest(planned, "2026-02-19T00:00:00+00:00"));
    CHECK(manifest.erase("created_at") == 1);
    const auto expected =
        ordered_json::parse(bytes_of(data_folder() / "golden/compat/dataset_small.json")).at("manifest");
    CHECK(manifest.dump() == expected.dump());
}

TEST_CASE("compat: bundles and shards of generate hold the same, whatever the threads") {
    const ScratchFolder scratch;
    json params{{"rng", "compat"}, {"format", "bundles"}, {"counts", {{"normal", 3}, {"uv_overcured", 2}}}};
    FakeContext bundles(scratch / "b"), shards(scratch / "s");
    bundles.thread_count = 3;
    run(params, bundles);
    params["format"] = "shards";
    run(params, shards);
    const auto a = jobs::open_dataset(bundles.output() / "dataset"),
               b = jobs::open_dataset(shards.output() / "dataset");
    REQUIRE(a->size() == 5);
    for (std::size_t i = 0; i < a->size(); ++i) {
        const jobs::Sequence one = a->read(i), two = b->read(b->find(a->info(i).name));
        CHECK(one.x == two.x);
        CHECK(one.y == two.y);
        CHECK(one.info.split == two.info.split);
        CHECK(one.info.event_frame == two.info.event_frame);
        REQUIRE(one.side_files.size() == 3);
        for (std::size_t k = 0; k < 3; ++k) CHECK(one.side_files[k].bytes == two.side_files[k].bytes);
    }
    const json manifest = json::parse(bytes_of(shards.output() / "manifest.json"));
    CHECK(manifest.at("crack_in_bending") == 2);
    CHECK(manifest.at("entries").size() == 5);
    CHECK(manifest.at("created_at").get<std::string>().size() == 25);
}

TEST_CASE("compat: a yield keeps finished shards") {
    const ScratchFolder scratch;
    json list = json::array();
    for (int i = 0; i < 520; ++i)
        list.push_back({{"name", "s" + std::to_string(i)},
                        {"frames", 1},
                        {"points_per_frame", 2},
                        {"seed", static_cast<std::uint64_t>(i)}});
    const json params{{"rng", "compat"}, {"sequences", list}};
    FakeContext whole(scratch / "whole"), cut(scratch / "cut"), rest(scratch / "rest");
    run(params, whole);
    cut.yield_at = 1;
    CHECK_THROWS_AS(run(params, cut), jobs::StopRequested);
    rest.resume = cut.saved();
    run(params, rest);
    CHECK(rest.lines.at(0) == "resumed with 1 finished shards");
    CHECK(bytes_of(rest.output() / "dataset/dataset.json") ==
          bytes_of(whole.output() / "dataset/dataset.json"));
}

TEST_CASE("compat: extra metadata comes in the recipe's order, or in the order of a list") {
    const auto tail = [](const json& extra) {
        const std::string text = jobs::compat_metadata(
            jobs::compat_sequence_of({{"name", "a"}, {"extra_metadata", extra}}, "sequences[0]"));
        return text.substr(text.find("frame_metrics.csv\"\n"));
    };
    CHECK(tail({{"zeta", 1}, {"split", "val"}, {"goal", "goal1"}, {"alpha", nullptr}}) ==
          "frame_metrics.csv\"\n  },\n  \"goal\": \"goal1\",\n  \"split\": \"val\",\n  \"alpha\": null,\n"
          "  \"zeta\": 1\n}");
    CHECK(tail(json::array({json::array({"zeta", 1e-7}), json::array({"alpha", "\u00e9"})})) ==
          "frame_metrics.csv\"\n  },\n  \"zeta\": 1e-07,\n  \"alpha\": \"\\u00e9\"\n}");
}

TEST_CASE("compat: extra metadata takes the place of the generator's own, and info says what the text says") {
    const std::vector<json> extras{
        json::object(),
        {{"label", 1}, {"split", "test"}, {"goal", "goal2"}, {"scenario", "another"}},
        {{"fps", 12.5}, {"units", nullptr}},
        {{"config", {{"seed", 7}, {"noise_std", 0.25}}}},
        {{"scenario_params", {{"crack_gain", 1}, {"crack_center_ratio", 0.5}}}},
        {{"meters_per_pixel", 0.125}, {"event_frame", 3}},
        {{"outputs", "none"}, {"label", "a word"}, {"goal", 5}}};
    for (const json& extra : extras) {
        CAPTURE(extra.dump());
        jobs::CompatSequence made = jobs::compat_sequence_of({{"name", "a"},
                                                              {"scenario", "crack"},
                                                              {"seed", 18446744073709551615ull},
                                                              {"extra_metadata", extra}},
                                                             "sequences[0]");
        made.config.frames = 9;
        made.config.points = 3;
        nlohmann::ordered_json wanted = nlohmann::ordered_json::parse(
            jobs::compat_metadata(jobs::compat_sequence_of({{"name", "a"},
                                                            {"scenario", "crack"},
                                                            {"seed", 18446744073709551615ull},
                                                            {"frames", 9},
                                                            {"points_per_frame", 3}},
                                                           "sequences[0]")));
        const auto parsed = nlohmann::ordered_json::parse(made.extra);
        for (const auto& [key, value] : parsed.items()) wanted[key] = value;
        const jobs::Sequence drawn = jobs::make_compat_sequence(made, 0);
        const std::string text = side_file(drawn, "metadata.json");
        CHECK(text == jobs::python_json(wanted));
        jobs::SequenceInfo info;
        info.frames = 9;
        jobs::apply_metadata(text, info);
        CHECK(drawn.info.scenario == info.scenario);
        CHECK(drawn.info.goal == info.goal);
        CHECK(drawn.info.label == info.label);
        CHECK(drawn.info.split == info.split);
        CHECK(drawn.info.seed == info.seed);
        CHECK(drawn.info.noise == info.noise);
        CHECK(drawn.info.event_frame == info.event_frame);
        CHECK(drawn.info.meters_per_pixel == info.meters_per_pixel);
    }
}

TEST_CASE("compat: a scale that JSON cannot say makes a text that nothing is read from") {
    jobs::CompatSequence made = jobs::compat_sequence_of(
        {{"name", "a"}, {"pixels_per_mm", 1e-320}, {"extra_metadata", {{"label", 1}}}}, "sequences[0]");
    made.config.frames = 2;
    const jobs::Sequence drawn = jobs::make_compat_sequence(made, 0);
    CHECK(has(side_file(drawn, "metadata.json"), "\"meters_per_pixel\": Infinity"));
    CHECK(drawn.info.label == -1);
    CHECK(drawn.info.event_frame == -1);
    CHECK(drawn.info.seed == 0);
}

TEST_CASE("compat: what it cannot do it says") {
    CHECK(has(message_for({{"rng", "compat"}, {"resolution", "subpixel"}}), "leave out resolution"));
    CHECK(has(message_for({{"rng", "compat"}, {"difficulty", "hard"}}), "leave out difficulty"));
    CHECK(has(message_for({{"sequences", json::array({{{"name", "a"}}})}}), "needs rng=compat"));
    CHECK(has(message_for_entry({{"name", "../a"}}), "relative path"));
    CHECK(has(message_for_entry({{"name", "/a"}}), "relative path"));
    CHECK(has(message_for_entry({{"frames", 0}}), "sequences[0]: frames must be an integer from 1"));
    CHECK(has(message_for_entry({{"fps", 0}}), "fps must be"));
    CHECK(has(message_for_entry({{"panel_length_px", 0}}), "panel_length_px must be a number above 0.0"));
    CHECK(has(message_for_entry({{"seed", -1}}), "seed must be"));
    CHECK(has(message_for_entry({{"scenario", "crak"}}), "Did you mean 'crack'?"));
    CHECK(has(message_for_entry({{"noise_mode", "drift"}}), "temporal_drift"));
    CHECK(has(message_for_entry({{"point", 3}}), "no key 'point'"));
    CHECK(has(message_for_entry({{"extra_metadata", 3}}), "extra_metadata must be"));
    CHECK(has(message_for_entry({{"frames", 100000}, {"points_per_frame", 20000}}), "frames x points"));
    const json large{{"frames", 100000}, {"points_per_frame", 300}};
    json first = large, second = large;
    first["name"] = "a", second["name"] = "b";
    CHECK(has(message_for({{"rng", "compat"}, {"sequences", json::array({first, second})}}), "another job"));
    const json twice = json::array({{{"name", "a"}}, {{"name", "a"}}});
    CHECK(has(message_for({{"rng", "compat"}, {"sequences", twice}}), "is there already"));
}

TEST_CASE("export: generated and imported bundles come back byte for byte") {
    const ScratchFolder scratch;
    FakeContext made(scratch / "made"), exported(scratch / "exported"), imported(scratch / "i"),
        again(scratch / "again");
    exported.thread_count = 2;
    const auto do_kind = [](const jobs::Kind& kind, const json& params, FakeContext& context) {
        kind.make(jobs::complete_params(kind, params))->run(context);
    };
    run({{"rng", "compat"}, {"format", "bundles"}, {"counts", {{"light_distortion", 2}}}}, made);
    do_kind(jobs::export_kind(), {{"dataset", (made.output() / "dataset").string()}}, exported);
    CHECK(tree_of(exported.output() / "bundles") == tree_of(made.output() / "dataset"));
    CHECK(exported.artifacts.at("bundles/") == "dataset");
    const auto odd = data_folder() / "reader";
    do_kind(jobs::import_kind(), {{"path", odd.string()}, {"preflight", "warn"}}, imported);
    do_kind(jobs::export_kind(), {{"dataset", (imported.output() / "dataset").string()}}, again);
    CHECK(tree_of(again.output() / "bundles") == tree_of(odd));
}

TEST_CASE("export: csv has every point, sub-pixels too; bundles of those are refused with what to do") {
    const ScratchFolder scratch;
    FakeContext made(scratch / "made"), table(scratch / "t"), refused(scratch / "r");
    const jobs::Kind kind = jobs::export_kind();
    run({{"resolution", "subpixel"}, {"counts", {{"crack", 1}}}}, made);
    const std::string dataset = (made.output() / "dataset").string();
    kind.make(jobs::complete_params(kind, {{"dataset", dataset}, {"format", "csv"}}))->run(table);
    const auto opened = jobs::open_dataset(dataset);
    const jobs::Sequence s = opened->read(0);
    const std::string csv = bytes_of(table.output() / "bundles" / (s.info.name + ".csv"));
    CHECK(std::count(csv.begin(), csv.end(), '\n') == 1 + s.info.frames * s.info.points);
    CHECK(csv.starts_with("frame,index,x,y\n0,1,"));
    CHECK(has(csv, "."));
    CHECK(has(refusal([&] {
                  kind.make(jobs::complete_params(kind, {{"dataset", dataset}}))->run(refused);
              }),
              "use format=csv"));
    CHECK(std::filesystem::is_empty(refused.output() / "bundles"));
}
