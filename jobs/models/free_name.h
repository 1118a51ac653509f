#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace nightshift::jobs {

/// `wanted`, or where one of `taken` (things with a `name`) is called that already, wanted-2, wanted-3 and so
/// on.
template <typename Named>
std::string free_name(const std::string& wanted, const std::vector<Named>& taken) {
    std::string name = wanted;
    const auto has_it = [&name](const Named& each) { return each.name == name; };
    for (int n = 2; std::any_of(taken.begin(), taken.end(), has_it); ++n)
        name = wanted + "-" + std::to_string(n);
    return name;
}

}  // namespace nightshift::jobs
