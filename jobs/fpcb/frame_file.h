#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nightshift::jobs {

/// One row of a frame file.
struct FrameRow {
    std::int32_t x, y, index;
    int line;   ///< from 1, for messages
};

/// Parses a frame file's text. Throws JobError("bad_bundle") with `file` and the line.
std::vector<FrameRow> parse_frame(std::string_view text, const std::string& file);

/// Frame number by a file's name; none where it has no digits. Throws JobError("bad_bundle") beyond 9 digits.
std::optional<int> frame_number_of(const std::filesystem::path& file);

}  // namespace nightshift::jobs
