#pragma once

#include <optional>

#include "scheduler/wire.h"
#include "scheduler/wire_fields.h"

/// What several messages and result.json share.
namespace nightshift::wire {

Json identity_json(const ProcessIdentity& identity);
Json checkpoint_json(const Checkpoint& checkpoint);
/// Nothing where the field is missing or no object.
std::optional<ProcessIdentity> read_identity(Fields& fields, const char* name);
std::optional<Checkpoint> read_checkpoint(Fields& fields, const char* name);

/// How an attempt ended, as fields of the object itself.
void write_done(Json& json, const Done& done);
Done read_done(Fields& fields);

}  // namespace nightshift::wire
