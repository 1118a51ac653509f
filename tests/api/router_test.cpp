#include "api/router.h"

#include <doctest/doctest.h>

#include <array>
#include <set>

using namespace nightshift::api;

namespace {

const std::array<Route, 5> kTable{
    Route{Method::kGet, "/", Role::kNone, BodyKind::kNone, nullptr},
    Route{Method::kGet, "/jobs/{id}", Role::kViewer, BodyKind::kNone, nullptr},
    Route{Method::kPost, "/jobs/{id}/files/{name*}/ticket", Role::kViewer, BodyKind::kNone, nullptr},
    Route{Method::kGet, "/jobs/{id}/files/{name*}", Role::kViewer, BodyKind::kNone, nullptr},
    Route{Method::kGet, "/jobs:batch", Role::kViewer, BodyKind::kNone, nullptr}};

std::string found(Method method, std::vector<std::string> segments) {
    const Match match = match_route(kTable, method, segments);
    return match.route != nullptr ? std::string(match.route->pattern) : "";
}

}  // namespace

TEST_CASE("router: literals, one segment, many segments") {
    CHECK(found(Method::kGet, {}) == "/");
    CHECK(found(Method::kHead, {"jobs", "7"}) == "/jobs/{id}");
    CHECK(found(Method::kGet, {"jobs:batch"}) == "/jobs:batch");
    CHECK(found(Method::kGet, {"jobs", "7", "files", "a", "b.csv"}) == "/jobs/{id}/files/{name*}");
    CHECK(found(Method::kPost, {"jobs", "7", "files", "a", "b.csv", "ticket"}) ==
          "/jobs/{id}/files/{name*}/ticket");
    CHECK(found(Method::kGet, {"jobs"}) == "");
    CHECK(found(Method::kGet, {"jobs", ""}) == "");
    CHECK(found(Method::kGet, {"jobs", "7", "files"}) == "");
    CHECK(found(Method::kGet, {"x"}) == "");
    const Match match = match_route(kTable, Method::kPost, {"jobs", "7", "files", "a", "ticket", "ticket"});
    REQUIRE(match.params.size() == 2);
    CHECK(match.params[1].second == "a/ticket");
}

TEST_CASE("router: a known path without the method tells which there are") {
    const Match match = match_route(kTable, Method::kDelete, {"jobs", "7"});
    CHECK(match.route == nullptr);
    REQUIRE(match.allowed.size() == 1);
    CHECK(match.allowed[0] == Method::kGet);
    CHECK(match_route(kTable, Method::kGet, {"x"}).allowed.empty());
}

TEST_CASE("router: the table has every row once, and no change is public but the exchange of a code") {
    std::set<std::string> seen;
    for (const Route& route : routes()) {
        CAPTURE(route.pattern);
        CHECK((route.handler != nullptr));
        CHECK(seen.insert(std::string(to_string(route.method)) + " " + std::string(route.pattern)).second);
        if (route.role != Role::kNone || is_safe(route.method)) continue;
        CHECK(route.pattern == "/api/v1/session");
    }
    CHECK(seen.size() > 45);
}
