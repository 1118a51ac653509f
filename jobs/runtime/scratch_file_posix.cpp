#include "jobs/runtime/scratch_file.h"

#include <cerrno>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "jobs/runtime/durable_file.h"

namespace nightshift::jobs {
namespace {

[[noreturn]] void fail(const char* what, const std::filesystem::path& folder, int error) {
    refuse_disk(std::string(what) + " rows that do not fit into memory in", folder, error);
}

/// A file that no folder lists, on file systems without them one that is unlinked at once.
int open_nameless(const std::filesystem::path& folder) {
    const int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return fd;
    std::string name = (folder / ".scratch-XXXXXX").string();
    const int named = ::mkostemp(name.data(), O_CLOEXEC);
    if (named >= 0) ::unlink(name.c_str());
    return named;
}

}  // namespace

struct ScratchFile::Handle {
    std::filesystem::path folder;
    int fd = -1;
    std::uint64_t size = 0;
    void* map = nullptr;
    std::size_t mapped_bytes = 0;

    explicit Handle(std::filesystem::path where) : folder(std::move(where)), fd(open_nameless(folder)) {
        if (fd < 0) fail("store", folder, errno);
    }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() {
        unmap();
        ::close(fd);
    }
    void unmap() {
        if (map != nullptr) ::munmap(map, mapped_bytes);
        map = nullptr;
    }
};

ScratchFile::ScratchFile(std::filesystem::path folder)
    : handle_(std::make_unique<Handle>(std::move(folder))) {}
ScratchFile::~ScratchFile() = default;
ScratchFile::ScratchFile(ScratchFile&& other) noexcept = default;
ScratchFile& ScratchFile::operator=(ScratchFile&& other) noexcept = default;

void ScratchFile::append(std::span<const char> bytes) {
    handle_->unmap();
    while (!bytes.empty()) {
        const ssize_t written =
            ::pwrite(handle_->fd, bytes.data(), bytes.size(), static_cast<off_t>(handle_->size));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail("store", handle_->folder, errno);
        handle_->size += static_cast<std::uint64_t>(written);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
}

void ScratchFile::read(std::uint64_t offset, std::span<char> out) const {
    while (!out.empty()) {
        const ssize_t got = ::pread(handle_->fd, out.data(), out.size(), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) fail("read", handle_->folder, got < 0 ? errno : EIO);
        offset += static_cast<std::uint64_t>(got);
        out = out.subspan(static_cast<std::size_t>(got));
    }
}

std::uint64_t ScratchFile::size() const {
    return handle_->size;
}

std::span<const char> ScratchFile::mapped() const {
    if (handle_->size == 0) return {};
    if (handle_->map == nullptr) {
        handle_->mapped_bytes = static_cast<std::size_t>(handle_->size);
        void* map = ::mmap(nullptr, handle_->mapped_bytes, PROT_READ, MAP_SHARED, handle_->fd, 0);
        if (map == MAP_FAILED) fail("map", handle_->folder, errno);
        handle_->map = map;
    }
    return {static_cast<const char*>(handle_->map), handle_->mapped_bytes};
}

}  // namespace nightshift::jobs
