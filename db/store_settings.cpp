#include "db/idempotency.h"
#include "db/sqlite_store.h"

namespace nightshift::db {

Result<std::optional<std::string>> SqliteStore::setting(const std::string& name) {
    Statement row(*connection_, "SELECT value FROM setting WHERE name = ?", name);
    const auto has_row = row.step();
    if (!has_row) return has_row.error();
    if (!*has_row) return std::optional<std::string>{};
    return std::optional<std::string>(row.text(0));
}

Status SqliteStore::set_setting(const std::string& name, const std::string& value) {
    Statement put(
        *connection_,
        "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        name, value);
    return put.run();
}

Result<std::optional<IdempotentAnswer>> SqliteStore::idempotent(const std::string& scope,
                                                                const std::string& key) {
    return find_idempotent(*connection_, scope, key);
}

Status SqliteStore::remember_idempotent(const std::string& scope, const std::string& key,
                                        const IdempotentAnswer& answer, UnixMs expires) {
    const Quiet quiet(*this);
    return insert_idempotent(*connection_, scope, key, answer, expires);
}

Status SqliteStore::put_token(const StoredToken& token) {
    Statement put(*connection_,
                  "INSERT INTO token (sha256, role, label, expires_at_ms) VALUES (?, ?, ?, ?) "
                  "ON CONFLICT DO UPDATE SET role = excluded.role, label = excluded.label, "
                  "expires_at_ms = excluded.expires_at_ms",
                  token.sha256, token.role, token.label, token.expires_at);
    return put.run();
}

Status SqliteStore::delete_token(const std::string& sha256) {
    Statement gone(*connection_, "DELETE FROM token WHERE sha256 = ?", sha256);
    return gone.run();
}

}  // namespace nightshift::db
