#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace nightshift::jobs {

/// A column of text whose values repeat (names of sequences, scenarios): each different word is kept once,
/// a row is a number. A plain value; read from any thread while nobody writes.
class Words {
  public:
    Words() = default;
    Words(const std::vector<std::string>&
              words);  // NOLINT(google-explicit-constructor): a list of words is one
    Words(std::initializer_list<std::string> words) : Words(std::vector<std::string>(words)) {}
    /// `count` times the same.
    Words(std::size_t count, const std::string& word);

    void push_back(std::string_view word);
    const std::string& operator[](std::size_t row) const { return distinct_[codes_[row]]; }
    std::size_t size() const { return codes_.size(); }
    bool empty() const { return codes_.empty(); }

    /// The row's word as a number below distinct().size(); equal words have equal numbers.
    std::uint32_t code(std::size_t row) const { return codes_[row]; }
    /// Every word that was ever added, in order of first appearance.
    const std::vector<std::string>& distinct() const { return distinct_; }
    /// All rows as text.
    std::vector<std::string> strings() const;
    /// The rows listed, in that order; distinct() holds their words alone.
    Words picked(const std::vector<std::int64_t>& rows) const;

  private:
    std::vector<std::string> distinct_;
    std::unordered_map<std::string, std::uint32_t> places_;
    std::vector<std::uint32_t> codes_;
};

}  // namespace nightshift::jobs
