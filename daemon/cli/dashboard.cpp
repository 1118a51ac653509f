#include "daemon/cli/dashboard.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "daemon/cli/client.h"
#include "daemon/cli/failure.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/launch.h"

namespace nightshift::cli {

Dashboard sign_in(Client& client) {
    const nlohmann::json reply = client.post("/api/v1/session/code");
    const std::string code = text_at(reply, "code");
    if (code.empty()) throw Failure(kExitFailed, "the daemon gave no sign-in code", "Try again.");
    const Endpoint& endpoint = client.endpoint();
    if (!endpoint.socket_path.empty()) {
        const Instance instance = read_instance(client.target().data_folder);
        return {instance.endpoint.url() + "/#code=" + code};
    }
    return {endpoint.url() + "/#code=" + code};
}

std::string write_forwarding_page(const std::string& folder, const Dashboard& dashboard) {
    // The address is made of a checked endpoint and percent-free code; quotes cannot occur in it.
    const std::string page =
        "<!doctype html>\n<meta charset=\"utf-8\">\n<title>nightshift</title>\n"
        "<meta name=\"referrer\" content=\"no-referrer\">\n<meta http-equiv=\"refresh\" content=\"0;url=" +
        dashboard.url + "\">\n<p><a href=\"" + dashboard.url + "\">nightshift</a></p>\n";
    const std::string path = (std::filesystem::path(folder) / "open.html").string();
    write_private_file(path, page);
    return path;
}

}  // namespace nightshift::cli
