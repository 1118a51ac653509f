#include "daemon/paths.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "scheduler/crash_point.h"

namespace nightshift::daemon {

namespace {

Error os_error(const std::string& what, const std::string& path) {
    const int code = errno;
    if (code == ENOSPC || code == EDQUOT) {
        return {ErrorCode::kExhausted, "disk_low", what + " " + path + ": the disk has no room left.",
                "Free some space on the disk of the data folder.", ""};
    }
    if (code == ENOENT) return {ErrorCode::kNotFound, "no_such_file", path + " does not exist.", "", ""};
    return {ErrorCode::kUnavailable, "file_unusable", what + " " + path + ": " + std::strerror(code) + ".",
            "Check the owner and the permissions of the data folder.", ""};
}

/// Closes on every path out.
struct Descriptor {
    int fd;
    ~Descriptor() {
        if (fd >= 0) close(fd);
    }
};

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

}  // namespace

std::string default_data_folder() {
    // systemd sets STATE_DIRECTORY for a service (a colon separates several; ours has one).
    if (std::string state = environment("STATE_DIRECTORY"); !state.empty())
        return state.substr(0, state.find(':'));
    if (const std::string data = environment("XDG_DATA_HOME"); !data.empty()) return data + "/nightshift";
    const std::string home = environment("HOME");
    return (home.empty() ? std::string("/var/lib") : home + "/.local/share") + "/nightshift";
}

std::string program_folder() {
    std::error_code code;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", code);
    return code ? std::string(".") : program.parent_path().string();
}

std::string absolute_path(const std::string& path) {
    std::error_code code;
    const auto full = std::filesystem::absolute(path, code);
    return code ? path : full.lexically_normal().string();
}

Status make_folders(const std::string& path) {
    // From the end: mostly only the last one or two are missing.
    if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
    const std::size_t slash = path.rfind('/');
    if (errno != ENOENT || slash == std::string::npos || slash == 0)
        return os_error("Cannot make the folder", path);
    NIGHTSHIFT_TRY(make_folders(path.substr(0, slash)));
    if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
    return os_error("Cannot make the folder", path);
}

void forget_file(const std::string& path) {
    unlink(path.c_str());
}

void make_new_files_private() {
    umask(0077);
}

bool is_open_to_others(const std::string& path) {
    struct stat info {};
    return stat(path.c_str(), &info) == 0 && (info.st_mode & 0077) != 0;
}

Status enter_data_folder(const std::string& folder) {
    NIGHTSHIFT_TRY(make_folders(folder));
    struct stat info {};
    if (stat(folder.c_str(), &info) != 0) return os_error("Cannot look at", folder);
    if (!S_ISDIR(info.st_mode)) {
        return Error{ErrorCode::kUnavailable, "data_folder_unusable", folder + " is not a folder.",
                     "Choose a folder with --data.", ""};
    }
    if (info.st_uid != geteuid()) {
        return Error{ErrorCode::kConflict, "bad_permissions",
                     "The data folder " + folder + " belongs to another user.",
                     "Start nightshiftd as its owner, or choose another folder with --data.", ""};
    }
    if ((info.st_mode & 0077) != 0) {
        return Error{ErrorCode::kConflict, "bad_permissions",
                     "The data folder " + folder + " can be read by other users of this machine.",
                     "Run: chmod 700 '" + folder + "'", ""};
    }
    if (chdir(folder.c_str()) != 0) return os_error("Cannot enter", folder);
    return {};
}

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
    const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.fd < 0) return os_error("Cannot read", path);
    std::string content;
    char buffer[16384];
    for (;;) {
        const ssize_t n = read(file.fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os_error("Cannot read", path);
        if (n == 0) return content;
        content.append(buffer, static_cast<std::size_t>(n));
        if (content.size() > bytes_max) {
            return Error{ErrorCode::kExhausted, "file_too_large",
                         path + " is larger than " + std::to_string(bytes_max) + " bytes.", "", ""};
        }
    }
}

Status write_file_durably(const std::string& path, const std::string& content) {
    const std::string temporary = path + ".tmp";
    unlink(temporary.c_str());
    {
        const Descriptor file{open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
        if (file.fd < 0) return os_error("Cannot write", temporary);
        std::size_t done = 0;
        while (done < content.size()) {
            const ssize_t n = write(file.fd, content.data() + done, content.size() - done);
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return os_error("Cannot write", temporary);
            done += static_cast<std::size_t>(n);
        }
        if (fsync(file.fd) != 0) return os_error("Cannot write", temporary);
    }
    crash_point("file.synced");
    return rename_durably(temporary, path);
}

Status rename_durably(const std::string& from, const std::string& to) {
    if (rename(from.c_str(), to.c_str()) != 0) return os_error("Cannot replace", to);
    crash_point("file.renamed");
    const std::size_t slash = to.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : to.substr(0, slash + 1);
    const Descriptor parent{open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (parent.fd < 0 || fsync(parent.fd) != 0) return os_error("Cannot write", folder);
    return {};
}

}  // namespace nightshift::daemon
