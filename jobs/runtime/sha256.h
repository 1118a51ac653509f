#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace nightshift::jobs {

/// Incremental SHA-256. One thread at a time.
class Sha256 {
  public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;

    void update(std::span<const std::byte> bytes);
    void update(std::string_view text);
    /// 64 hex digits; call once, at the end.
    std::string hex();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

std::string sha256_of(std::string_view text);
/// Throws JobError("no_such_file" or "io_error") naming the file.
std::string sha256_of_file(const std::filesystem::path& file);

}  // namespace nightshift::jobs
