#pragma once

#include <optional>
#include <string>
#include <vector>

#include "db/connection.h"
#include "db/queries.h"

namespace nightshift::db {

// What was imported, of whole imports only. The promises stand in queries.h.

Result<std::vector<std::string>> read_imported_origins(Connection& connection);
Result<std::vector<ImportedLine>> read_imported_after(Connection& connection, const ImportedLine& after,
                                                      int limit);
Result<std::vector<ImportedLine>> read_imported_jobs(Connection& connection, const std::string& origin,
                                                     std::int64_t before, int limit);
Result<std::vector<StoredImport>> read_imports(Connection& connection, int limit);
/// The line that stands at the same place now.
Result<std::optional<ImportedLine>> find_imported(Connection& connection, const ImportedLine& line);

}  // namespace nightshift::db
