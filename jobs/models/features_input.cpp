#include "jobs/models/features_input.h"

#include <algorithm>
#include <system_error>

#include <nlohmann/json.hpp>

#include "jobs/fpcb/feature_table.h"
#include "jobs/runtime/phase.h"
#include "jobs/runtime/text_param.h"
#include "jobs/table/table_reader.h"

namespace nightshift::jobs {
namespace {

bool is_given(const nlohmann::json& params, const char* name) {
    return !text_param(params, name).empty();
}

/// CSV keeps no notes: the set is told from its columns. Only the reference's have these names.
std::string set_by_columns(const std::vector<std::string>& names) {
    const auto has = [&](const char* name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (!has("strain_surrogate_mean")) return "native";
    if (has("n_frames")) return "compat81";
    return has("acceleration_mean_skewness") ? "compat75" : "compat21";
}

/// Features of the data set, every column of them.
void add_extracted(JobContext& context, const Dataset& dataset, const std::string& set,
                   FeatureBuilder& builder) {
    FeatureTableOptions options;
    options.set = set;
    options.keeps_idle = true;
    options.threads = std::max(1, context.threads());
    const auto tell = [&](std::size_t done) {
        const Progress progress = step_of("extract", done, dataset.size());
        context.progress(progress);
        context.check(progress.step, {});
    };
    stream_features(dataset, options, tell, [&](const Table& piece) { builder.add(piece); });
}

/// The rows of a file, part by part.
void add_rows_of(JobContext& context, const std::filesystem::path& file, FeatureBuilder& builder) {
    const auto reader = TableReader::open(file);
    Table piece = table_without_rows(reader->columns());
    piece.notes = reader->notes();
    builder.add(piece);
    std::size_t rows = 0;
    while (reader->next(piece)) {
        rows += piece.rows();
        builder.add(piece);
        context.check(0, {});
        context.progress(phase_at(
            "read", static_cast<double>(rows) / static_cast<double>(std::max(rows, reader->rows()))));
    }
}

}  // namespace

FeaturesInput read_features(JobContext& context, const nlohmann::json& params, const ColumnChoice& columns,
                            const std::string& set) {
    FeaturesInput out;
    if (is_given(params, "dataset")) {
        out.dataset = open_dataset(context.input(params.at("dataset").get<std::string>(), "dataset"));
    }
    if (is_given(params, "features")) {
        const std::filesystem::path file = context.input(params.at("features").get<std::string>(), "table");
        FeatureBuilder builder(file.filename().string(), columns, row_room(context));
        add_rows_of(context, file, builder);
        out.set = builder.features();
        out.table = builder.columns();
        if (out.set.set.empty() && !out.set.is_plain()) out.set.set = set_by_columns(out.set.names);
        const bool has_labels =
            std::any_of(out.set.label.begin(), out.set.label.end(), [](int l) { return l >= 0; });
        const std::filesystem::path beside = file.parent_path() / "sequences.csv";
        std::error_code error;
        if (!out.set.is_plain() && !has_labels && std::filesystem::exists(beside, error)) {
            describe_from_table(out.set, read_table(beside));
        }
    } else if (out.dataset) {
        FeatureBuilder builder("the data set", columns, row_room(context));
        add_extracted(context, *out.dataset, set, builder);
        out.set = builder.features();
        out.table = builder.columns();
    } else {
        throw JobError("missing_param",
                       "neither features nor dataset is given; name a table of features (a file or "
                       "job:ID of an extract job), or a data set");
    }
    if (out.dataset && !out.set.is_plain()) describe_from_dataset(out.set, *out.dataset);
    return out;
}

RowRoom row_room(const JobContext& context) {
    return {static_cast<std::size_t>(context.row_memory().value), context.output()};
}

bool wants_normalizer(const nlohmann::json& params, const FeatureSet& set) {
    const auto value = params.find("normalize");
    if (value != params.end() && value->is_boolean()) return value->get<bool>();
    return !set.is_plain();
}

}  // namespace nightshift::jobs
