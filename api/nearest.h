#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nightshift::api {

/// The known word that was probably meant, or "" when none is near: at most a third of the letters
/// changed, added, left out or swapped with their neighbour; or one is the beginning of the other.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

/// "Did you mean \"window\"?" or, without a near word, "Known: a, b, c." (at most 20 of them).
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace nightshift::api
