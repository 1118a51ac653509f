#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "daemon/cli/client.h"
#include "daemon/cli/table.h"

namespace nightshift::cli {

/// One run of the command: the global options, the connection they choose, and how it will end.
struct Session {
    Target target;
    Format format = Format::kText;
    int exit_code = 0;

    /// Connects on first use.
    Client& client();
    /// True when output is for people: what is decoration may be printed.
    bool is_for_people() const { return format == Format::kText || format == Format::kWide; }

  private:
    std::unique_ptr<Client> client_;
};

std::string job_path(std::int64_t id, const std::string& rest = {});  ///< "/api/v1/jobs/7/cancel"

}  // namespace nightshift::cli
