#include "scheduler/wire_parts.h"

#include <nlohmann/json.hpp>

namespace nightshift::wire {

Json identity_json(const ProcessIdentity& identity) {
    return {{"boot_id", identity.boot_id}, {"pid", identity.pid}, {"start_ticks", identity.start_ticks}};
}

std::optional<ProcessIdentity> read_identity(Fields& fields, const char* name) {
    const Json* json = fields.object(name);
    if (json == nullptr) return std::nullopt;
    Fields inner(*json, fields.what() + "." + name);
    ProcessIdentity identity;
    identity.boot_id = inner.text("boot_id", false);
    identity.pid = inner.integer("pid");
    identity.start_ticks = inner.integer("start_ticks");
    if (identity.pid <= 0) inner.fail_field("pid", "is not a process id");
    fields.take_over(inner);
    return identity;
}

Json checkpoint_json(const Checkpoint& checkpoint) {
    return {{"job", checkpoint.job.value},
            {"attempt", checkpoint.attempt},
            {"path", checkpoint.path},
            {"step", checkpoint.step},
            {"bytes", checkpoint.bytes.value},
            {"sha256", checkpoint.sha256},
            {"committed_at_ms", checkpoint.committed_at.value}};
}

std::optional<Checkpoint> read_checkpoint(Fields& fields, const char* name) {
    const Json* json = fields.object(name);
    if (json == nullptr) return std::nullopt;
    Fields inner(*json, fields.what() + "." + name);
    Checkpoint checkpoint;
    checkpoint.job.value = inner.integer("job");
    checkpoint.attempt = inner.small_integer("attempt");
    checkpoint.path = inner.text("path");
    checkpoint.step = inner.integer("step");
    checkpoint.bytes.value = inner.integer("bytes");
    checkpoint.sha256 = inner.text("sha256");
    checkpoint.committed_at.value = inner.integer("committed_at_ms");
    fields.take_over(inner);
    return checkpoint;
}

void write_done(Json& json, const Done& done) {
    if (done.exit_code) json["exit_code"] = *done.exit_code;
    if (done.signal) json["signal"] = *done.signal;
    if (!done.error_code.empty()) json["error_code"] = cut(done.error_code, kWireKeyBytesMax);
    if (!done.message.empty()) json["message"] = cut(done.message, kWireTextBytesMax);
    if (done.cached) json["cached"] = true;
    if (done.ran.value > 0) json["ran_ms"] = done.ran.value;
}

Done read_done(Fields& fields) {
    Done done;
    done.exit_code = fields.optional_integer("exit_code");
    done.signal = fields.optional_integer("signal");
    done.error_code = fields.text("error_code", false);
    done.message = fields.text("message", false);
    done.cached = fields.flag("cached");
    done.ran.value = fields.integer("ran_ms", false);
    return done;
}

}  // namespace nightshift::wire
