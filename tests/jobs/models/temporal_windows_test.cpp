#include "jobs/models/temporal_windows.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "tests/jobs/models/temporal_case.h"

using namespace nightshift::jobs;
using namespace nightshift::tests;

namespace {

/// The rows of a golden table of frame scores.
std::map<std::pair<std::string, std::int64_t>, double> golden_frames(const std::string& file) {
    const Table table = read_table(file);
    std::map<std::pair<std::string, std::int64_t>, double> out;
    const auto sequences = table.text("sequence");
    const auto frames = table.numbers("frame"), scores = table.numbers("score");
    for (std::size_t i = 0; i < scores.size(); ++i)
        out[{sequences[i], static_cast<std::int64_t>(frames[i])}] = scores[i];
    return out;
}

std::vector<double> scores_of(const TemporalCase& each, const FeatureSet& set, const Windows& windows) {
    const std::vector<double> wide = set.values(0, set.rows);
    const RowStore<float> values(set.columns(), {wide.begin(), wide.end()});
    std::vector<std::int64_t> which(windows.size());
    std::iota(which.begin(), which.end(), std::int64_t{0});
    return window_scores(each.shape, each.parameters, gathered(values, windows, which),
                         static_cast<Eigen::Index>(windows.size()));
}

using Lists = std::vector<std::vector<std::int64_t>>;

Lists listed(const Windows& windows) {
    Lists out;
    for (std::size_t w = 0; w < windows.size(); ++w) out.emplace_back(windows[w].begin(), windows[w].end());
    return out;
}

FeatureSet small_set() {
    FeatureSet set;
    set.names = {"x"};
    // b's frames come out of order and between a's; c is short; one row stands for the whole of a.
    set.sequence = {"a", "b", "a", "b", "a", "a", "b", "c", "a"};
    set.frame = {0, 2, 1, 0, 2, 3, 1, 7, -1};
    set.label.assign(9, 0);
    set.split.assign(9, Split::kNone);
    set.scenario = Words(9, "");
    set.goal = Words(9, "");
    set.event_frame.assign(9, -1);
    set.put_values({1, {0, 10, 20, 30, 40, 50, 60, 70, 80}});
    return set;
}

}  // namespace

TEST_CASE("temporal: window and frame scores of the reference, its mixed-up join and the corrected one") {
    const auto cases = temporal_cases();
    REQUIRE(!cases.empty());
    for (const TemporalCase& each : cases) {
        for (const char* which : {"one", "several"}) {
            CAPTURE(each.tag);
            CAPTURE(which);
            const FeatureSet set = each.frames(which);
            const Windows windows = windows_of(set, kGoldenSteps, false);
            const std::vector<double> scores = scores_of(each, set, windows);
            const std::string tail = std::string("_") + which;
            CHECK(largest_error(scores, each.facts.at("window_scores" + tail).get<std::vector<double>>()) <
                  1e-5);
            for (const bool is_mean : {false, true}) {
                const std::string name =
                    std::string(which) + (is_mean ? "_mean_" : "_max_") + each.tag + ".csv";
                CAPTURE(name);
                const auto corrected = golden_frames(each.folder + "frame_scores_corrected_" + name);
                const std::vector<double> rows = scores_of_rows(set, windows, scores, is_mean);
                std::size_t found = 0;
                for (std::size_t r = 0; r < rows.size(); ++r) {
                    const auto place = corrected.find({set.sequence[r], set.frame[r]});
                    if (place == corrected.end()) continue;
                    ++found;
                    CHECK(rows[r] == doctest::Approx(place->second).epsilon(1e-5));
                }
                CHECK(found == corrected.size());
                const FrameScores mixed = reference_frame_scores(set, windows, scores, is_mean);
                const auto expected = golden_frames(each.folder + "frame_scores_" + name);
                REQUIRE(mixed.size() == expected.size());
                for (const auto& [place, score] : expected)
                    CHECK(mixed.at(place) == doctest::Approx(score).epsilon(1e-5));
            }
        }
    }
}

TEST_CASE("temporal: windows follow frames, never cross sequences, and cover every frame") {
    const FeatureSet set = small_set();
    CHECK(listed(windows_of(set, 3, false)) == Lists{{0, 2, 4}, {2, 4, 5}, {3, 6, 1}});
    const Windows all = windows_of(set, 3, true);
    CHECK(listed(all) == Lists{{0, 2, 4}, {2, 4, 5}, {3, 6, 1}, {7}});
    const std::vector<double> largest = scores_of_rows(set, all, {1, 5, 2, 9}, false);
    // Row 8 stands for the whole of a.
    CHECK(largest == std::vector<double>{1, 2, 5, 2, 5, 5, 2, 9, 5});
    const std::vector<double> mean = scores_of_rows(set, all, {1, 5, 2, 9}, true);
    CHECK(mean == std::vector<double>{1, 2, 3, 2, 3, 5, 2, 9, 5});
}

TEST_CASE("temporal: a plain table is one sequence; batches lie time-major") {
    FeatureSet set;
    set.names = {"x", "y"};
    set.rows = 4;
    const Windows windows = windows_of(set, 3, true);
    CHECK(listed(windows) == Lists{{0, 1, 2}, {1, 2, 3}});
    const std::vector<float> values{0, 1, 10, 11, 20, 21, 30, 31};
    const std::vector<std::int64_t> which{1, 0};
    FloatRows expected(6, 2);
    expected << 10, 11, 0, 1, 20, 21, 10, 11, 30, 31, 20, 21;
    CHECK(gathered(RowStore<float>(2, values), windows, which) == expected);
    // The last window alone, from its own rows.
    FloatRows last(3, 2);
    last << 10, 11, 20, 21, 30, 31;
    CHECK(gathered(std::span(values).subspan(2), 2, windows, 1, 1) == last);
    CHECK(scores_of_rows(set, windows, {3, 4}, false) == std::vector<double>{3, 4, 4, 4});
}
