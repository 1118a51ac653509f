#pragma once

#include <filesystem>
#include <string_view>

namespace nightshift::jobs {

/// Whether these words of a program or a library say that the GPU had no memory left for it.
bool says_out_of_gpu_memory(std::string_view text);

/// The same of the end of a log, where a program that failed says why. False when it cannot be read.
bool log_says_out_of_gpu_memory(const std::filesystem::path& log);

}  // namespace nightshift::jobs
