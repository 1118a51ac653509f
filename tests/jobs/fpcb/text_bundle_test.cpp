#include "jobs/fpcb/text_bundle.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>

#include "jobs/fpcb/bundle_tree.h"
#include "jobs/fpcb/frame_file.h"
#include "tests/jobs/fpcb/sequences.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/seed.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

const std::string kFrame = "# x,y,index\n10,20,1\n11,21,2\n";

void small_bundle(const std::filesystem::path& folder) {
    put(folder / "fps.txt", "30.0\n");
    for (int f = 0; f < 3; ++f) put(folder / jobs::frame_file_name(f), kFrame);
}

std::map<std::string, std::string> all_files(const std::filesystem::path& folder) {
    std::map<std::string, std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        out[entry.path().filename().string()] = bytes_of(entry.path());
    return out;
}

bool has_finding(const jobs::BundleRead& read, jobs::BundleFinding::Kind kind) {
    return std::any_of(read.findings.begin(), read.findings.end(),
                       [&](const auto& f) { return f.kind == kind; });
}

}  // namespace

TEST_CASE("text bundle: every byte of the reference's bundles comes back") {
    for (const char* name :
         {"bundles/s_crack", "bundles/s_uv_overcured", "reader/n_mixed", "reader/e_one_frame",
          "reader/e_one_point", "reader/e_noise0", "reader/x_irregular"}) {
        CAPTURE(name);
        const ScratchFolder scratch;
        const auto read = jobs::read_bundle(data_folder() / name);
        jobs::write_bundle(scratch / "copy", read.sequence);
        CHECK(all_files(scratch / "copy") == all_files(data_folder() / name));
    }
}

TEST_CASE("text bundle: planes hold the tracks, side files only the rest") {
    const auto read = jobs::read_bundle(data_folder() / "bundles/s_crack");
    const jobs::Sequence& s = read.sequence;
    CHECK(s.info.points == 224);
    CHECK(s.info.frames == 60);
    CHECK(s.info.fps == 30);
    CHECK(s.info.meters_per_pixel == 1e-4);
    CHECK(s.info.label == 1);
    CHECK(s.info.goal == "goal1");
    CHECK(s.info.split == jobs::Split::kTest);
    CHECK(s.info.seed == 152204);
    CHECK(s.info.event_frame == 42);  // not crack_frame 46, which the tracks know nothing of
    CHECK(s.side_files.size() == 3);
    CHECK(s.present.empty());
    CHECK(read.findings.empty());
}

TEST_CASE("text bundle: the irregular one is read as the reference reads it") {
    const auto read = jobs::read_bundle(data_folder() / "reader/x_irregular");
    const jobs::Sequence& s = read.sequence;
    CHECK(s.frame_number == std::vector<std::int32_t>{1, 2, 3, 5, 6, 7, 8, 10, 11});
    CHECK(s.info.points == 12);
    CHECK(s.info.fps == 12.5);
    CHECK(s.info.meters_per_pixel == 2e-4);
    const auto point = std::find(s.point_index.begin(), s.point_index.end(), 36) - s.point_index.begin();
    CHECK(s.x_px(1, static_cast<int>(point)) == 538);
    CHECK(s.y_px(1, static_cast<int>(point)) == 259);
    CHECK(has_finding(read, jobs::BundleFinding::Kind::kMissingFrame));
    CHECK(has_finding(read, jobs::BundleFinding::Kind::kSkippedFile));
    CHECK(has_finding(read, jobs::BundleFinding::Kind::kOtherPoints));
}

