#include "jobs/table/words.h"

#include <limits>

namespace nightshift::jobs {

Words::Words(const std::vector<std::string>& words) {
    codes_.reserve(words.size());
    for (const std::string& word : words) push_back(word);
}

Words::Words(std::size_t count, const std::string& word) {
    if (count == 0) return;
    push_back(word);
    codes_.assign(count, 0);
}

void Words::push_back(std::string_view word) {
    // Rows of one sequence follow each other.
    if (!codes_.empty() && distinct_[codes_.back()] == word) {
        codes_.push_back(codes_.back());
        return;
    }
    const auto [place, is_new] =
        places_.emplace(std::string(word), static_cast<std::uint32_t>(distinct_.size()));
    if (is_new) distinct_.emplace_back(word);
    codes_.push_back(place->second);
}

std::vector<std::string> Words::strings() const {
    std::vector<std::string> out;
    out.reserve(size());
    for (std::size_t row = 0; row < size(); ++row) out.push_back((*this)[row]);
    return out;
}

Words Words::picked(const std::vector<std::int64_t>& rows) const {
    constexpr std::uint32_t kNotYet = std::numeric_limits<std::uint32_t>::max();
    Words out;
    out.codes_.reserve(rows.size());
    std::vector<std::uint32_t> own(distinct_.size(), kNotYet);
    for (const std::int64_t row : rows) {
        std::uint32_t& code = own[codes_[static_cast<std::size_t>(row)]];
        if (code == kNotYet) {
            out.push_back((*this)[static_cast<std::size_t>(row)]);
            code = out.codes_.back();
        } else {
            out.codes_.push_back(code);
        }
    }
    return out;
}

}  // namespace nightshift::jobs
