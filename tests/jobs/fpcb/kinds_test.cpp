#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include <nlohmann/json.hpp>

#include "jobs/fpcb/dataset_recipe.h"
#include "jobs/kinds.h"
#include "jobs/table/table.h"
#include "tests/jobs/fpcb/sequences.h"
#include "tests/jobs/models/fake_context.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::tests;
using nlohmann::json;

namespace {

void run(const jobs::Kind& kind, const json& params, FakeContext& context) {
    kind.make(jobs::complete_params(kind, params))->run(context);
}

json manifest_of(const FakeContext& context) {
    return json::parse(bytes_of(context.output() / "manifest.json"));
}

}  // namespace

TEST_CASE("generate: the small preset has the reference's counts and splits") {
    const auto planned = jobs::plan_dataset(jobs::preset_counts("small"), 1);
    std::map<jobs::Split, int> splits;
    for (const auto& one : planned) ++splits[one.split];
    CHECK(planned.size() == 125);
    CHECK(splits[jobs::Split::kTrain] == 86);
    CHECK(splits[jobs::Split::kVal] == 16);
    CHECK(splits[jobs::Split::kTest] == 23);
    std::map<jobs::Split, int> larger;
    for (const auto& one : jobs::plan_dataset(jobs::preset_counts("default"), 1)) ++larger[one.split];
    CHECK(larger[jobs::Split::kTrain] == 826);
    CHECK(larger[jobs::Split::kVal] == 176);
    CHECK(larger[jobs::Split::kTest] == 178);
}

TEST_CASE("generate: the bytes depend on the seed, not on the threads") {
    const ScratchFolder scratch;
    const json params{{"counts", {{"normal", 6}, {"crack", 5}, {"light_distortion", 2}}}, {"seed", 5}};
    FakeContext one(scratch / "one"), three(scratch / "three"), other(scratch / "other");
    three.thread_count = 3;
    run(jobs::generate_kind(), params, one);
    run(jobs::generate_kind(), params, three);
    json changed = params;
    changed["seed"] = 6;
    run(jobs::generate_kind(), changed, other);
    const auto shard = [](const FakeContext& context) {
        return bytes_of(context.output() / "dataset/shard-00000.nss");
    };
    CHECK(shard(one) == shard(three));
    CHECK(shard(one) != shard(other));
    CHECK(bytes_of(one.output() / "manifest.json") == bytes_of(three.output() / "manifest.json"));
    CHECK(one.artifacts.count("manifest.json") == 1);
}

TEST_CASE("generate: labels and true events reach the data set and the manifest") {
    const ScratchFolder scratch;
    FakeContext context(scratch / "g");
    run(jobs::generate_kind(), {{"counts", {{"normal", 2}, {"pre_damage", 2}, {"thick_panel", 1}}}}, context);
    const auto dataset = jobs::open_dataset(context.output() / "dataset");
    REQUIRE(dataset->size() == 5);
    const json entries = manifest_of(context).at("entries");
    for (std::size_t i = 0; i < dataset->size(); ++i) {
        const jobs::SequenceInfo& info = dataset->info(i);
        CHECK(entries[i].at("path") == info.name);
        CHECK(info.label == (info.scenario == "pre_damage" ? 1 : 0));
        CHECK((info.event_frame >= 0) == (info.scenario == "pre_damage"));
        CHECK(dataset->read(i).x.size() == static_cast<std::size_t>(info.points * info.frames));
    }
}

TEST_CASE("generate: a yield keeps finished shards, and the data set ends the same") {
    const ScratchFolder scratch;
    const json params{{"counts", {{"normal", 600}}}, {"difficulty", "easy"}};
    FakeContext whole(scratch / "whole"), cut(scratch / "cut"), rest(scratch / "rest");
    whole.thread_count = cut.thread_count = rest.thread_count = 2;
    run(jobs::generate_kind(), params, whole);
    cut.yield_at = 1;
    CHECK_THROWS_AS(run(jobs::generate_kind(), params, cut), jobs::StopRequested);
    rest.resume = cut.saved();
    run(jobs::generate_kind(), params, rest);
    CHECK(rest.lines.at(0) == "resumed with 1 finished shards");
    CHECK(bytes_of(rest.output() / "dataset/dataset.json") ==
          bytes_of(whole.output() / "dataset/dataset.json"));
}

