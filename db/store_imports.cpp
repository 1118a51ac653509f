// History of other databases. A line is written once; what is seen of an import changes with one row.
#include "db/history_rows.h"
#include "db/imported_rows.h"
#include "db/sqlite_store.h"

namespace nightshift::db {

Result<std::int64_t> SqliteStore::begin_import(const std::string& database, const std::string& actor) {
    const Quiet quiet(*this);
    Statement insert(*connection_, "INSERT INTO history_import (database, actor) VALUES (?, ?)", database,
                     actor);
    NIGHTSHIFT_TRY(insert.run());
    return connection_->last_insert_id();
}

Result<bool> SqliteStore::is_own(const ImportedLine& line) {
    if (line.type != "job") return false;
    const auto own = read_database_id(*connection_);
    if (!own) return own.error();
    if (*own != line.origin) return false;
    Statement row(*connection_, "SELECT 1 FROM job WHERE id = ?", line.number);
    return row.step();
}

Status SqliteStore::add_imported(std::int64_t import, const ImportedLine& line, ImportCounts& counts) {
    const Quiet quiet(*this);
    const auto own = is_own(line);
    if (!own) return own.error();
    if (*own) {
        ++counts.own;
        return {};
    }
    const auto known = find_imported(*connection_, line);
    if (!known) return known.error();
    if (*known && (*known)->object == line.object) {
        ++counts.same;
        return {};
    }
    if (*known && (*known)->version >= line.version) {
        ++counts.older;
        return {};
    }
    Statement insert(*connection_,
                     "INSERT INTO imported_line (import_id, origin, type, text, number, version, object) "
                     "VALUES (?, ?, ?, ?, ?, ?, ?)",
                     import, line.origin, line.type, line.text, line.number, line.version, line.object);
    NIGHTSHIFT_TRY(insert.run());
    ++(*known ? counts.replaced : counts.added);
    return {};
}

Status SqliteStore::finish_import(std::int64_t import, const std::string& chain, const ImportCounts& counts,
                                  UnixMs now, const EventText& event) {
    const Quiet quiet(*this);
    if (counts.added + counts.replaced == 0) {
        Statement drop(*connection_, "DELETE FROM history_import WHERE id = ? AND is_whole = 0", import);
        return drop.run();
    }
    Statement show(
        *connection_,
        "UPDATE history_import SET is_whole = 1, imported_at_ms = ?, chain = ?, added = ?, replaced "
        "= ? WHERE id = ? AND is_whole = 0",
        now, chain, counts.added, counts.replaced, import);
    NIGHTSHIFT_TRY(show.run());
    if (connection_->changes() != 1) {
        return Error{ErrorCode::kConflict, "import_gone", "The import was given up.",
                     "Import the file again.", ""};
    }
    if (auto added = append_event(event, {}, 0, now); !added) return added.error();
    return {};
}

Result<bool> SqliteStore::sweep_imports(std::int64_t kept, int limit) {
    const Quiet quiet(*this);
    Statement lines(*connection_,
                    "DELETE FROM imported_line WHERE id IN (SELECT l.id FROM history_import AS i JOIN "
                    "imported_line AS l ON l.import_id = i.id WHERE i.is_whole = 0 AND i.id <> ? LIMIT ?)",
                    kept, limit);
    NIGHTSHIFT_TRY(lines.run());
    if (connection_->changes() == limit) return false;
    Statement imports(*connection_, "DELETE FROM history_import WHERE is_whole = 0 AND id <> ?", kept);
    NIGHTSHIFT_TRY(imports.run());
    return true;
}

Status SqliteStore::prune_imports(UnixMs before, int limit) {
    const Quiet quiet(*this);
    Statement lines(*connection_,
                    "DELETE FROM imported_line WHERE id IN (SELECT l.id FROM history_import AS i JOIN "
                    "imported_line AS l ON l.import_id = i.id WHERE i.imported_at_ms < ? LIMIT ?)",
                    before, limit);
    NIGHTSHIFT_TRY(lines.run());
    Statement imports(*connection_,
                      "DELETE FROM history_import WHERE imported_at_ms < ? AND NOT EXISTS (SELECT 1 FROM "
                      "imported_line WHERE import_id = history_import.id)",
                      before);
    return imports.run();
}

}  // namespace nightshift::db
