#include "api/gate.h"

#include <doctest/doctest.h>

#include "api/digest.h"
#include "api/head_parser.h"

using namespace nightshift;
using namespace nightshift::api;

namespace {

constexpr std::uint16_t kPort = 7390;

Admission admit_text(const std::string& fields, const std::string& line = "GET /api/v1/status HTTP/1.1",
                     Peer peer = {}) {
    Credentials credentials;
    credentials.set_tokens({{sha256_hex("secret"), "operator", "operator.hdr", std::nullopt},
                            {sha256_hex("expired"), "admin", "browser", UnixMs{1000}},
                            {sha256_hex("odd"), "root", "", std::nullopt}});
    auto head = parse_head(line + "\r\n" + fields + "\r\n");
    REQUIRE(std::holds_alternative<RequestHead>(head));
    return admit(std::get<RequestHead>(head), peer, kPort, routes(), credentials, UnixMs{2000});
}

std::string code_of(const Admission& admission) {
    return admission.refusal ? admission.refusal->code : "";
}

const std::string kHost = "Host: 127.0.0.1:7390\r\n";
const std::string kToken = "Authorization: Bearer secret\r\n";

}  // namespace

TEST_CASE("gate: an exact list of hosts") {
    for (const char* good :
         {"127.0.0.1:7390", "[::1]:7390", "localhost:7390", "LocalHost:7390", "localhost.:7390"}) {
        CAPTURE(good);
        CHECK(is_host_allowed(good, kPort));
    }
    for (const char* bad :
         {"127.0.0.1", "127.0.0.1:7391", "127.0.0.1:07390", "localhost..:7390", "xlocalhost:7390", "::1:7390",
          "[::1]", ":7390", "7390", "", "127.0.0.1:7390 ", "a:7390"}) {
        CAPTURE(bad);
        CHECK_FALSE(is_host_allowed(bad, kPort));
    }
}

TEST_CASE("gate: a good request is admitted with its role, route and values") {
    const Admission admission =
        admit_text(kHost + kToken, "GET /api/v1/jobs/7/artifacts/a/b.csv?x=1 HTTP/1.1");
    CHECK(code_of(admission) == "");
    REQUIRE(admission.route != nullptr);
    CHECK(admission.route->pattern == "/api/v1/jobs/{id}/artifacts/{name*}");
    REQUIRE(admission.params.size() == 2);
    CHECK(admission.params[1].second == "a/b.csv");
    CHECK(admission.query.size() == 1);
    CHECK(admission.caller.role == Role::kOperator);
    CHECK(admission.caller.actor == "operator/operator.hdr");
}

TEST_CASE("gate: what is checked first decides") {
    CHECK(code_of(admit_text(kToken)) == "host_not_allowed");
    CHECK(code_of(admit_text("Host: evil\r\nOrigin: http://evil\r\n")) == "host_not_allowed");
    CHECK(code_of(admit_text(kHost + kToken + "Origin: null\r\n")) == "cross_site_request");
    CHECK(code_of(admit_text(kHost)) == "no_credential");
    CHECK(code_of(admit_text(kHost + kToken, "POST /api/v1/nothing HTTP/1.1")) == "method_not_allowed");
    CHECK(code_of(admit_text(kHost + kToken, "DELETE /api/v1/status HTTP/1.1")) == "method_not_allowed");
    CHECK(code_of(admit_text(kHost + kToken, "PUT /api/v1/policy HTTP/1.1")) == "role_insufficient");
    CHECK(code_of(admit_text(kHost + kToken + "Content-Encoding: br\r\n", "POST /api/v1/jobs HTTP/1.1")) ==
          "content_encoding_refused");
    const std::string json = "Content-Type: application/json\r\n";
    CHECK(code_of(admit_text(kHost + kToken + json + "Content-Length: 1048577\r\n",
                             "POST /api/v1/jobs HTTP/1.1")) == "body_too_large");
    CHECK(code_of(admit_text(kHost + kToken + json + "Content-Length: 9\r\n",
                             "POST /api/v1/jobs:batch HTTP/1.1")) == "wrong_content_type");
    const std::string ndjson = "Content-Type: application/x-ndjson\r\n";
    CHECK(code_of(admit_text(kHost + kToken + ndjson + "Content-Length: 268435456\r\n",
                             "POST /api/v1/jobs:batch HTTP/1.1")) == "");
    CHECK(code_of(admit_text(kHost + kToken + ndjson + "Content-Length: 268435457\r\n",
                             "POST /api/v1/jobs:batch HTTP/1.1")) == "body_too_large");
}

TEST_CASE("gate: an empty POST needs no Content-Type") {
    CHECK(code_of(admit_text(kHost + kToken, "POST /api/v1/jobs/7/cancel HTTP/1.1")) == "");
    CHECK(code_of(admit_text(kHost + kToken + "Content-Length: 0\r\n",
                             "POST /api/v1/jobs/7/cancel HTTP/1.1")) == "");
}

TEST_CASE("gate: expired tokens and unknown roles are no credential") {
    CHECK(code_of(admit_text(kHost + "Authorization: Bearer expired\r\n")) == "bad_credential");
    CHECK(code_of(admit_text(kHost + "Authorization: Bearer odd\r\n")) == "bad_credential");
    CHECK(code_of(admit_text(kHost + "Authorization: bearer secret\r\n")) == "");
    CHECK(admit_text(kHost + "Authorization: Bearer x\r\n").is_credential_failure);
}

TEST_CASE("gate: the local socket knows its peer, any Host will do, and browsers are refused") {
    const Peer owner{true, Role::kAdmin};
    CHECK(code_of(admit_text("Host: nightshift\r\n", "PUT /api/v1/policy HTTP/1.1", owner)) == "");
    CHECK(code_of(admit_text("Host: a\r\n", "GET /api/v1/status HTTP/1.1", Peer{true, Role::kNone})) ==
          "no_credential");
    for (const char* field :
         {"Origin: http://127.0.0.1:7390\r\n", "Referer: http://x/\r\n", "Sec-Fetch-Mode: cors\r\n"}) {
        CAPTURE(field);
        CHECK(code_of(admit_text("Host: a\r\n" + std::string(field), "GET /livez HTTP/1.1", owner)) ==
              "cross_site_request");
    }
}

TEST_CASE("gate: refusals name the allowed methods and what to do") {
    const Admission admission = admit_text(kHost + kToken, "PUT /api/v1/jobs/7 HTTP/1.1");
    REQUIRE(admission.refusal);
    REQUIRE(admission.refusal->headers.size() == 1);
    CHECK(admission.refusal->headers[0].second == "GET, HEAD, PATCH, DELETE");
    CHECK(admission.refusal->hint != "");
}