TEST_CASE("text bundle: each fault names file and line") {
    const ScratchFolder scratch;
    const auto folder = scratch / "묶음 1";
    small_bundle(folder);
    const auto frame = folder / "frame_00001.txt";
    const auto message = [&] { return refusal([&] { jobs::read_bundle(folder); }); };
    SUBCASE("wrong header") {
        put(frame, "x,y,index\n1,2,3\n");
        CHECK(has(message(), "frame_00001.txt:1: the first line must be '# x,y,index'"));
    }
    SUBCASE("row that is not three integers") {
        for (const char* row : {"1,2", "1,2,3,4", "1.5,2,3", "a,2,3", "1,,3", "99999999999,1,1", "1,2,3;"}) {
            put(frame, "# x,y,index\n1,2,1\n" + std::string(row) + "\n");
            CAPTURE(row);
            CHECK(has(message(), "frame_00001.txt:3: a row must be three integers"));
        }
    }
    SUBCASE("coordinate out of range") {
        put(frame, "# x,y,index\n40000,2,1\n");
        CHECK(has(message(), "frame_00001.txt:2: coordinate 40000"));
    }
    SUBCASE("point twice") {
        put(frame, "# x,y,index\n1,2,1\n1,2,1\n");
        CHECK(has(message(), "frame_00001.txt:3: point 1 is there a second time"));
    }
    SUBCASE("no points") {
        put(frame, "# x,y,index\n\n");
        CHECK(has(message(), "the frame has no points"));
    }
    SUBCASE("frames per second") {
        for (const char* text : {"0", "-1", "fast", "nan", ""}) {
            put(folder / "fps.txt", text);
            CHECK(has(message(), "fps.txt:1"));
        }
    }
    SUBCASE("two files for one frame") {
        put(folder / "other_00001.txt", kFrame);
        CHECK(has(message(), "are both frame 1"));
    }
    SUBCASE("no fps.txt") {
        std::filesystem::remove(folder / "fps.txt");
        CHECK(has(message(), "fps.txt is missing"));
    }
}

TEST_CASE("text bundle: a gap is a finding that names the frames") {
    const ScratchFolder scratch;
    small_bundle(scratch / "b");
    std::filesystem::remove(scratch / "b" / "frame_00001.txt");
    const auto read = jobs::read_bundle(scratch / "b");
    REQUIRE(has_finding(read, jobs::BundleFinding::Kind::kMissingFrame));
    CHECK(has(read.findings[0].message, "between 0 and 2: 1"));
}

TEST_CASE("text bundle: broken metadata leaves the tracks usable") {
    const ScratchFolder scratch;
    small_bundle(scratch / "b");
    for (const char* text : {"", "{", "[]", "{\"meters_per_pixel\": \"x\", \"label\": [], \"config\": 3}",
                             "{\"config\":{\"seed\":-4}}"}) {
        put(scratch / "b" / "metadata.json", text);
        CHECK(jobs::read_bundle(scratch / "b").sequence.info.meters_per_pixel == 0);
    }
}

TEST_CASE("text bundle: random bytes end in a refusal or in tracks, never in a crash") {
    const std::string alphabet = "# x,y,index\n0123456789-+ ,,\n\r\t.";
    std::uint64_t state = tests::seed();
    for (int round = 0; round < 3000; ++round) {
        std::string text = round % 2 ? kFrame : std::string();
        for (int i = 0; i < 40; ++i) {
            state = state * 6364136223846793005ull + 1442695040888963407ull;
            text += alphabet[(state >> 33) % alphabet.size()];
        }
        try {
            for (const jobs::FrameRow& row : jobs::parse_frame(text, "f")) CHECK(row.line > 1);
        } catch (const jobs::JobError& error) {
            CHECK(error.code() == "bad_bundle");
        }
    }
}

TEST_CASE("frame file: numbers by name") {
    CHECK(jobs::frame_number_of("frame_00000.txt") == 0);
    CHECK(jobs::frame_number_of("frame_00042.txt") == 42);
    CHECK(jobs::frame_number_of("frame_00119.txt") == 119);
    CHECK(jobs::frame_number_of("cam2_000011_v1.txt") == 11);
    CHECK(jobs::frame_number_of("7.txt") == 7);
    CHECK_FALSE(jobs::frame_number_of("notes.txt").has_value());
    CHECK_THROWS_AS(jobs::frame_number_of("a12345678901.txt"), jobs::JobError);
}

TEST_CASE("bundle tree: bundles are found by name, at any depth") {
    const ScratchFolder scratch;
    small_bundle(scratch / "b" / "two");
    small_bundle(scratch / "a" / "x" / "하나");
    const auto places = jobs::find_bundles(scratch.path());
    REQUIRE(places.size() == 2);
    CHECK(places[0].name == "a/x/하나");
    CHECK(places[1].name == "b/two");
    CHECK(jobs::find_bundles(scratch / "b" / "two")[0].name == "two");
    CHECK(has(refusal([&] { jobs::find_bundles(scratch / "b" / "two" / "fps.txt"); }), "no_such_input"));
}
