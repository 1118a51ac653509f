#include "api/job_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace nightshift::api {
namespace {

constexpr std::size_t kPathBytesMax = 4096;

Error missing(const std::string& relative) {
    return {ErrorCode::kNotFound, "no_such_file", "There is no file " + relative.substr(0, 200) + ".",
            "It may have been removed, or the retention time of the policy has passed.", ""};
}

bool is_bad_part(std::string_view part) {
    return part.empty() || part == "." || part == ".." || part.find('\\') != std::string_view::npos ||
           part.find('\0') != std::string_view::npos;
}

/// Closes a folder handle while walking down.
struct Folder {
    int handle = -1;
    ~Folder() {
        if (handle >= 0) ::close(handle);
    }
};

}  // namespace

ReadFile& ReadFile::operator=(ReadFile&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
}

ReadFile::~ReadFile() {
    if (handle_ >= 0) ::close(handle_);
}

std::int64_t ReadFile::size() const {
    struct stat found {};
    return ::fstat(handle_, &found) == 0 ? static_cast<std::int64_t>(found.st_size) : 0;
}

std::int64_t ReadFile::read_at(std::int64_t offset, std::size_t count, std::string& out) const {
    const std::size_t before = out.size();
    out.resize(before + count);
    ssize_t got = 0;
    do {
        got = ::pread(handle_, out.data() + before, count, static_cast<off_t>(offset));
    } while (got < 0 && errno == EINTR);
    out.resize(before + static_cast<std::size_t>(got > 0 ? got : 0));
    return got;
}

Result<ReadFile> open_below(const std::string& root, const std::string& relative) {
    if (relative.size() > kPathBytesMax) return missing(relative);
    Folder folder{::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    std::string_view rest = relative;
    while (folder.handle >= 0) {
        const std::size_t slash = rest.find('/');
        const std::string part(rest.substr(0, slash));
        if (is_bad_part(part)) {
            return Error{ErrorCode::kInvalidArgument, "bad_name",
                         "The name " + relative.substr(0, 200) + " is not allowed.",
                         "Use a name of the recorded list.", ""};
        }
        if (slash == std::string_view::npos) {
            ReadFile file(
                ::openat(folder.handle, part.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
            if (!file.is_open()) return missing(relative);
            // Asked of the handle that will be read, not of the name, which may point elsewhere by now.
            struct stat found {};
            const int probe = ::fstat(file.handle(), &found);
            if (probe == 0 && S_ISDIR(found.st_mode)) {
                return Error{ErrorCode::kConflict, "is_folder", relative.substr(0, 200) + " is a folder.",
                             "Take it from the data folder of the daemon.", ""};
            }
            if (probe != 0 || !S_ISREG(found.st_mode)) {
                return Error{ErrorCode::kInvalidArgument, "not_a_file",
                             relative.substr(0, 200) + " is no regular file.",
                             "Links and devices are not followed.", ""};
            }
            return file;
        }
        rest.remove_prefix(slash + 1);
        const int next = ::openat(folder.handle, part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        ::close(folder.handle);
        folder.handle = next;
    }
    return missing(relative);
}

}  // namespace nightshift::api
