#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "jobs/fpcb/shard_writer.h"
#include "tests/jobs/fpcb/compat_cases.h"

namespace nightshift::tests {

/// One of the reference's runs inside a data set of a test.
struct CaseOf {
    std::string name;
    int label = -1;
    bool has_metrics = true;
};

/// Writes these sequences as one shard; the folder is a data set then.
inline std::filesystem::path write_sequences(const std::filesystem::path& folder,
                                             const std::vector<jobs::Sequence>& sequences) {
    std::filesystem::create_directories(folder);
    jobs::write_dataset_index(folder, {jobs::write_shard(folder, 0, sequences)}, nlohmann::json::object());
    return folder;
}

/// Draws the cases anew, with these labels, and without frame_metrics.csv where a case has none.
inline std::filesystem::path write_cases(const std::filesystem::path& folder,
                                         const std::vector<CaseOf>& cases) {
    std::vector<jobs::Sequence> sequences;
    for (const CaseOf& one : cases) {
        jobs::Sequence s = compat_case(one.name);
        s.info.name = one.name;
        s.info.id = static_cast<std::int64_t>(sequences.size());
        s.info.label = one.label;
        s.info.split = jobs::Split::kNone;
        if (!one.has_metrics) s.side_files.clear();
        sequences.push_back(std::move(s));
    }
    return write_sequences(folder, sequences);
}

}  // namespace nightshift::tests
