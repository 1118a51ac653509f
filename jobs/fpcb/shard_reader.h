#pragma once

#include <filesystem>
#include <memory>

#include "jobs/fpcb/dataset.h"

namespace nightshift::jobs {

/// Opens a folder that has a dataset.json. Checks the size of every shard and the CRCs of headers and
/// indexes now, those of blocks when they are read. Throws JobError, see open_dataset().
std::unique_ptr<Dataset> open_shards(const std::filesystem::path& folder);

}  // namespace nightshift::jobs
