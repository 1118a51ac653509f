#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "jobs/runtime/job_impl.h"

namespace nightshift::tests {

/// A JobContext without worker or daemon: folders below one root, a yield at a step of the test's choice.
class FakeContext final : public jobs::JobContext {
  public:
    explicit FakeContext(const std::filesystem::path& root)
        : output_(root / "output"), cache_(root / "cache"), checkpoint_(root / "checkpoint") {
        std::filesystem::create_directories(output_);
        std::filesystem::create_directories(cache_);
    }

    std::optional<std::int64_t> yield_at;   ///< first step at which check() yields
    std::optional<std::int64_t> cancel_at;  ///< first step at which check() ends the work
    std::optional<int> stop_at_poll;        ///< look at stop_requested() that says so; check() yields then
    std::optional<std::filesystem::path> resume;
    std::vector<Progress> reports;
    std::vector<std::string> lines;
    std::map<std::string, std::string> artifacts;  ///< name -> type
    int thread_count = 1;
    Bytes rows_held = mebibytes(128);

    const std::filesystem::path& output() const override { return output_; }
    const std::filesystem::path& cache() const override { return cache_; }
    jobs::ComputeDevice device() const override { return jobs::ComputeDevice::kCpu; }
    int threads() const override { return thread_count; }
    Bytes vram_budget() const override { return {}; }
    Bytes row_memory() const override { return rows_held; }
    void progress(const Progress& progress) override { reports.push_back(progress); }
    void claim(Bytes) override {}
    void log(std::string_view line) override { lines.emplace_back(line); }
    bool stop_requested() const override { return stop_at_poll && ++polls_ >= *stop_at_poll; }
    void check(std::int64_t step, const Save& save) override {
        if (cancel_at && step >= *cancel_at) throw jobs::StopRequested{false};
        const bool is_stopping = stop_at_poll && polls_ >= *stop_at_poll;
        if ((!is_stopping && (!yield_at || step < *yield_at)) || !save) return;
        checkpoint(step, save);
        throw jobs::StopRequested{true};
    }
    void checkpoint(std::int64_t, const Save& save) override {
        std::filesystem::remove_all(checkpoint_);
        std::filesystem::create_directories(checkpoint_);
        save(checkpoint_);
    }
    std::optional<std::filesystem::path> resume_from() const override { return resume; }
    std::filesystem::path input(std::string_view reference, std::string_view) const override {
        return reference;
    }
    void artifact(const std::string& name, const std::string& type) override { artifacts[name] = type; }
    void mark_cached() override {}
    const std::filesystem::path& saved() const { return checkpoint_; }

  private:
    std::filesystem::path output_, cache_, checkpoint_;
    mutable int polls_ = 0;
};

}  // namespace nightshift::tests
