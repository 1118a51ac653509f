#pragma once

#include <string>
#include <vector>

#include "db/queries.h"
#include "scheduler/result.h"

namespace nightshift::daemon {

/// 256 random bits as 64 hexadecimal digits.
Result<std::string> random_token();
std::string sha256_hex(const std::string& text);

/// Makes the three tokens and their curl header files in `folder` where they are missing, or reads
/// them. Files are created with their final permissions in one call. Fails: conflict
/// "bad_permissions" when a file is open to others, naming the command that repairs it.
Result<std::vector<db::StoredToken>> load_or_make_credentials(const std::string& folder);

}  // namespace nightshift::daemon
