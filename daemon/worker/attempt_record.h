#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/worker/process.h"
#include "db/store.h"
#include "scheduler/wire.h"

namespace nightshift::daemon {

/// Everything that was observed of an attempt's end.
struct AttemptFacts {
    AttemptReport report;
    std::vector<wire::Artifact> artifacts;
    std::optional<Checkpoint> checkpoint;
    Bytes peak;
};

/// The result.json an attempt left in its folder, if it left a whole one of its own.
std::optional<wire::ResultFile> read_result(const std::string& folder, const AttemptId& attempt);

/// The end as the worker told it.
AttemptFacts facts_of(const wire::ResultFile& result);
AttemptFacts facts_of(const wire::Done& done);
/// Gone without a word.
AttemptFacts lost_facts(const ExitStatus& status);
AttemptFacts reboot_facts();
/// A worker that never was told to start: nothing ran, nothing is charged.
AttemptFacts never_started_facts();
AttemptFacts spawn_error_facts(const Error& error);

/// Stores the end of an attempt with all that follows from it, inside the open transaction. `is_gone`:
/// nothing of the attempt can hold memory any more, so its lease goes too. An attempt that has ended
/// already is left as it is.
Status store_end(db::Store& store, const AttemptId& id, AttemptFacts facts, bool is_gone, UnixMs now);

}  // namespace nightshift::daemon
