#include "api/storage.h"

#include <nlohmann/json.hpp>

#include "api/device_codec.h"
#include "api/handlers/handlers.h"
#include "api/rfc3339.h"

namespace nightshift::api::handle {
namespace {

using nlohmann::ordered_json;

ordered_json check_object(const db::CheckResult& check) {
    ordered_json row;
    row["code"] = check.code;
    row["name"] = check.name;
    row["ok"] = check.broken.empty();
    row["held_by"] = check.held_by;
    row["broken"] = check.broken;
    row["meaning"] = check.meaning;
    row["remedy"] = check.remedy;
    return row;
}

ordered_json backup_object(const BackupInfo& backup) {
    ordered_json row;
    row["name"] = backup.name;
    row["bytes"] = backup.bytes.value;
    row["at"] = format_time(backup.at);
    return row;
}

/// The part of I5 that only the daemon can tell: budgets against the devices of this machine.
db::CheckResult check_capacity(Context& context) {
    db::CheckResult check{"I5 devices",
                          "budgets of running jobs fit into their device",
                          "query",
                          "More memory was promised than the device has, as after a change of cards.",
                          "Preempt or cancel a job on that device; it is not filled up again.",
                          {}};
    const std::vector<Lease> leases = context.commands.leases();
    for (const DeviceState& state : context.commands.devices()) {
        Bytes promised;
        for (const Lease& lease : leases) {
            if (lease.device == state.device.uuid) promised = promised + lease.budget;
        }
        if (promised > state.device.total) check.broken.push_back(state.device.uuid);
    }
    return check;
}

Storage* storage_of(Context& context, const RequestPtr& request, const Respond& respond) {
    Storage* storage = context.commands.storage();
    if (storage == nullptr) {
        respond(error_answer(*request, Error{ErrorCode::kUnsupported, "storage_unsupported",
                                             "This daemon has no database of its own.", "", ""}));
    }
    return storage;
}

}  // namespace

void self_check(Context& context, const RequestPtr& request, Respond respond) {
    Storage* storage = storage_of(context, request, respond);
    if (storage == nullptr) return;
    storage->self_check([&context, request, respond](Result<std::vector<db::CheckResult>> checks) {
        if (!checks) return respond(error_answer(*request, checks.error()));
        checks->push_back(check_capacity(context));
        ordered_json body;
        body["ok"] = true;
        body["checks"] = ordered_json::array();
        for (const db::CheckResult& check : *checks) {
            if (!check.broken.empty()) body["ok"] = false;
            body["checks"].push_back(check_object(check));
        }
        respond(json_answer(body));
    });
}

void list_backups(Context& context, const RequestPtr& request, Respond respond) {
    Storage* storage = storage_of(context, request, respond);
    if (storage == nullptr) return;
    ordered_json body;
    body["backups"] = ordered_json::array();
    for (const BackupInfo& backup : storage->backups()) body["backups"].push_back(backup_object(backup));
    respond(json_answer(body));
}

void make_backup(Context& context, const RequestPtr& request, Respond respond) {
    Storage* storage = storage_of(context, request, respond);
    if (storage == nullptr) return;
    storage->back_up([request, respond](Result<BackupInfo> backup) {
        if (!backup) return respond(error_answer(*request, backup.error()));
        respond(json_answer(backup_object(*backup), 201));
    });
}

}  // namespace nightshift::api::handle
