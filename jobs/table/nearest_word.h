#pragma once

#include <span>
#include <string>
#include <string_view>

namespace nightshift::jobs {

/// The candidate with the smallest edit distance, if it is near enough to be what was meant; else empty.
std::string nearest_word(std::string_view word, std::span<const std::string> candidates);

/// " Did you mean 'x'?" or, without a near one, nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace nightshift::jobs
