#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "api/openapi_document.h"
#include "api/router.h"

using namespace nightshift::api;
using nlohmann::json;

namespace {

json document() {
    const auto* file = openapi_file("/openapi.json");
    REQUIRE(file != nullptr);
    return json::parse(file->bytes);
}

std::string without_stars(std::string_view pattern) {
    std::string out(pattern);
    std::erase(out, '*');
    return out;
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    return out;
}

/// Every "$ref" below a value.
void collect_refs(const json& value, std::set<std::string>& refs) {
    if (value.is_object() && value.contains("$ref")) refs.insert(value["$ref"].get<std::string>());
    if (value.is_structured()) {
        for (const json& member : value) collect_refs(member, refs);
    }
}

}  // namespace

TEST_CASE("openapi: every route has its operation, with the same role") {
    const json paths = document()["paths"];
    for (const Route& route : routes()) {
        const std::string path = without_stars(route.pattern);
        CAPTURE(path);
        REQUIRE(paths.contains(path));
        const std::string method = lower(to_string(route.method));
        CAPTURE(method);
        REQUIRE(paths[path].contains(method));
        const json& operation = paths[path][method];
        const std::string role = route.role == Role::kNone ? "public" : std::string(to_string(route.role));
        CHECK(operation["x-role"] == role);
        CHECK(operation["summary"].get<std::string>() != "");
        CHECK(operation.contains("requestBody") == (route.body != BodyKind::kNone));
    }
}

TEST_CASE("openapi: every operation has its route, and names its path's values") {
    const json paths = document()["paths"];
    for (const auto& [path, operations] : paths.items()) {
        for (const auto& [method, operation] : operations.items()) {
            CAPTURE(path);
            CAPTURE(method);
            const std::string wanted_path = path;
            const std::string wanted_method = method;
            const bool is_known = std::any_of(routes().begin(), routes().end(), [&](const Route& route) {
                return without_stars(route.pattern) == wanted_path &&
                       lower(to_string(route.method)) == wanted_method;
            });
            CHECK(is_known);
            std::set<std::string> named;
            for (const json& parameter : operation.value("parameters", json::array())) {
                if (parameter["in"] == "path") named.insert(parameter["name"].get<std::string>());
            }
            CHECK(named.size() == static_cast<std::size_t>(std::count(path.begin(), path.end(), '{')));
        }
    }
}

TEST_CASE("openapi: references lead somewhere") {
    const json all = document();
    CHECK(all["openapi"] == "3.1.0");
    std::set<std::string> refs;
    collect_refs(all, refs);
    CHECK(refs.size() >= 6);
    for (const std::string& ref : refs) {
        CAPTURE(ref);
        REQUIRE(ref.rfind("#/", 0) == 0);
        CHECK(all.contains(json::json_pointer(ref.substr(1))));
    }
}
