#include "api/router.h"

#include <algorithm>

namespace nightshift::api {
namespace {

std::vector<std::string_view> split(std::string_view pattern) {
    std::vector<std::string_view> parts;
    while (!pattern.empty()) {
        pattern.remove_prefix(1);
        const std::size_t end = pattern.find('/');
        parts.push_back(pattern.substr(0, end));
        pattern = end == std::string_view::npos ? std::string_view() : pattern.substr(end);
    }
    if (parts.size() == 1 && parts[0].empty()) parts.clear();
    return parts;
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

bool match_pattern(std::string_view pattern, const std::vector<std::string>& segments, NamedValues& params) {
    const std::vector<std::string_view> parts = split(pattern);
    params.clear();
    const bool has_greedy = std::any_of(parts.begin(), parts.end(), is_greedy);
    if (has_greedy ? segments.size() < parts.size() : segments.size() != parts.size()) return false;
    const std::size_t surplus = segments.size() - parts.size();
    std::size_t at = 0;
    for (std::string_view part : parts) {
        if (is_greedy(part)) {
            std::string value = segments[at++];
            for (std::size_t i = 0; i < surplus; ++i) value += "/" + segments[at++];
            params.emplace_back(name_of(part), std::move(value));
        } else if (is_variable(part)) {
            if (segments[at].empty()) return false;
            params.emplace_back(name_of(part), segments[at++]);
        } else if (segments[at++] != part) {
            return false;
        }
    }
    return true;
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
