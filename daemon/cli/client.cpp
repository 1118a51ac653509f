#include "daemon/cli/client.h"

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "daemon/cli/failure.h"
#include "daemon/cli/proof.h"
#include "daemon/cli/text.h"

namespace nightshift::cli {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr Millis kProofTimeout = seconds(5);

std::string read_text(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
}

/// The token of a curl header file: "Authorization: Bearer TOKEN".
std::string token_in(const std::string& header_text) {
    constexpr std::string_view kStart = "Authorization: Bearer ";
    const std::size_t start = header_text.find(kStart);
    if (start == std::string::npos) return {};
    const std::string token = header_text.substr(start + kStart.size());
    return token.substr(0, token.find_first_of(" \r\n"));
}

std::string find_token(const Target& target) {
    if (!target.header_file.empty()) {
        const std::string token = token_in(read_text(target.header_file));
        if (token.empty()) {
            throw Failure(kExitUsage, target.header_file + " holds no line 'Authorization: Bearer …'",
                          "Name one of auth.hdr, operator.hdr, viewer.hdr of the daemon's data folder.");
        }
        return token;
    }
    for (const char* name : {"auth.hdr", "operator.hdr", "viewer.hdr"}) {
        const std::string token = token_in(read_text(fs::path(target.data_folder) / name));
        if (!token.empty()) return token;
    }
    return {};
}

Endpoint endpoint_in(const std::string& url) {
    Endpoint endpoint;
    if (url.starts_with("unix:")) {
        endpoint.socket_path = url.substr(5);
        return endpoint;
    }
    std::string_view rest = url;
    if (rest.starts_with("http://")) rest.remove_prefix(7);
    rest = rest.substr(0, rest.find('/'));
    const std::size_t colon = rest.rfind(':');
    const std::size_t bracket = rest.rfind(']');
    const bool has_port =
        colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
    if (has_port) {
        const std::string_view port = rest.substr(colon + 1);
        const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
        if (error != std::errc() || end != port.data() + port.size()) {
            throw Failure(kExitUsage, "'" + url + "' is no address of a daemon",
                          "Write it as http://127.0.0.1:7390 or unix:/path/of/the.sock.");
        }
        rest = rest.substr(0, colon);
    }
    if (rest.starts_with("[") && rest.ends_with("]")) rest = rest.substr(1, rest.size() - 2);
    endpoint.host = std::string(rest);
    return endpoint;
}

std::string text_of(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

std::string default_data_folder() {
    if (const char* folder = std::getenv("XDG_DATA_HOME"); folder != nullptr && *folder == '/') {
        return (fs::path(folder) / "nightshift").string();
    }
    const char* home = std::getenv("HOME");
    return (fs::path(home == nullptr ? "/" : home) / ".local/share/nightshift").string();
}

Instance read_instance(const std::string& data_folder) {
    Instance instance;
    const json object = json::parse(read_text(fs::path(data_folder) / "instance.json"), nullptr, false);
    if (!object.is_object()) return instance;
    instance.pid = object.value("pid", std::int64_t{0});
    instance.boot_id = text_of(object, "boot_id");
    instance.start_ticks = object.value("start_ticks", std::int64_t{0});
    instance.version = text_of(object, "version");
    const std::string address = text_of(object, "address");
    if (!address.empty() && address.find(':') == std::string::npos) instance.endpoint.host = address;
    instance.endpoint.port = object.value("port", std::uint16_t{7390});
    return instance;
}

Client::Client(Target target) : target_(std::move(target)) {}

void Client::connect() {
    if (is_connected_) return;
    if (!target_.url.empty()) {
        endpoint_ = endpoint_in(target_.url);
    } else {
        const Instance instance = read_instance(target_.data_folder);
        if (instance.pid == 0) {
            throw Failure(kExitUnreachable, "no daemon runs with the data folder " + target_.data_folder,
                          "`nightshift up` starts one; --data DIR or --url URL chooses another.");
        }
        endpoint_ = instance.endpoint;
    }
    // The kernel tells the daemon who is at the other end of a Unix socket; a token adds nothing.
    if (endpoint_.socket_path.empty()) {
        const std::string token = find_token(target_);
        if (token.empty()) {
            throw Failure(kExitRefused, "no credential for the daemon is readable in " + target_.data_folder,
                          "Run this as the user who runs the daemon, or name a header file with --auth.");
        }
        prove(token);
        authorization_ = "Bearer " + token;
    }
    is_connected_ = true;
}

void Client::prove(const std::string& token) {
    const std::string nonce = random_nonce();
    HttpRequest request;
    request.target = "/livez?challenge=" + nonce;
    request.timeout = kProofTimeout;
    const HttpReply reply = exchange(endpoint_, request);
    // The body holds one proof for each credential that the daemon knows; ours has to be among them.
    if (reply.body.find(proof_of(token, endpoint_.port, nonce)) != std::string::npos) return;
    throw Failure(
        kExitUnreachable, "the program at " + endpoint_.url() + " is not the daemon of this credential",
        "Another program has the port, or the credential belongs to another daemon. Nothing was sent "
        "to it. `nightshift up --listen 127.0.0.1:0` picks a free port.");
}

HttpReply Client::send_raw(HttpRequest request) {
    connect();
    if (!authorization_.empty()) request.headers.emplace_back("Authorization", authorization_);
    return exchange(endpoint_, request);
}

HttpReply Client::send(HttpRequest request) {
    HttpReply reply = send_raw(std::move(request));
    if (reply.status >= 400) throw_refusal(reply);
    return reply;
}

HttpReply Client::follow(HttpRequest request,
                         const std::function<bool(const HttpReply&, std::string_view)>& on_bytes) {
    connect();
    if (!authorization_.empty()) request.headers.emplace_back("Authorization", authorization_);
    HttpReply reply = stream(endpoint_, request, on_bytes);
    if (reply.status >= 400) throw_refusal(reply);
    return reply;
}

namespace {

json parsed(const HttpReply& reply) {
    if (reply.body.empty()) return json::object();
    json object = json::parse(reply.body, nullptr, false);
    if (object.is_discarded()) {
        throw Failure(
            kExitFailed, "the daemon's answer is not JSON (status " + std::to_string(reply.status) + ")",
            "The versions of the daemon and of this command differ: restart with `nightshift down` and "
            "`nightshift up`.");
    }
    return object;
}

}  // namespace

json Client::get(const std::string& path) {
    HttpRequest request;
    request.target = path;
    return parsed(send(std::move(request)));
}

json Client::post(const std::string& path, const json& body) {
    HttpRequest request;
    request.method = "POST";
    request.target = path;
    request.body = body.dump();
    return parsed(send(std::move(request)));
}

json Client::post(const std::string& path) {
    HttpRequest request;
    request.method = "POST";
    request.target = path;
    return parsed(send(std::move(request)));
}

bool Client::is_reachable() {
    try {
        connect();
        HttpRequest request;
        request.target = "/livez";
        request.timeout = kProofTimeout;
        return exchange(endpoint_, request).status == 200;
    } catch (const Failure&) {
        return false;
    }
}

const Endpoint& Client::endpoint() {
    connect();
    return endpoint_;
}

void throw_refusal(const HttpReply& reply) {
    const json problem = json::parse(reply.body, nullptr, false);
    std::string message = "the daemon answered " + std::to_string(reply.status);
    std::string hint;
    if (problem.is_object()) {
        const std::string detail = text_of(problem, "detail");
        const std::string title = text_of(problem, "title");
        if (!detail.empty() || !title.empty()) message = detail.empty() ? title : detail;
        if (const std::string code = text_of(problem, "code"); !code.empty()) message += " [" + code + "]";
        hint = text_of(problem, "hint");
        if (const auto errors = problem.find("errors"); errors != problem.end() && errors->is_array()) {
            for (const json& error : *errors) {
                const std::string pointer = error.is_object() ? text_of(error, "pointer") : std::string();
                if (!pointer.empty() && message.find(pointer) == std::string::npos)
                    message += " at " + pointer;
            }
        }
    }
    int code = kExitRefused;
    if (reply.status == 404) code = kExitNotFound;
    if (reply.status == 503) code = kExitUnreachable;
    if (reply.status >= 500 && reply.status != 503) code = kExitFailed;
    throw Failure(code, harmless(message), harmless(hint));
}

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : text) {
        if (kPlain.find(c) != std::string_view::npos) {
            encoded += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            encoded += '%';
            encoded += kHex[byte >> 4U];
            encoded += kHex[byte & 15U];
        }
    }
    return encoded;
}

}  // namespace nightshift::cli