TEST_CASE("generate: bundles hold the same tracks as shards") {
    const ScratchFolder scratch;
    json params{{"counts", {{"micro_crack", 2}}}, {"format", "shards"}};
    FakeContext shards(scratch / "s"), bundles(scratch / "b");
    run(jobs::generate_kind(), params, shards);
    params["format"] = "bundles";
    run(jobs::generate_kind(), params, bundles);
    const auto a = jobs::open_dataset(shards.output() / "dataset"),
               b = jobs::open_dataset(bundles.output() / "dataset");
    REQUIRE(b->size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
        const std::size_t j = b->find(a->info(i).name);
        CHECK(a->read(i).x == b->read(j).x);
        CHECK(a->info(i).event_frame == b->info(j).event_frame);
        CHECK(a->info(i).split == b->info(j).split);
    }
}

TEST_CASE("generate: what it cannot do it says") {
    const auto message = [](const json& params) {
        return refusal(
            [&] { jobs::generate_kind().make(jobs::complete_params(jobs::generate_kind(), params)); });
    };
    CHECK(has(message({{"counts", {{"crak", 3}}}}), "Did you mean 'crack'?"));
    CHECK(has(message({{"counts", {{"crack", -3}}}}), "counts.crack"));
    CHECK(has(message({{"counts", {{"crack", 0}}}}), "add up to 0"));
    CHECK(has(message({{"format", "bundles"}, {"resolution", "subpixel"}}), "whole pixels"));
}

TEST_CASE("import: bundles become a data set that gives every byte back") {
    const ScratchFolder scratch;
    FakeContext context(scratch / "i");
    run(jobs::import_kind(), {{"path", (data_folder() / "bundles").string()}}, context);
    const auto dataset = jobs::open_dataset(context.output() / "dataset");
    CHECK(dataset->size() == 7);
    const auto direct = jobs::open_dataset(data_folder() / "bundles");
    const jobs::Sequence a = dataset->read(dataset->find("s_crack")),
                         b = direct->read(direct->find("s_crack"));
    CHECK(a.x == b.x);
    CHECK(a.y == b.y);
    REQUIRE(a.side_files.size() == b.side_files.size());
    CHECK(a.side_files[2].bytes == b.side_files[2].bytes);
    CHECK(a.info.scenario == "crack");
}

TEST_CASE("import: missing frames and points stop it unless only warnings were asked for") {
    const ScratchFolder scratch;
    const std::string path = (data_folder() / "reader/x_irregular").string();
    FakeContext strict(scratch / "strict"), lenient(scratch / "lenient");
    CHECK(has(refusal([&] {
                  run(jobs::import_kind(), {{"path", path}}, strict);
              }),
              "2 frame(s) missing between 1 and 11: 4, 9"));
    run(jobs::import_kind(), {{"path", path}, {"preflight", "warn"}}, lenient);
    CHECK(jobs::open_dataset(lenient.output() / "dataset")->size() == 1);
    CHECK(has(refusal([&] { run(jobs::import_kind(), {{"path", "/no/such"}}, strict); }), "no_such_input"));
}

