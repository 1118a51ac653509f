// Features that are made, written and normalised piece by piece.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>

#include <nlohmann/json.hpp>

#include "jobs/fpcb/feature_table.h"
#include "jobs/kinds.h"
#include "jobs/models/normalizer.h"
#include "jobs/table/table_reader.h"
#include "tests/jobs/fpcb/compat_cases.h"
#include "tests/jobs/models/fake_context.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::tests;
using nlohmann::json;

namespace {

/// One sequence many times, under other names; counts how often it was read.
class Repeated final : public jobs::Dataset {
  public:
    explicit Repeated(std::size_t times) : one_(compat_case("s_crack")), infos_(times, one_.info) {
        for (std::size_t i = 0; i < times; ++i) infos_[i].name = "s" + std::to_string(i);
    }
    std::size_t size() const override { return infos_.size(); }
    const jobs::SequenceInfo& info(std::size_t i) const override { return infos_[i]; }
    jobs::Sequence read(std::size_t i) const override {
        ++reads;
        jobs::Sequence out = one_;
        out.info = infos_[i];
        return out;
    }
    const std::string& content_hash() const override { return infos_[0].name; }

    mutable std::atomic<std::size_t> reads{0};

  private:
    jobs::Sequence one_;
    std::vector<jobs::SequenceInfo> infos_;
};

void run(const jobs::Kind& kind, const json& params, FakeContext& context) {
    kind.make(jobs::complete_params(kind, params))->run(context);
}

/// Six sequences whose names are numbers too, two of them the same one: 100 and 1e2.
json numbered_sequences() {
    json list = json::array();
    const std::vector<std::string> names{"100", "1e2", "7", "8", "9", "10"};
    for (const json& one : compat_cases()) {
        if (list.size() == names.size()) break;
        list.push_back(one.at("entry"));
        list.back()["name"] = names[list.size() - 1];
        list.back()["extra_metadata"] = {{"split", list.size() == 2 ? "test" : "train"},
                                         {"label", list.size() == 4 ? 1 : 0}};
    }
    REQUIRE(list.size() == names.size());
    return list;
}

/// Every row that stream_features() makes, in one table.
std::pair<jobs::FeatureFacts, jobs::Table> whole_table(const jobs::Dataset& dataset,
                                                       const jobs::FeatureTableOptions& options) {
    jobs::Table table;
    const auto join = [&](jobs::Table piece) { jobs::append_rows(table, std::move(piece)); };
    jobs::FeatureFacts facts = jobs::stream_features(
        dataset, options, [](std::size_t) {}, join);
    return {std::move(facts), std::move(table)};
}

}  // namespace

TEST_CASE("feature stream: pieces are bounded, in order, and no sequence is read long before its turn") {
    constexpr std::size_t kSequences = 700;
    const Repeated dataset(kSequences);
    const auto frames = static_cast<std::size_t>(dataset.info(0).frames);
    jobs::FeatureTableOptions options;
    options.set = "compat81";
    options.threads = 3;
    std::size_t rows = 0, pieces = 0, seen_done = 0;
    const auto facts = jobs::stream_features(
        dataset, options,
        [&](std::size_t done) {
            CHECK(done >= seen_done);
            seen_done = done;
        },
        [&](const jobs::Table& piece) {
            ++pieces;
            CHECK(piece.rows() <= jobs::kPieceRows + jobs::kPieceRows / frames + 2 * frames);
            CHECK(piece.notes.at("set") == "compat81");
            const auto names = piece.text("sequence");
            const auto numbers = piece.numbers("frame");
            for (std::size_t i = 0; i < names.size(); ++i) {
                const std::size_t sequence = (rows + i) / (frames + 1), frame = (rows + i) % (frames + 1);
                REQUIRE(names[i] == "s" + std::to_string(sequence));
                if (frame == frames)
                    REQUIRE(std::isnan(numbers[i]));
                else
                    REQUIRE(numbers[i] == static_cast<double>(frame));
            }
            rows += piece.rows();
            CHECK(dataset.reads == rows / (frames + 1));
        });
    CHECK(rows == kSequences * (frames + 1));
    CHECK(pieces == 3);
    CHECK(seen_done == kSequences);
    CHECK(facts.features.size() == 81);
}

