#include "jobs/analyze/analysis_state.h"

#include <nlohmann/json.hpp>

#include "jobs/runtime/durable_file.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

using nlohmann::json;

constexpr const char* kStateName = "state.json";
/// About 70 bytes a sequence.
constexpr std::size_t kStateBytesMax = std::size_t{256} << 20;

}  // namespace

void save_analysis(const std::filesystem::path& folder, const AnalysisState& state, const json& params,
                   const std::string& content_hash) {
    json risks = json::array();
    for (const SequenceRisk& r : state.risks)
        risks.push_back(json::array({r.place, r.max, r.mean, r.frame, r.has_metrics}));
    const json out{{"params", params},
                   {"dataset", content_hash},
                   {"next", state.next},
                   {"risks", std::move(risks)},
                   {"skipped", state.skipped}};
    write_durably(folder / kStateName, out.dump());
}

bool load_analysis(const std::filesystem::path& folder, AnalysisState& state, const json& params,
                   const std::string& content_hash) {
    const std::filesystem::path file = folder / kStateName;
    try {
        const json in = json::parse(read_text(file, kStateBytesMax));
        if (in.at("params") != params || in.at("dataset") != content_hash) return false;
        AnalysisState found;
        found.next = in.at("next").get<std::size_t>();
        found.skipped = in.at("skipped").get<std::vector<std::size_t>>();
        found.risks.reserve(in.at("risks").size());
        for (const json& row : in.at("risks")) {
            found.risks.push_back({row.at(0).get<std::size_t>(), row.at(1).get<double>(),
                                   row.at(2).get<double>(), row.at(3).get<int>(), row.at(4).get<bool>()});
        }
        state = std::move(found);
        return true;
    } catch (const json::exception& error) {
        throw JobError("bad_checkpoint", file.string() + ": " + error.what() + "; start the analysis anew");
    }
}

}  // namespace nightshift::jobs
