#pragma once

#include <cstdint>
#include <memory>

#include <arrow/buffer.h>
#include <arrow/result.h>

namespace nightshift::jobs {

/// Zeros that may be written over, at addresses of their own. They take memory page by page where they are
/// touched, so a buffer that nobody looks at costs its address range and nothing else. Gone with the last
/// that holds it. An error where the system has no range of `bytes` left.
arrow::Result<std::shared_ptr<arrow::MutableBuffer>> hollow_memory(std::int64_t bytes);

}  // namespace nightshift::jobs
