#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "scheduler/wire.h"

namespace nightshift::jobs {

/// Finds what a dataset, table or model parameter means. "job:12" is the artifact of `type` that job 12
/// left (the first one it declared); a path is taken relative to `base`; a folder that a stand-alone run
/// wrote stands for its artifact of `type`. Throws JobError("no_such_input") saying what is there.
std::filesystem::path resolve_reference(std::string_view reference, std::string_view type,
                                        const std::vector<wire::Input>& inputs,
                                        const std::filesystem::path& base);

}  // namespace nightshift::jobs
