#include "kernels/memory_ledger.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/error.h"

namespace nightshift::kernels {
namespace {

constexpr std::size_t kHoldersNamed = 8;

}  // namespace

std::string bytes_in_words(std::size_t bytes) {
    static constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
    return text.data();
}

MemoryLedger::MemoryLedger(std::size_t budget_bytes) {
    memory_.budget_bytes = budget_bytes;
}

std::size_t MemoryLedger::taken(std::size_t bytes) {
    if (bytes > std::numeric_limits<std::size_t>::max() - kGrainBytes)
        throw OverBudget("over_budget: no device has " + std::to_string(bytes) +
                         " bytes; check the sizes that were asked for");
    return std::max<std::size_t>(1, (bytes + kGrainBytes - 1) / kGrainBytes) * kGrainBytes;
}

void MemoryLedger::take(std::size_t bytes, std::string_view owner) {
    if (bytes > memory_.budget_bytes - memory_.held_bytes)
        throw OverBudget("over_budget: " + std::string(owner) + " needs " + bytes_in_words(bytes) + "; of " +
                         bytes_in_words(memory_.budget_bytes) + " are held: " + holders() +
                         "; submit the job with a larger vram budget, or with device cpu");
    held_[std::string(owner)] += bytes;
    memory_.held_bytes += bytes;
    memory_.peak_bytes = std::max(memory_.peak_bytes, memory_.held_bytes);
}

void MemoryLedger::give_back(std::size_t bytes, std::string_view owner) noexcept {
    const auto found = held_.find(owner);
    if (found == held_.end() || found->second < bytes) return;
    memory_.held_bytes -= bytes;
    found->second -= bytes;
    if (found->second == 0) held_.erase(found);
}

std::string MemoryLedger::holders() const {
    std::vector<std::pair<std::size_t, std::string>> sorted;
    for (const auto& [owner, bytes] : held_) sorted.emplace_back(bytes, owner);
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    std::string words;
    for (std::size_t i = 0; i < std::min(sorted.size(), kHoldersNamed); ++i)
        words += (i == 0 ? "" : ", ") + sorted[i].second + " " + bytes_in_words(sorted[i].first);
    if (sorted.size() > kHoldersNamed)
        words += " and " + std::to_string(sorted.size() - kHoldersNamed) + " others";
    return words.empty() ? "nothing" : words;
}

}  // namespace nightshift::kernels
