#include "jobs/table/arrow/gathered_write.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <vector>

#include <sys/uio.h>

namespace nightshift::jobs {
namespace {

constexpr std::size_t kPartsMax = IOV_MAX;  ///< more in one call are refused

/// `written` bytes off the front of `parts`, told to `listener`; gives how many parts are done with.
std::size_t take(std::span<iovec> parts, std::size_t written, ByteListener* listener) {
    for (std::size_t at = 0; at < parts.size(); ++at) {
        iovec& part = parts[at];
        const std::size_t count = std::min(written, part.iov_len);
        if (listener != nullptr && count > 0) listener->hear({static_cast<std::byte*>(part.iov_base), count});
        part.iov_base = static_cast<std::byte*>(part.iov_base) + count;
        part.iov_len -= count;
        written -= count;
        if (part.iov_len > 0) return at;
    }
    return parts.size();
}

}  // namespace

int write_gathered(int descriptor, std::span<const std::span<const std::byte>> pieces,
                   ByteListener* listener) {
    std::vector<iovec> parts;
    parts.reserve(pieces.size());
    for (const auto piece : pieces) {
        if (!piece.empty()) parts.push_back({const_cast<std::byte*>(piece.data()), piece.size()});
    }
    for (std::span<iovec> left(parts); !left.empty();) {
        const auto call = left.first(std::min(left.size(), kPartsMax));
        const ssize_t written = ::writev(descriptor, call.data(), static_cast<int>(call.size()));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        left = left.subspan(take(call, static_cast<std::size_t>(written), listener));
    }
    return 0;
}

}  // namespace nightshift::jobs
