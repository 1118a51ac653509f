#include "tests/product_sim/diary.h"

#include <cstdio>

namespace nightshift::tests {

namespace {

constexpr std::size_t kLinesKept = 60;
constexpr std::uint64_t kFnvPrime = 1099511628211ULL;

}  // namespace

void Diary::note(const std::string& line) {
    std::string whole = std::to_string(agenda_.steady().value) + " " + line;
    for (const char c : whole) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * kFnvPrime;
    ++count_;
    if (is_loud_) std::printf("%s\n", whole.c_str());
    last_.push_back(std::move(whole));
    if (last_.size() > kLinesKept) last_.pop_front();
}

std::string Diary::last_lines() const {
    std::string text;
    for (const std::string& line : last_) (text += line) += '\n';
    return text;
}

}  // namespace nightshift::tests
