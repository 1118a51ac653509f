#include "db/imported_rows.h"

#include <algorithm>

#include "db/statement.h"

namespace nightshift::db {

namespace {

constexpr int kRowsMax = 200;
/// Lines may be long: an answer that has grown to this has enough rows.
constexpr std::size_t kAnswerBytesMax = 256 * 1024;

ImportedLine read_line(const Statement& row) {
    return {row.text(0), row.text(1), row.text(2), row.integer(3), row.integer(4), row.text(5), row.time(6)};
}

Result<std::vector<ImportedLine>> read_lines(Statement& rows) {
    std::vector<ImportedLine> lines;
    for (std::size_t bytes = 0; bytes < kAnswerBytesMax;) {
        const auto has_row = rows.step();
        if (!has_row) return has_row.error();
        if (!*has_row) break;
        lines.push_back(read_line(rows));
        bytes += lines.back().object.size();
    }
    return lines;
}

}  // namespace

Result<std::vector<std::string>> read_imported_origins(Connection& connection) {
    std::vector<std::string> origins;
    for (std::string last; origins.size() < kImportedOriginsMax;) {
        Statement next(connection,
                       "SELECT origin FROM imported_line WHERE origin > ? ORDER BY origin LIMIT 1", last);
        const auto has_next = next.step();
        if (!has_next) return has_next.error();
        if (!*has_next) break;
        last = next.text(0);
        Statement seen(connection, "SELECT 1 FROM imported_view WHERE origin = ? LIMIT 1", last);
        const auto is_seen = seen.step();
        if (!is_seen) return is_seen.error();
        if (*is_seen) origins.push_back(last);
    }
    return origins;
}

Result<std::vector<ImportedLine>> read_imported_after(Connection& connection, const ImportedLine& after,
                                                      int limit) {
    Statement rows(
        connection,
        "SELECT * FROM imported_view WHERE origin = ?1 AND type = ?2 AND (text, number) > (?3, ?4) "
        "ORDER BY text, number LIMIT ?5",
        after.origin, after.type, after.text, after.number, std::clamp(limit, 1, kRowsMax));
    return read_lines(rows);
}

Result<std::vector<ImportedLine>> read_imported_jobs(Connection& connection, const std::string& origin,
                                                     std::int64_t before, int limit) {
    Statement rows(
        connection,
        "SELECT * FROM imported_view WHERE origin = ?1 AND type = 'job' AND text = '' AND number < "
        "?2 ORDER BY number DESC LIMIT ?3",
        origin, before, std::clamp(limit, 1, kRowsMax));
    return read_lines(rows);
}

Result<std::vector<StoredImport>> read_imports(Connection& connection, int limit) {
    std::vector<StoredImport> all;
    Statement rows(connection,
                   "SELECT database, chain, actor, added, replaced, imported_at_ms FROM history_import WHERE "
                   "is_whole = 1 ORDER BY id DESC LIMIT ?",
                   std::clamp(limit, 1, kRowsMax));
    NIGHTSHIFT_TRY(rows.each([&] {
        all.push_back(
            {rows.text(0), rows.text(1), rows.text(2), rows.integer(3), rows.integer(4), rows.time(5)});
    }));
    return all;
}

Result<std::optional<ImportedLine>> find_imported(Connection& connection, const ImportedLine& line) {
    Statement row(connection,
                  "SELECT * FROM imported_view WHERE origin = ? AND type = ? AND text = ? AND number = ?",
                  line.origin, line.type, line.text, line.number);
    const auto has_row = row.step();
    if (!has_row) return has_row.error();
    if (!*has_row) return std::optional<ImportedLine>{};
    return std::optional<ImportedLine>(read_line(row));
}

}  // namespace nightshift::db
