#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace nightshift::kernels {

/// Bytes of a device as a Backend reports them.
struct BackendMemory {
    std::size_t budget_bytes = 0;  ///< never held more than this
    std::size_t held_bytes = 0;
    std::size_t peak_bytes = 0;  ///< most that was held at once
};

/// Who holds how much of a budget. One thread at a time.
class MemoryLedger {
  public:
    explicit MemoryLedger(std::size_t budget_bytes);

    /// Bytes that `bytes` take: rounded up to kGrainBytes, at least one grain. Throws OverBudget where that
    /// overflows.
    static std::size_t taken(std::size_t bytes);

    /// Books `bytes` (a result of taken()) under `owner`. Throws OverBudget and books nothing where they do
    /// not fit.
    void take(std::size_t bytes, std::string_view owner);
    /// What take() booked.
    void give_back(std::size_t bytes, std::string_view owner) noexcept;

    const BackendMemory& memory() const { return memory_; }
    /// "a 512.0 MiB, b 3.0 MiB": the largest first, at most eight. "nothing" where nothing is held.
    std::string holders() const;

    static constexpr std::size_t kGrainBytes = 512;

  private:
    BackendMemory memory_;
    std::map<std::string, std::size_t, std::less<>> held_;  ///< by owner
};

/// "1.5 MiB": one digit after the point, from KiB on.
std::string bytes_in_words(std::size_t bytes);

}  // namespace nightshift::kernels