TEST_CASE("feature stream: joined pieces are the table in memory") {
    const Repeated dataset(300);
    jobs::FeatureTableOptions options;
    options.set = "compat75";
    jobs::Table joined;
    std::size_t pieces = 0;
    const auto ignore = [](std::size_t) {};
    jobs::stream_features(dataset, options, ignore, [&](jobs::Table piece) {
        jobs::append_rows(joined, std::move(piece));
        ++pieces;
    });
    CHECK(pieces == 2);
    options.threads = 2;
    const jobs::Table whole = whole_table(dataset, options).second;
    REQUIRE(whole.heads() == joined.heads());
    CHECK(whole.notes == joined.notes);
    CHECK(whole.text("sequence") == joined.text("sequence"));
    CHECK(whole.matrix({"frame", "speed_max", "acceleration_max"}) ==
          joined.matrix({"frame", "speed_max", "acceleration_max"}));
}

TEST_CASE("extract: the normaliser has the bits of all rows at once, whatever the format and the names") {
    const ScratchFolder scratch;
    FakeContext made(scratch / "made");
    run(jobs::generate_kind(), {{"rng", "compat"}, {"sequences", numbered_sequences()}}, made);
    const std::string folder = (made.output() / "dataset").string();
    const auto dataset = jobs::open_dataset(folder);
    for (const std::string precision : {"fp64", "fp32"}) {
        jobs::FeatureTableOptions options;
        options.set = "compat81";
        options.is_float = precision == "fp32";
        const auto [features, table] = whole_table(*dataset, options);
        const auto names = table.text("sequence");
        const auto all = table.matrix(features.features);
        const std::size_t width = features.features.size();
        std::vector<double> normal;
        for (std::size_t row = 0; row < names.size(); ++row) {
            const jobs::SequenceInfo& info = dataset->info(dataset->find(names[row]));
            if (info.label == 1 || info.split != jobs::Split::kTrain) continue;
            const auto first = all.begin() + static_cast<std::ptrdiff_t>(row * width);
            normal.insert(normal.end(), first, first + static_cast<std::ptrdiff_t>(width));
        }
        REQUIRE(!normal.empty());
        REQUIRE(normal.size() < all.size());
        const jobs::Normalizer expected = jobs::fit_normalizer(normal, width);
        for (const std::string format : {"csv", "feather", "parquet"}) {
            if (!jobs::table_format_available(jobs::table_format(format))) continue;
            CAPTURE(precision + " " + format);
            FakeContext context(scratch / (precision + format));
            run(jobs::extract_kind(),
                {{"dataset", folder}, {"set", "compat81"}, {"format", format}, {"precision", precision}},
                context);
            const json found = json::parse(bytes_of(context.output() / "normalizer.json"));
            CHECK(found.at("columns") == features.features);
            CHECK(found.at("rows") == normal.size() / width);
            CHECK(found.at("mean").get<std::vector<double>>() == expected.mean);
            CHECK(found.at("deviation").get<std::vector<double>>() == expected.deviation);
        }
    }
}

TEST_CASE("extract: what is stopped after it has written rows leaves no table") {
    const ScratchFolder scratch;
    FakeContext made(scratch / "made"), context(scratch / "e");
    run(jobs::generate_kind(), {{"rng", "compat"}, {"counts", {{"normal", 300}}}}, made);
    context.cancel_at = 290;
    CHECK_THROWS(
        run(jobs::extract_kind(),
            {{"dataset", (made.output() / "dataset").string()}, {"set", "compat21"}, {"format", "csv"}},
            context));
    CHECK(std::filesystem::is_empty(context.output()));
}
