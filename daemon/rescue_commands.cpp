#include "daemon/rescue_commands.h"

namespace nightshift::daemon {

Error RescueCommands::refusal() const {
    return {ErrorCode::kUnavailable, "rescue_mode",
            "The database is damaged, so nothing can be changed: " + parts_.damage,
            "Stop the daemon (`nightshift down`) and restore a backup (`nightshift backup ls`, `nightshift "
            "restore FILE`). What can still be read is listed; jobs that run go on.",
            ""};
}

void RescueCommands::shut_down(bool, std::string, Reply<void> reply) {
    reply({});
    parts_.stop();
}

Result<Snapshot> RescueCommands::snapshot() const {
    Snapshot snapshot;
    snapshot.is_paused = true;
    snapshot.pause_reason = "rescue mode: the database is damaged";
    return snapshot;
}

std::shared_ptr<void> RescueCommands::subscribe(std::function<void(const EventRecord&)> listener) {
    return std::make_shared<std::function<void(const EventRecord&)>>(std::move(listener));
}

}  // namespace nightshift::daemon
