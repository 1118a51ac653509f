#pragma once

#include <string>

namespace nightshift::cli {

class Client;

/// A signed-in address: the code in its fragment works once, for 60 seconds.
struct Dashboard {
    std::string url;  ///< http://127.0.0.1:7390/#code=…
};

/// Asks the daemon for a one-time code. Throws Failure.
Dashboard sign_in(Client& client);

/// Writes a page into `folder` that forwards to the address, readable only by its owner: what starts the
/// browser is a file name, so no list of processes shows the code. Returns its path.
std::string write_forwarding_page(const std::string& folder, const Dashboard& dashboard);

}  // namespace nightshift::cli
