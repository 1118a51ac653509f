#include "jobs/models/features_input.h"

#include <nlohmann/json.hpp>

namespace nightshift::jobs {
namespace {

bool is_given(const nlohmann::json& params, const char* name) {
    const auto value = params.find(name);
    return value != params.end() && value->is_string() && !value->get_ref<const std::string&>().empty();
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
        out.table = read_table(file);
        out.set = features_of_table(out.table, file.filename().string(), columns.only, columns.without);
    } else if (out.dataset) {
        (void)set;
        throw JobError("missing_param", "features are missing; extract them first");
    } else {
        throw JobError("missing_param",
                       "neither features nor dataset is given; name a table of features (a file or "
                       "job:ID of an extract job), or a data set");
    }
    if (out.dataset && !out.set.is_plain()) describe_from_dataset(out.set, *out.dataset);
    return out;
}

bool wants_normalizer(const nlohmann::json& params, const FeatureSet& set) {
    const auto value = params.find("normalize");
    if (value != params.end() && value->is_boolean()) return value->get<bool>();
    return !set.is_plain();
}

}  // namespace nightshift::jobs
