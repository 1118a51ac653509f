#include "api/gate.h"

#include <array>

#include "api/head_parser.h"

namespace nightshift::api {
namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

std::optional<Problem> judge_host(const RequestHead& head, std::uint16_t port) {
    const std::string* host = head.find("host");
    if (host != nullptr && is_host_allowed(*host, port)) return std::nullopt;
    const std::string listed = "127.0.0.1:" + std::to_string(port) + ", [::1]:" + std::to_string(port) +
                               " or localhost:" + std::to_string(port);
    return make_problem(
        403, "host_not_allowed",
        "The Host line of the request is not one of this daemon's own addresses (" + listed + ").",
        "Open the dashboard at http://127.0.0.1:" + std::to_string(port) +
            "/ . A web page must not reach this daemon under another name, also not through a proxy.");
}

std::optional<Problem> judge_unix_socket(const RequestHead& head) {
    for (const Field& field : head.fields) {
        if (field.name == "origin" || field.name == "referer" || field.name.rfind("sec-fetch-", 0) == 0) {
            return make_problem(403, "cross_site_request", "The local socket takes no requests of browsers.",
                                "Use the TCP address for the dashboard.");
        }
    }
    return std::nullopt;
}

/// A typed address ("none") may only show what is public; everything else comes from our own page.
std::optional<Problem> judge_provenance(const RequestHead& head, std::uint16_t port, bool is_public_read) {
    const char* hint =
        "Requests of browsers are taken from the dashboard's own page only; "
        "scripts send no Origin and no Sec-Fetch-Site header.";
    int sites = 0;
    for (const Field& field : head.fields) {
        if (field.name == "origin" && !is_origin_allowed(field.value, port)) {
            return make_problem(403, "cross_site_request", "The Origin of the request is another site.",
                                hint);
        }
        if (field.name != "sec-fetch-site") continue;
        const bool is_typed = field.value == "none" && is_public_read;
        if (++sites > 1 || (field.value != "same-origin" && !is_typed)) {
            return make_problem(403, "cross_site_request",
                                "The browser says that another page sent this request.", hint);
        }
    }
    return std::nullopt;
}

std::optional<Problem> judge_route(const Match& match, const RequestHead& head) {
    if (match.route != nullptr) return std::nullopt;
    if (match.allowed.empty()) {
        if (is_safe(head.method)) {
            return make_problem(404, "no_such_route", "There is nothing at " + head.path + ".",
                                "GET /api/v1/openapi.json lists every route.");
        }
        return make_problem(405, "method_not_allowed",
                            "There is nothing that " + head.method_text + " could change here.",
                            "GET /api/v1/openapi.json lists every route.");
    }
    Problem problem =
        make_problem(405, "method_not_allowed", head.method_text + " is not known at " + head.path + ".",
                     "See the Allow header.");
    std::string allow;
    for (Method method : match.allowed) {
        if (!allow.empty()) allow += ", ";
        allow += to_string(method);
        if (method == Method::kGet) allow += ", HEAD";
    }
    problem.headers.emplace_back("Allow", allow);
    return problem;
}

/// Fills in the caller. A token counts only in the Authorization header.
std::optional<Problem> authenticate(const RequestHead& head, const Peer& peer, const Credentials& credentials,
                                    UnixMs now, Admission& admission) {
    if (peer.is_unix && peer.unix_role != Role::kNone) {
        admission.caller = {peer.unix_role, std::string(to_string(peer.unix_role)) + "/socket", ""};
        return std::nullopt;
    }
    int given = 0;
    std::string value;
    for (const Field& field : head.fields) {
        if (field.name != "authorization") continue;
        ++given;
        value = field.value;
    }
    Problem problem;
    if (given == 0) {
        problem = make_problem(
            401, "no_credential", "The request has no credential.",
            "Send the header of the file auth.hdr in the data folder: curl -H @DIR/auth.hdr ...");
    } else {
        const bool is_bearer = given == 1 && value.size() > 7 && lower(value.substr(0, 7)) == "bearer ";
        const auto credential = is_bearer ? credentials.check(value.substr(7), now) : std::nullopt;
        if (credential) {
            const std::string label = credential->label.empty() ? "api" : credential->label;
            admission.caller = {credential->role, std::string(to_string(credential->role)) + "/" + label,
                                credential->sha256};
            return std::nullopt;
        }
        admission.is_credential_failure = true;
        problem =
            make_problem(401, "bad_credential", "The token is unknown or has expired.",
                         "Take it from auth.hdr, operator.hdr or viewer.hdr of this daemon's data folder, "
                         "or run `nightshift open` for a new browser session.");
    }
    problem.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"nightshift\"");
    return problem;
}

