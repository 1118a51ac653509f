#include "api/nearest.h"

#include <algorithm>
#include <limits>

namespace nightshift::api {
namespace {

constexpr std::size_t kWordBytesMax = 64;
constexpr std::size_t kListedMax = 20;

/// Optimal string alignment distance: like Levenshtein, with neighbours swapped as one edit.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), current(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        current[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            current[j] = std::min({change, last[j] + 1, current[j - 1] + 1});
            const bool is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (is_swap) current[j] = std::min(current[j], before_last[j - 2] + 1);
        }
        before_last.swap(last);
        last.swap(current);
    }
    return last[b.size()];
}

std::string folded(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        out += c == '-' ? '_' : c;
    }
    return out;
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
    if (word.empty() || word.size() > kWordBytesMax) return {};
    const std::string wanted = folded(word);
    std::string best;
    std::size_t best_distance = std::numeric_limits<std::size_t>::max();
    for (const std::string& candidate : known) {
        const std::string text = folded(candidate);
        const bool is_beginning = std::min(text.size(), wanted.size()) >= 3 &&
                                  (text.rfind(wanted, 0) == 0 || wanted.rfind(text, 0) == 0);
        const std::size_t allowed = std::max<std::size_t>(1, std::max(text.size(), wanted.size()) / 3);
        const std::size_t found = distance(wanted, text);
        if (found > allowed && !is_beginning) continue;
        if (found < best_distance) {
            best_distance = found;
            best = candidate;
        }
    }
    return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
    if (const std::string best = nearest(word, known); !best.empty()) return "Did you mean \"" + best + "\"?";
    if (known.empty()) return "None is known here.";
    std::string out = "Known: ";
    for (std::size_t i = 0; i < std::min(known.size(), kListedMax); ++i) {
        if (i > 0) out += ", ";
        out += known[i];
    }
    if (known.size() > kListedMax) out += ", ...";
    return out + ".";
}

}  // namespace nightshift::api
