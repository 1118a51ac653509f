#include "api/router.h"

#include <algorithm>

namespace nightshift::api {
namespace {

/// Takes the first part off a pattern.
std::string_view take_part(std::string_view& pattern) {
    pattern.remove_prefix(1);
    const std::string_view part = pattern.substr(0, pattern.find('/'));
    pattern.remove_prefix(part.size());
    return part;
}

bool is_variable(std::string_view part) {
    return part.size() > 2 && part.front() == '{';
}
bool is_greedy(std::string_view part) {
    return is_variable(part) && part[part.size() - 2] == '*';
}

std::string_view name_of(std::string_view part) {
    part = part.substr(1, part.size() - 2);
    if (part.back() == '*') part.remove_suffix(1);
    return part;
}

/// Every request is tried on the whole table, so a row that does not fit is left at the first difference.
bool match_pattern(std::string_view pattern, const std::vector<std::string>& segments, NamedValues& params) {
    params.clear();
    if (pattern == "/") return segments.empty();
    std::size_t at = 0;
    while (!pattern.empty()) {
        const std::string_view part = take_part(pattern);
        if (at == segments.size()) return false;
        if (is_greedy(part)) {
            const auto behind = static_cast<std::size_t>(std::count(pattern.begin(), pattern.end(), '/'));
            if (segments.size() - at <= behind) return false;
            std::string value = segments[at++];
            while (segments.size() - at > behind) value += "/" + segments[at++];
            params.emplace_back(name_of(part), std::move(value));
        } else if (is_variable(part)) {
            if (segments[at].empty()) return false;
            params.emplace_back(name_of(part), segments[at++]);
        } else if (segments[at++] != part) {
            return false;
        }
    }
    return at == segments.size();
}

}  // namespace

Match match_route(std::span<const Route> table, Method method, const std::vector<std::string>& segments) {
    Match match;
    const Method wanted = method == Method::kHead ? Method::kGet : method;
    NamedValues params;
    for (const Route& route : table) {
        if (!match_pattern(route.pattern, segments, params)) continue;
        if (std::find(match.allowed.begin(), match.allowed.end(), route.method) == match.allowed.end()) {
            match.allowed.push_back(route.method);
        }
        if (route.method != wanted || match.route != nullptr) continue;
        match.route = &route;
        match.params = params;
    }
    return match;
}

}  // namespace nightshift::api
