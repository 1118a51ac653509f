#include "jobs/models/feature_builder.h"

#include <doctest/doctest.h>

#include <limits>

#include "jobs/models/model_rows.h"
#include "jobs/runtime/job_impl.h"
#include "tests/jobs/models/table_features.h"
#include "tests/jobs/models/temporary_folder.h"

using namespace nightshift::jobs;
using nightshift::tests::features_of_table;
using nightshift::tests::TemporaryFolder;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Rows `begin` to `end` of a small table of sequences.
Table piece(std::size_t begin, std::size_t end) {
    const std::vector<std::string> sequence{"s1", "s1", "s2", "s2", "s3"},
        split{"train", "train", "val", "val", ""};
    const std::vector<double> frame{0, 1, 0, 1, kNaN}, label{0, 0, 1, 1, kNaN}, a{1, 2, 3, 4, 5},
        b{10, kNaN, 30, 40, 50};
    const auto part = [&](const auto& column) {
        return std::decay_t<decltype(column)>(column.begin() + static_cast<std::ptrdiff_t>(begin),
                                              column.begin() + static_cast<std::ptrdiff_t>(end));
    };
    Table table;
    table.add("sequence", part(sequence));
    table.add("frame", part(frame));
    table.add("label", part(label));
    table.add("split", part(split));
    table.add("a", part(a));
    table.add("b", part(b));
    table.notes["set"] = "compat21";
    return table;
}

}  // namespace

TEST_CASE("feature builder: pieces give what the whole table gives, also where rows go into a file") {
    const TemporaryFolder folder;
    const FeatureSet whole = features_of_table(piece(0, 5), "t.csv");
    for (const std::size_t held : {std::size_t{0}, std::size_t{1000}}) {
        CAPTURE(held);
        FeatureBuilder builder("t.csv", {}, {held, folder.path()});
        builder.add(piece(0, 1));
        builder.add(piece(1, 4));
        builder.add(piece(4, 5));
        const FeatureSet set = builder.features();
        CHECK(set.names == std::vector<std::string>{"a", "b"});
        CHECK(set.set == "compat21");
        CHECK(set.rows == 5);
        const std::vector<std::int64_t> rows{4, 0, 3};
        CHECK(set.values(rows) == std::vector<double>{5, 50, 1, 10, 4, 40});
        CHECK(rows_of(set, rows).values(1, 2) == std::vector<double>{1, 10, 4, 40});
        CHECK(rows_of(rows_of(set, rows), {2}).table_row(0) == 3);
        CHECK(set.sequence.strings() == whole.sequence.strings());
        CHECK(set.frame == whole.frame);
        CHECK(set.frame.back() == -1);
        CHECK(set.label == std::vector<int>{0, 0, 1, 1, -1});
        CHECK(set.split == whole.split);
        CHECK(set.scenario.strings() == std::vector<std::string>(5));
        const Table columns = builder.columns();
        CHECK(columns.columns().size() == 2);
        CHECK(columns.numbers("label")[2] == 1);
        CHECK(columns.text("split") == std::vector<std::string>{"train", "train", "val", "val", ""});
    }
}

TEST_CASE("feature builder: columns that a kind wants are kept, and missed by name") {
    FeatureBuilder builder("t.csv", {{}, {"label"}, {"a", "label"}});
    builder.add(piece(0, 5));
    CHECK(builder.columns().numbers("a") == std::vector<double>{1, 2, 3, 4, 5});
    FeatureBuilder other("t.csv", {{}, {}, {"labell"}});
    CHECK_THROWS_WITH_AS(other.add(piece(0, 5)), doctest::Contains("'label'"), JobError);
    FeatureBuilder empty("t.csv", {});
    empty.add(piece(0, 0));
    CHECK_THROWS_WITH_AS(empty.features(), doctest::Contains("t.csv has 0 rows and 2 columns"), JobError);
}

TEST_CASE("model rows: columns by name, normalised with the model's numbers or refused by row") {
    const FeatureSet set = features_of_table(piece(0, 5), "t.csv");
    Model model;
    model.features = {"b"};
    const ModelRows plain(model, set, "m");
    CHECK(plain.columns() == 1);
    CHECK(plain.block(2, 2) == std::vector<double>{30, 40});
    CHECK_THROWS_WITH_AS(plain.block(0, 5), doctest::Contains("row 1, column 'b'"), JobError);
    // The row is named as the table counts it, not as the part of it does.
    const FeatureSet part = rows_of(set, {4, 0, 1});
    const ModelRows of_part(model, part, "m");
    const std::vector<std::int64_t> third{2};
    CHECK_THROWS_WITH_AS(of_part.gathered(third), doctest::Contains("row 1, column 'b'"), JobError);
    CHECK_THROWS_WITH_AS(require_finite(part), doctest::Contains("row 1, column 'b'"), JobError);
    model.normalizer = Normalizer{{20}, {10}, {0}};
    CHECK(ModelRows(model, set, "m").block(0, 3) == std::vector<double>{-1, 0, 1});
    const RowStore<float> narrow = ModelRows(model, set, "m").narrow({});
    CHECK(narrow.rows() == 5);
    CHECK(narrow.all()[4] == 3.0F);
    model.features = {"c"};
    CHECK_THROWS_WITH_AS(ModelRows(model, set, "model 7"), doctest::Contains("model 7"), JobError);
}
