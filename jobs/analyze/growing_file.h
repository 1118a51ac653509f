#pragma once

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace nightshift::jobs {

/// A file that is written piece by piece under a temporary name and gets its own when it is whole; what is
/// there can be saved and gone on with. The job's thread. Throws JobError("io_error") naming the file.
class GrowingFile {
  public:
    /// Starts `file` with what save() left in `saved`, else with `header`.
    GrowingFile(const std::filesystem::path& file, std::string_view header,
                const std::optional<std::filesystem::path>& saved);

    void append(std::string_view text);
    /// Copies what was appended so far below `folder`, under the file's own name.
    void save(const std::filesystem::path& folder);
    /// Makes it safe and gives it its name; nothing can be appended any more.
    void finish();

  private:
    void require(bool is_good) const;

    std::filesystem::path file_, temporary_;
    std::ofstream out_;
};

}  // namespace nightshift::jobs
