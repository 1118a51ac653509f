#include <algorithm>
#include <cstring>
#include <map>
#include <new>
#include <utility>

#include "kernels/backend.h"
#include "kernels/error.h"

namespace nightshift::kernels {
namespace {

constexpr std::align_val_t kAlignment{256};

class CpuBackend final : public Backend {
  public:
    CpuBackend(int threads, std::size_t budget_bytes) : ledger_(budget_bytes) {
        info_.name = "cpu";
        info_.threads = std::max(threads, 1);
    }
    ~CpuBackend() override {
        for (const auto& [data, held] : held_) ::operator delete(data, kAlignment);
    }
    CpuBackend(const CpuBackend&) = delete;
    CpuBackend& operator=(const CpuBackend&) = delete;

    const BackendInfo& info() const override { return info_; }
    BackendMemory memory() const override { return ledger_.memory(); }

    void* allocate(std::size_t bytes, std::string_view owner) override {
        const std::size_t taken = MemoryLedger::taken(bytes);
        ledger_.take(taken, owner);
        void* const data = ::operator new(taken, kAlignment, std::nothrow);
        if (data == nullptr) {
            ledger_.give_back(taken, owner);
            throw OverBudget("over_budget: the machine has no " + bytes_in_words(taken) + " left for " +
                             std::string(owner) + "; let fewer jobs run at once");
        }
        held_[data] = {taken, std::string(owner)};
        return data;
    }

    void release(void* data) noexcept override {
        const auto found = held_.find(data);
        if (found == held_.end()) return;
        ledger_.give_back(found->second.first, found->second.second);
        ::operator delete(data, kAlignment);
        held_.erase(found);
    }

    void upload(void* to, const void* from, std::size_t bytes) override {
        if (bytes > 0) std::memcpy(to, from, bytes);
    }
    void download(void* to, const void* from, std::size_t bytes) override { upload(to, from, bytes); }
    void synchronize() override {}

  private:
    BackendInfo info_;
    MemoryLedger ledger_;
    std::map<void*, std::pair<std::size_t, std::string>> held_;  ///< bytes and owner
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(int threads, std::size_t budget_bytes) {
    return std::make_unique<CpuBackend>(threads, budget_bytes);
}

}  // namespace nightshift::kernels
