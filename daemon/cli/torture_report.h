#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace nightshift::cli {

/// What has to hold whatever is done to a daemon.
enum class Promise { kStored, kRunsOnce, kTrueEnd, kProcess, kEvents, kInvariants, kWholeMoment, kComesBack };
inline constexpr int kPromises = 8;

/// Words for people; the code of -o json.
struct PromiseWords {
    const char* code;
    const char* text;
};
PromiseWords words_of(Promise promise);

/// The value below which `part` (0..1) of the values lie, the nearest rank; 0 without values.
double percentile(std::vector<double> values, double part);

/// Collects what a torture did, saw and measured. Any thread.
class TortureReport {
  public:
    void held(Promise promise, std::int64_t times = 1);
    /// Keeps the first kExamplesMax texts of each promise.
    void broke(Promise promise, const std::string& text);
    void did(const std::string& what, std::int64_t times = 1);
    void skipped(const std::string& what, const std::string& reason);
    void measured(const std::string& figure, double milliseconds);

    bool is_whole() const;  ///< no promise was broken
    std::int64_t count_of(const std::string& what) const;
    nlohmann::json object() const;  ///< for programs
    std::string text() const;       ///< tables for people

  private:
    static constexpr std::size_t kExamplesMax = 5;
    static constexpr std::size_t kSamplesMax = 100'000;

    struct Tally {
        std::int64_t checked = 0, broken = 0;
        std::vector<std::string> examples;
    };
    mutable std::mutex mutex_;
    std::array<Tally, kPromises> promises_;
    std::map<std::string, std::int64_t> done_;
    std::map<std::string, std::string> skipped_;
    std::map<std::string, std::vector<double>> figures_;
};

}  // namespace nightshift::cli
