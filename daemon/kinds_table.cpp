#include "daemon/kinds_table.h"

#include <nlohmann/json.hpp>

#include "daemon/worker/process.h"

namespace nightshift::daemon {

namespace {

constexpr std::size_t kAnswerMax = 4 << 20;
constexpr Millis kAnswerLimit = seconds(30);

}  // namespace

Result<std::vector<api::KindInfo>> read_kinds(const std::string& worker_path) {
    const auto answer = run_and_read(worker_path, {"kinds", "--json"}, kAnswerMax, kAnswerLimit);
    if (!answer) {
        return Error{ErrorCode::kUnavailable, "worker_missing", answer.error().message,
                     "Put nightshift-worker beside nightshiftd, or name it with NIGHTSHIFT_WORKER.", ""};
    }
    const auto rows = nlohmann::ordered_json::parse(*answer, nullptr, false);
    if (!rows.is_array()) {
        return Error{ErrorCode::kCorrupt, "worker_answer",
                     worker_path + " kinds --json did not print a list.",
                     "Install nightshiftd and nightshift-worker of the same version.", ""};
    }
    std::vector<api::KindInfo> kinds;
    try {
        for (const auto& row : rows) {
            api::KindInfo kind;
            kind.name = row.at("name").get<std::string>();
            kind.job_class =
                parse_job_class(row.at("class").get<std::string>()).value_or(JobClass::kTraining);
            kind.vram = Bytes{row.value("vram", std::int64_t{0})};
            kind.ram = Bytes{row.value("ram", std::int64_t{0})};
            kind.cpu = row.value("cpu", 1);
            kind.checkpoint =
                parse_checkpoint_mode(row.value("checkpoint", "none")).value_or(CheckpointMode::kNone);
            kind.estimate_param = row.value("estimate_param", "");
            kind.params_schema_json = row.at("params").dump();
            kind.raw_json = row.dump();
            kinds.push_back(std::move(kind));
        }
    } catch (const nlohmann::json::exception& error) {
        return Error{ErrorCode::kCorrupt, "worker_answer",
                     worker_path + " kinds --json printed something else: " + error.what() + ".",
                     "Install nightshiftd and nightshift-worker of the same version.", ""};
    }
    return kinds;
}

}  // namespace nightshift::daemon
