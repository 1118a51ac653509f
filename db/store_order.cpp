#include "db/sqlite_store.h"

namespace nightshift::db {

Result<std::int64_t> SqliteStore::key_beside(const std::string& job_class, std::int64_t key, bool before) {
    // Jobs that run count as well: one that comes back has kept its key, and no two may have the same.
    Statement neighbour(
        *connection_,
        before ? "SELECT MAX(beside) FROM (SELECT MAX(order_key) AS beside FROM job INDEXED BY job_order "
                 "WHERE class = ?1 AND state = 'waiting' AND order_key < ?2 UNION ALL "
                 "SELECT MAX(order_key) FROM job INDEXED BY job_live WHERE class = ?1 AND order_key < ?2 AND "
                 "state <> 'waiting' AND ended_at_ms IS NULL)"
               : "SELECT MIN(beside) FROM (SELECT MIN(order_key) AS beside FROM job INDEXED BY job_order "
                 "WHERE class = ?1 AND state = 'waiting' AND order_key > ?2 UNION ALL "
                 "SELECT MIN(order_key) FROM job INDEXED BY job_live WHERE class = ?1 AND order_key > ?2 AND "
                 "state <> 'waiting' AND ended_at_ms IS NULL)",
        job_class, key);
    if (const auto row = neighbour.step(); !row) return row.error();
    if (neighbour.is_null(0)) return before ? key - kKeyStep : key + kKeyStep;
    const std::int64_t middle = key + (neighbour.integer(0) - key) / 2;
    if (middle != key && middle != neighbour.integer(0)) return middle;
    // No number is left between the two: everything on the far side moves on by one step.
    Statement room(
        *connection_,
        before ? "UPDATE job SET order_key = order_key - ?3 WHERE class = ?1 AND state = 'waiting' AND "
                 "order_key < ?2"
               : "UPDATE job SET order_key = order_key + ?3 WHERE class = ?1 AND state = 'waiting' AND "
                 "order_key > ?2",
        job_class, key, kKeyStep);
    NIGHTSHIFT_TRY(room.run());
    Statement live_room(
        *connection_,
        before ? "UPDATE job SET order_key = order_key - ?3 WHERE class = ?1 AND order_key < ?2 AND "
                 "state <> 'waiting' AND ended_at_ms IS NULL"
               : "UPDATE job SET order_key = order_key + ?3 WHERE class = ?1 AND order_key > ?2 AND "
                 "state <> 'waiting' AND ended_at_ms IS NULL",
        job_class, key, kKeyStep);
    NIGHTSHIFT_TRY(live_room.run());
    return before ? key - kKeyStep / 2 : key + kKeyStep / 2;
}

Status SqliteStore::move_job(JobId id, JobId other, bool before, UnixMs now, const EventText& event) {
    const auto row = state_of(id);
    if (!row) return row.error();
    if (row->state != JobState::kWaiting) return state_conflict(id, row->state, "waiting");
    Statement mine(*connection_, "SELECT class FROM job WHERE id = ?", id);
    if (const auto found = mine.step(); !found) return found.error();
    const std::string job_class = mine.text(0);
    Statement place(*connection_,
                    other    ? "SELECT class, state, order_key FROM job WHERE id = ?1 AND ?2 <> ''"
                    : before ? "SELECT ?2, 'waiting', MIN(order_key) FROM job INDEXED BY job_order WHERE "
                               "class = ?2 AND state = 'waiting' "
                               "AND id <> ?1"
                             : "SELECT ?2, 'waiting', MAX(order_key) FROM job INDEXED BY job_order WHERE "
                               "class = ?2 AND state = 'waiting' "
                               "AND id <> ?1",
                    other ? other : id, job_class);
    const auto found = place.step();
    if (!found) return found.error();
    if (other && !*found) return no_such_job(other);
    if (place.is_null(2)) return {};  // it is alone
    if (place.text(0) != job_class) {
        return Error{ErrorCode::kInvalidArgument, "other_class",
                     "Job " + std::to_string(other.value) + " is of class " + place.text(0) + ", job " +
                         std::to_string(id.value) + " of class " + job_class + ".",
                     "Jobs are ordered inside their class; change `class` with PATCH instead.", ""};
    }
    if (place.text(1) != "waiting") {
        return state_conflict(other, parse_job_state(place.text(1)).value_or(JobState::kFailed), "waiting");
    }
    const auto key = key_beside(job_class, place.integer(2), before);
    if (!key) return key.error();
    Statement update(
        *connection_,
        "UPDATE job SET order_key = ?2, version = version + 1 WHERE id = ?1 AND state = 'waiting'", id, *key);
    NIGHTSHIFT_TRY(update.run());
    if (auto added = append_event(event, id, row->attempt, now); !added) return added.error();
    return {};
}

}  // namespace nightshift::db
