#include "jobs/fpcb/dataset.h"

#include "jobs/fpcb/bundle_tree.h"
#include "jobs/fpcb/shard_reader.h"
#include "jobs/runtime/job_impl.h"
#include "jobs/table/nearest_word.h"

namespace nightshift::jobs {

std::string_view name_of(Split split) {
    switch (split) {
        case Split::kNone:
            return "";
        case Split::kTrain:
            return "train";
        case Split::kVal:
            return "val";
        case Split::kTest:
            return "test";
    }
    return "";
}

Split split_of(std::string_view word) {
    if (word == "train") return Split::kTrain;
    if (word == "val" || word == "validation") return Split::kVal;
    if (word == "test") return Split::kTest;
    return Split::kNone;
}

std::size_t Dataset::find(std::string_view name) const {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < size(); ++i) {
        if (info(i).name == name) return i;
        names.push_back(info(i).name);
    }
    throw JobError("no_such_sequence",
                   "the data set has no sequence '" + std::string(name) + "'." + did_you_mean(name, names));
}

std::unique_ptr<Dataset> open_dataset(const std::filesystem::path& folder) {
    std::error_code error;
    if (!std::filesystem::exists(folder, error)) {
        throw JobError("no_such_input", folder.string() +
                                            ": no such folder. Give the folder of a data set (it has "
                                            "a dataset.json), of text bundles, or job:ID.");
    }
    if (!std::filesystem::is_directory(folder, error)) {
        throw JobError("not_a_dataset", folder.string() + " is a file, not a data set's folder");
    }
    if (std::filesystem::exists(folder / "dataset.json", error)) return open_shards(folder);
    return open_bundles(folder);
}

}  // namespace nightshift::jobs
