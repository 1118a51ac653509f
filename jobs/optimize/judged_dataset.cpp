#include "jobs/optimize/judged_dataset.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "jobs/runtime/phase.h"
#include "jobs/runtime/spread.h"

namespace nightshift::jobs {
namespace {

struct Stopped {};

}  // namespace

JudgedDataset::JudgedDataset(const nlohmann::json& params, JobContext& context,
                             const std::function<bool(const SequenceInfo&)>& is_used, Classes classes) {
    const auto given = params.find("dataset");
    if (given == params.end() || given->get_ref<const std::string&>().empty()) {
        throw JobError("missing_param",
                       "target=" + params.at("target").get<std::string>() +
                           " looks at tracks: give dataset (a folder or job:ID of generate or import)");
    }
    const auto& source = given->get_ref<const std::string&>();
    dataset_ = open_dataset(context.input(source, "dataset"));
    for (std::size_t i = 0; i < dataset_->size(); ++i) {
        if (is_used(dataset_->info(i))) places_.push_back(i);
    }
    std::size_t damaged = 0;
    for (std::size_t u = 0; u < places_.size(); ++u) {
        const bool is_held = classes == Classes::kBoth && info(u).split == Split::kTest;
        (is_held ? held_out_ : tuned_).push_back(u);
        damaged += !is_held && info(u).label == 1 ? 1 : 0;
    }
    const std::size_t normal = tuned_.size() - damaged;
    if (damaged > 0 && (normal > 0 || classes == Classes::kDamaged)) return;
    throw JobError("no_labels", source + " has " + std::to_string(damaged) + " damaged and " +
                                    std::to_string(normal) +
                                    " normal sequences outside its test split that this search can use; it "
                                    "needs one of each. Use a data set of kind generate, or add label to "
                                    "metadata.json of the bundles");
}

std::string JudgedDataset::tuned_words() const {
    return held_out_.empty() ? "all labelled" : "training and validation";
}

nlohmann::ordered_json JudgedDataset::verdict() const {
    if (held_out_.empty()) {
        return {{"judged", nullptr},
                {"note",
                 "no test split is known: nothing was held out, and the value is that of the very "
                 "sequences it was tuned on"}};
    }
    const auto damaged =
        std::count_if(held_out_.begin(), held_out_.end(), [&](std::size_t u) { return info(u).label == 1; });
    return {{"judged", "test split"},
            {"damaged", damaged},
            {"normal", static_cast<std::int64_t>(held_out_.size()) - damaged}};
}

bool JudgedDataset::read_once(JobContext& context,
                              const std::function<void(std::size_t, const Sequence&)>& take) {
    if (is_read_) return true;
    try {
        spread(
            places_.size(), context.threads(), [&](std::size_t u) { take(u, dataset_->read(places_[u])); },
            [&](std::size_t done) {
                context.progress(step_of("read", done, places_.size()));
                if (context.stop_requested()) throw Stopped{};
            });
    } catch (const Stopped&) {
        return false;
    }
    is_read_ = true;
    return true;
}

}  // namespace nightshift::jobs
