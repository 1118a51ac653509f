#include "daemon/cli/session.h"

namespace nightshift::cli {

Client& Session::client() {
    if (client_ == nullptr) client_ = std::make_unique<Client>(target);
    return *client_;
}

std::string job_path(std::int64_t id, const std::string& rest) {
    return "/api/v1/jobs/" + std::to_string(id) + (rest.empty() ? "" : "/" + rest);
}

}  // namespace nightshift::cli
