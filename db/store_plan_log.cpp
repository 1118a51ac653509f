#include "db/sqlite_store.h"

namespace nightshift::db {

Status SqliteStore::record_plan(const PlanRecord& record) {
    Statement plan(*connection_,
                   "INSERT INTO plan_log (plan_seq, at_ms, is_paused, starts, yields, cpu, ram, policy, "
                   "has_devices) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   record.plan_seq, record.at, record.is_paused, record.starts, record.yields, record.cpu,
                   record.ram, record.policy_json, record.devices.has_value());
    NIGHTSHIFT_TRY(plan.run());
    if (!record.devices) return {};
    int position = 0;
    for (const PlanDevice& device : *record.devices) {
        Statement row(*connection_,
                      "INSERT INTO plan_device (plan_seq, position, uuid, name, total, foreign_used) VALUES "
                      "(?, ?, ?, ?, ?, ?)",
                      record.plan_seq, position++, device.uuid, device.name, device.total, device.foreign);
        NIGHTSHIFT_TRY(row.run());
    }
    return {};
}

}  // namespace nightshift::db