TEST_CASE("extract: compat75 has the golden columns in order and survives CSV") {
    const ScratchFolder scratch;
    FakeContext context(scratch / "e");
    run(jobs::extract_kind(),
        {{"dataset", (data_folder() / "bundles").string()}, {"set", "compat75"}, {"format", "csv"}}, context);
    const auto found = jobs::read_table(context.output() / "features.csv");
    const auto expected = jobs::read_table(data_folder() / "features/frames_s_crack.csv");
    REQUIRE(found.columns().size() == 77);
    CHECK(found.columns()[0].name == "sequence");
    CHECK(found.columns()[1].name == "frame");
    CHECK(found.rows() == 7 * 60);
    for (std::size_t j = 1; j < expected.columns().size(); ++j)
        CHECK(found.columns()[j + 1].name == expected.columns()[j].name);
    const auto names = found.text("sequence");
    const auto first =
        static_cast<std::size_t>(std::find(names.begin(), names.end(), "s_crack") - names.begin());
    CHECK(found.numbers("speed_max")[first + 43] == expected.numbers("speed_max")[43]);
}

TEST_CASE("extract: compat81 adds a row a sequence") {
    const ScratchFolder scratch;
    FakeContext context(scratch / "e");
    run(jobs::extract_kind(),
        {{"dataset", (data_folder() / "reader/e_noise0").string()}, {"set", "compat81"}, {"format", "csv"}},
        context);
    const auto found = jobs::read_table(context.output() / "features.csv");
    CHECK(found.columns().size() == 83);
    CHECK(std::isnan(found.numbers("frame").back()));
    CHECK(found.numbers("n_frames").back() == 12);
    CHECK(std::isnan(found.numbers("n_frames").front()));
}

TEST_CASE("extract: native has one described row a sequence, the same for any number of threads") {
    const ScratchFolder scratch;
    FakeContext made(scratch / "g"), one(scratch / "one"), three(scratch / "three");
    run(jobs::generate_kind(), {{"counts", {{"normal", 5}, {"crack", 3}}}}, made);
    const json params{{"dataset", (made.output() / "dataset").string()}, {"format", "csv"}};
    three.thread_count = 3;
    run(jobs::extract_kind(), params, one);
    run(jobs::extract_kind(), params, three);
    CHECK(bytes_of(one.output() / "features.csv") == bytes_of(three.output() / "features.csv"));
    const auto table = jobs::read_table(one.output() / "features.csv");
    CHECK(table.rows() == 8);
    CHECK(table.text("scenario").back() == "crack");
    CHECK(table.numbers("label").front() == 0);
    CHECK(table.find("shock_z") != nullptr);
    CHECK(table.find("view_noise") == nullptr);
    const json normalizer = json::parse(bytes_of(one.output() / "normalizer.json"));
    CHECK(normalizer.at("columns").size() == normalizer.at("mean").size());
    CHECK(normalizer.at("rows") == 3);
}

TEST_CASE("extract: the same question is answered from the cache, a damaged cache is not believed") {
    const ScratchFolder scratch;
    const json params{{"dataset", (data_folder() / "bundles").string()}, {"format", "csv"}};
    FakeContext first(scratch / "x"), again(scratch / "x");
    run(jobs::extract_kind(), params, first);
    const std::string table = bytes_of(first.output() / "features.csv");
    run(jobs::extract_kind(), params, again);
    CHECK(again.lines.back() == "features taken from the cache");
    CHECK(bytes_of(again.output() / "features.csv") == table);
    for (const auto& entry : std::filesystem::directory_iterator(first.cache()))
        put(entry.path() / "features.csv", "sequence\n");
    FakeContext third(scratch / "x");
    run(jobs::extract_kind(), params, third);
    CHECK(has(third.lines.front(), "damaged"));
    CHECK(bytes_of(third.output() / "features.csv") == table);
}

TEST_CASE("extract: sequences that are too short are named and left out") {
    const ScratchFolder scratch;
    FakeContext context(scratch / "e");
    const std::string only_short = (data_folder() / "reader/e_one_frame").string();
    CHECK(has(refusal([&] {
                  run(jobs::extract_kind(), {{"dataset", only_short}, {"format", "csv"}}, context);
              }),
              "no_features"));
}
