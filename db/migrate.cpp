#include "db/migrate.h"

#include "db/migrations.h"
#include "db/statement.h"

namespace nightshift::db {

int schema_version() {
    return static_cast<int>(migrations().size());
}

Status migrate(Connection& connection, const std::string& path) {
    const auto found = connection.scalar("PRAGMA user_version");
    if (!found) return found.error();
    const auto version = static_cast<std::size_t>(*found);
    if (version > migrations().size()) {
        return Error{ErrorCode::kConflict, "schema_newer",
                     "The data folder was written by a newer nightshift (schema " + std::to_string(version) +
                         ", this one knows " + std::to_string(migrations().size()) + ").",
                     "Start the newer nightshiftd, or choose another data folder with --data.", ""};
    }
    if (version == migrations().size()) return {};
    if (version > 0) {
        // VACUUM INTO refuses an existing file: an earlier try has made the copy already.
        const std::string copy = path + ".before-v" + std::to_string(migrations().size());
        Statement backup(connection, "VACUUM INTO ?", copy);
        if (auto done = backup.run(); !done && done.error().code != ErrorCode::kInternal) return done.error();
    }
    for (std::size_t i = version; i < migrations().size(); ++i) {
        NIGHTSHIFT_TRY(connection.exec("BEGIN IMMEDIATE"));
        Status step = connection.exec(migrations()[i].sql);
        const std::string stamp = "PRAGMA user_version = " + std::to_string(i + 1);
        if (step) step = connection.exec(stamp.c_str());
        if (step) step = connection.exec("COMMIT");
        if (!step) {
            static_cast<void>(connection.exec("ROLLBACK"));
            return step.error();
        }
    }
    return {};
}

}  // namespace nightshift::db
