#include <nlohmann/json.hpp>

#include "jobs/basic/command.h"
#include "jobs/kinds.h"

namespace nightshift::jobs {
namespace {

class CommandJob final : public JobImpl {
  public:
    void run(JobContext& context) override {
        CommandHost* host = context.command_host();
        if (host == nullptr || host->command_line().argv.empty()) {
            throw JobError("bad_param",
                           "kind command needs a command: a list of the program and its arguments");
        }
        run_command(context, *host);
    }
};

}  // namespace

Kind command_kind() {
    Kind kind;
    kind.name = "command";
    kind.job_class = JobClass::kTraining;
    kind.summary_en = "Runs your own program under the queue's rules";
    kind.summary_ko = "사용자의 프로그램을 대기열 규칙에 따라 실행합니다";
    kind.checkpoint = CheckpointMode::kNone;
    kind.schema = [] {
        return nlohmann::ordered_json{{"type", "object"},
                                      {"properties", nlohmann::ordered_json::object()},
                                      {"required", nlohmann::ordered_json::array()}};
    };
    kind.make = [](const nlohmann::json&) { return std::make_unique<CommandJob>(); };
    return kind;
}

}  // namespace nightshift::jobs
