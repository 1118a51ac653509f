#pragma once

#include <cstddef>
#include <span>

namespace nightshift::jobs {

/// Hears the bytes of a file as they are written: each once, in their order, while they are still at hand. It
/// must not throw, because Arrow is among those that call it.
class ByteListener {
  public:
    virtual ~ByteListener() = default;
    virtual void hear(std::span<const std::byte> bytes) noexcept = 0;
};

}  // namespace nightshift::jobs
