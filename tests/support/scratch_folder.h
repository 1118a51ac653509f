#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace nightshift::tests {

/// A folder of its own for one test, gone afterwards. Its name has a space and Hangul, like a home folder
/// in the field.
class ScratchFolder {
  public:
    explicit ScratchFolder(const std::filesystem::path& below = std::filesystem::temp_directory_path()) {
        std::string pattern = (below / "nightshift 야간 XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
        path_ = pattern;
    }
    ~ScratchFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

  private:
    std::filesystem::path path_;
};

}  // namespace nightshift::tests
