#include "jobs/runtime/durable_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jobs/runtime/job_impl.h"
#include "scheduler/crash_point.h"

namespace nightshift::jobs {
namespace {

class Descriptor {
  public:
    Descriptor(const std::filesystem::path& path, int flags, const char* what)
        : path_(path), fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {
        if (fd_ < 0) refuse_disk(what, path, errno);
    }
    ~Descriptor() { ::close(fd_); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    void write(std::string_view text) {
        while (!text.empty()) {
            const ssize_t written = ::write(fd_, text.data(), text.size());
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) refuse_disk("write", path_, errno);
            text.remove_prefix(static_cast<std::size_t>(written));
        }
    }
    /// Bytes read, 0 at the end.
    std::size_t read(char* into, std::size_t room) {
        for (;;) {
            const ssize_t got = ::read(fd_, into, room);
            if (got >= 0) return static_cast<std::size_t>(got);
            if (errno != EINTR) refuse_disk("read", path_, errno);
        }
    }
    /// What the file says of its size, at most `most`; 0 where it says nothing (/proc, pipes).
    std::size_t size_hint(std::size_t most) const {
        struct stat about {};
        if (::fstat(fd_, &about) != 0 || about.st_size <= 0) return 0;
        return std::min(most, static_cast<std::size_t>(about.st_size));
    }
    /// What an earlier, longer text or a reservation left behind.
    void cut_at(std::size_t bytes) {
        if (::ftruncate(fd_, static_cast<off_t>(bytes)) != 0) refuse_disk("cut", path_, errno);
    }
    void reserve(std::int64_t bytes) {
        // A file system that cannot reserve is one that may refuse later; nothing can be done about it now.
        static_cast<void>(::fallocate(fd_, FALLOC_FL_KEEP_SIZE, 0, bytes));
    }
    void sync() {
        if (::fsync(fd_) != 0) refuse_disk("sync", path_, errno);
    }

  private:
    const std::filesystem::path& path_;
    int fd_;
};

constexpr std::size_t kPieceBytes = 512;  ///< room beyond what a file says of its size, to find its end

std::filesystem::path temporary_of(std::filesystem::path file) {
    file += ".tmp";
    return file;
}

/// What was synced under the name `temporary` becomes `file`.
void take_name(const std::filesystem::path& temporary, const std::filesystem::path& file) {
    crash_point("worker.file_synced");
    if (::rename(temporary.c_str(), file.c_str()) != 0) refuse_disk("rename to", file, errno);
    crash_point("worker.file_renamed");
    sync_folder(file.parent_path());
}

}  // namespace

void refuse_disk(const std::string& what, const std::filesystem::path& path, int error) {
    const bool is_full = error == ENOSPC || error == EDQUOT;
    throw JobError(is_full ? "disk_full" : "io_error",
                   "cannot " + what + " " + path.string() + ": " + std::strerror(error) +
                       (is_full ? "; make room on this disk and retry the job" : ""));
}

void write_durably(const std::filesystem::path& file, std::string_view text) {
    const std::filesystem::path temporary = temporary_of(file);
    {
        // Not emptied first: that would give reserved room back just when it is needed.
        Descriptor out(temporary, O_WRONLY | O_CREAT, "create");
        out.write(text);
        out.cut_at(text.size());
        out.sync();
    }
    take_name(temporary, file);
}

void rename_durably(const std::filesystem::path& temporary, const std::filesystem::path& file) {
    sync_file(temporary);
    take_name(temporary, file);
}

struct AppendedFile::State {
    explicit State(const std::filesystem::path& file)
        : path(file), out(path, O_WRONLY | O_CREAT | O_TRUNC, "create") {}
    std::filesystem::path path;
    Descriptor out;
};

AppendedFile::AppendedFile(const std::filesystem::path& file) : state_(std::make_unique<State>(file)) {}
AppendedFile::~AppendedFile() = default;

void AppendedFile::append(std::string_view text) {
    state_->out.write(text);
}

void reserve_durably(const std::filesystem::path& file, Bytes room) {
    Descriptor(temporary_of(file), O_WRONLY | O_CREAT, "create").reserve(room.value);
}

void sync_file(const std::filesystem::path& file) {
    Descriptor(file, O_RDONLY, "open").sync();
}

void sync_folder(const std::filesystem::path& folder) {
    const std::filesystem::path here = folder.empty() ? std::filesystem::path(".") : folder;
    Descriptor(here, O_RDONLY | O_DIRECTORY, "open the folder").sync();
}

std::string read_text(const std::filesystem::path& file, std::size_t bytes_max) {
    Descriptor in(file, O_RDONLY, "read");
    std::string text(in.size_hint(bytes_max) + kPieceBytes, '\0');
    std::size_t filled = 0;
    while (const std::size_t got = in.read(text.data() + filled, text.size() - filled)) {
        filled += got;
        if (filled > bytes_max) {
            throw JobError("file_too_large",
                           file.string() + " is larger than " + std::to_string(bytes_max) + " bytes");
        }
        if (filled == text.size()) text.resize(filled + std::max(filled, kPieceBytes));
    }
    text.resize(filled);
    return text;
}

}  // namespace nightshift::jobs