std::string media_type(const RequestHead& head) {
    const std::string* value = head.find("content-type");
    if (value == nullptr) return {};
    std::string type = lower(value->substr(0, value->find(';')));
    while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
    return type;
}

std::optional<Problem> judge_body(const RequestHead& head, const Route& route) {
    if (head.find("content-encoding") != nullptr) {
        return make_problem(415, "content_encoding_refused", "Compressed bodies are not taken.",
                            "Send the body as it is, without Content-Encoding.");
    }
    if (!head.has_body()) return std::nullopt;
    if (is_safe(head.method)) {
        return make_problem(400, "bad_framing", "A " + head.method_text + " request has no body here.",
                            "Leave the body out.");
    }
    const std::string type = media_type(head);
    const bool is_batch = route.body == BodyKind::kNdjson;
    bool is_right = is_batch ? type == "application/x-ndjson" : type == "application/json";
    if (route.method == Method::kPatch && type == "application/merge-patch+json") is_right = true;
    if (!is_right) {
        const std::string wanted = is_batch ? "application/x-ndjson" : "application/json";
        return make_problem(
            415, "wrong_content_type",
            type.empty() ? "The body has no Content-Type." : "A body of type " + type + " is not taken here.",
            "Add -H 'Content-Type: " + wanted + "'.");
    }
    const std::uint64_t limit = is_batch ? kBatchBodyBytesMax : kJsonBodyBytesMax;
    if (head.content_length.value_or(0) > limit) {
        return make_problem(
            413, "body_too_large", "The body is larger than " + std::to_string(limit / 1024 / 1024) + " MiB.",
            is_batch ? "Send the list in several parts." : "Use POST /api/v1/jobs:batch for many jobs.");
    }
    return std::nullopt;
}

}  // namespace

bool is_host_allowed(std::string_view host, std::uint16_t port) {
    std::string text = lower(host);
    const std::string suffix = ":" + std::to_string(port);
    if (text.size() <= suffix.size() ||
        text.compare(text.size() - suffix.size(), suffix.size(), suffix) != 0) {
        return false;
    }
    text.resize(text.size() - suffix.size());
    if (text.back() == '.') text.pop_back();
    return text == "127.0.0.1" || text == "[::1]" || text == "localhost";
}

bool is_origin_allowed(std::string_view origin, std::uint16_t port) {
    for (std::string_view name : std::array<std::string_view, 3>{"127.0.0.1", "[::1]", "localhost"}) {
        if (origin == "http://" + std::string(name) + ":" + std::to_string(port)) return true;
    }
    return false;
}

Admission admit(const RequestHead& head, const Peer& peer, std::uint16_t port, std::span<const Route> table,
                const Credentials& credentials, UnixMs now) {
    Admission admission;
    if (auto refusal = peer.is_unix ? judge_unix_socket(head) : judge_host(head, port)) {
        admission.refusal = std::move(refusal);
        return admission;
    }
    std::vector<std::string> segments;
    split_path(head.path, segments);
    split_query(head.query, admission.query);
    Match match = match_route(table, head.method, segments);
    const bool is_public = match.route != nullptr && match.route->role == Role::kNone;
    if (!peer.is_unix) {
        admission.refusal = judge_provenance(head, port, is_public && is_safe(head.method));
        if (admission.refusal) return admission;
    }
    if (!is_public) {
        admission.refusal = authenticate(head, peer, credentials, now, admission);
        if (admission.refusal) return admission;
    }
    admission.refusal = judge_route(match, head);
    if (admission.refusal) return admission;
    admission.route = match.route;
    admission.params = std::move(match.params);
    if (admission.caller.role < match.route->role) {
        admission.refusal =
            make_problem(403, "role_insufficient",
                         "This needs the role " + std::string(to_string(match.route->role)) +
                             "; the token is of a " + std::string(to_string(admission.caller.role)) + ".",
                         "Use the token file of that role, e.g. operator.hdr or auth.hdr.");
        return admission;
    }
    admission.refusal = judge_body(head, *match.route);
    return admission;
}

}  // namespace nightshift::api
