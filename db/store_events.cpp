#include "db/sqlite_store.h"

namespace nightshift::db {

Result<EventSeq> SqliteStore::append_event(const EventText& event, JobId job, int attempt, UnixMs now) {
    Statement insert(*connection_,
                     "INSERT INTO event (at_ms, topic, kind, job_id, attempt, actor, data) "
                     "VALUES (?, ?, ?, ?, ?, ?, ?)",
                     now, event.topic, event.kind, job, attempt, event.actor, event.data_json);
    NIGHTSHIFT_TRY(insert.run());
    StoredEvent stored;
    stored.seq = EventSeq{connection_->last_insert_id()};
    stored.at = now;
    stored.topic = event.topic;
    stored.kind = event.kind;
    stored.job = job;
    stored.attempt = attempt;
    stored.actor = event.actor;
    stored.data_json = event.data_json;
    new_events_.push_back(std::move(stored));
    return new_events_.back().seq;
}

std::vector<StoredEvent> SqliteStore::take_new_events() {
    std::vector<StoredEvent> events;
    events.swap(new_events_);
    events_at_savepoints_.clear();
    return events;
}

}  // namespace nightshift::db
