#include "tests/db/watched_disk.h"

#include <sqlite3.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>

namespace nightshift::tests {

namespace {

/// The file as SQLite sees it; the real one lies behind it in the same allocation.
struct WatchedFile {
    sqlite3_file base;
    WatchedDisk* disk;
    std::string* path;  ///< null for temporary files, which no crash can show
    /// The first sync of a journal or WAL that was opened to be made also covers its folder (os_unix.c,
    /// UNIXFILE_DIRSYNC).
    bool syncs_folder;
    int last_errno;
    sqlite3_file* real;
};

WatchedFile& watched(sqlite3_file* file) {
    return *reinterpret_cast<WatchedFile*>(file);
}
sqlite3_file* real(sqlite3_file* file) {
    return watched(file).real;
}
WatchedDisk& disk_of(sqlite3_vfs* vfs) {
    return *static_cast<WatchedDisk*>(vfs->pAppData);
}

void note(sqlite3_file* file, DiskStep::Kind kind, std::int64_t offset, std::string bytes) {
    WatchedFile& self = watched(file);
    if (self.path == nullptr) return;
    self.disk->note({kind, *self.path, offset, std::move(bytes), false});
}

/// SQLITE_OK, or what the operation answers instead of being carried out.
int judge(sqlite3_file* file, int io_error) {
    WatchedFile& self = watched(file);
    self.last_errno = 0;
    const int system_error = self.disk->strike();
    if (system_error == 0) return SQLITE_OK;
    // As os_unix.c does: a write without room is SQLITE_FULL, everything else an error of the disk.
    if (system_error == ENOSPC && io_error == SQLITE_IOERR_WRITE) return SQLITE_FULL;
    self.last_errno = system_error;
    return io_error;
}

int close_file(sqlite3_file* file) {
    WatchedFile& self = watched(file);
    const int code = self.real->pMethods != nullptr ? self.real->pMethods->xClose(self.real) : SQLITE_OK;
    delete self.path;
    self.path = nullptr;
    return code;
}
int read_file(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
    return real(file)->pMethods->xRead(real(file), to, size, offset);
}
int write_file(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
    if (const int refused = judge(file, SQLITE_IOERR_WRITE); refused != SQLITE_OK) return refused;
    note(file, DiskStep::Kind::kWrite, offset,
         {static_cast<const char*>(from), static_cast<std::size_t>(size)});
    return real(file)->pMethods->xWrite(real(file), from, size, offset);
}
int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
    if (const int refused = judge(file, SQLITE_IOERR_TRUNCATE); refused != SQLITE_OK) return refused;
    note(file, DiskStep::Kind::kTruncate, size, {});
    return real(file)->pMethods->xTruncate(real(file), size);
}
int sync_file(sqlite3_file* file, int) {
    if (const int refused = judge(file, SQLITE_IOERR_FSYNC); refused != SQLITE_OK) return refused;
    WatchedFile& self = watched(file);
    if (self.path != nullptr) self.disk->note({DiskStep::Kind::kSync, *self.path, 0, {}, self.syncs_folder});
    self.syncs_folder = false;
    return SQLITE_OK;
}
int size_of_file(sqlite3_file* file, sqlite3_int64* size) {
    return real(file)->pMethods->xFileSize(real(file), size);
}
int lock_file(sqlite3_file* file, int level) {
    return real(file)->pMethods->xLock(real(file), level);
}
int unlock_file(sqlite3_file* file, int level) {
    return real(file)->pMethods->xUnlock(real(file), level);
}
int check_lock(sqlite3_file* file, int* result) {
    return real(file)->pMethods->xCheckReservedLock(real(file), result);
}
int control_file(sqlite3_file* file, int what, void* argument) {
    if (what == SQLITE_FCNTL_LAST_ERRNO && watched(file).last_errno != 0) {
        *static_cast<int*>(argument) = watched(file).last_errno;
        return SQLITE_OK;
    }
    return real(file)->pMethods->xFileControl(real(file), what, argument);
}
int sector_size(sqlite3_file* file) {
    return real(file)->pMethods->xSectorSize(real(file));
}
int characteristics(sqlite3_file* file) {
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}
int map_shared(sqlite3_file* file, int page, int size, int extend, void volatile** at) {
    return real(file)->pMethods->xShmMap(real(file), page, size, extend, at);
}
int lock_shared(sqlite3_file* file, int offset, int count, int flags) {
    return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}
void barrier_shared(sqlite3_file* file) {
    real(file)->pMethods->xShmBarrier(real(file));
}
int unmap_shared(sqlite3_file* file, int is_deleted) {
    return real(file)->pMethods->xShmUnmap(real(file), is_deleted);
}

const sqlite3_io_methods kMethods{
    2,           close_file,     read_file,    write_file,   truncate_file, sync_file,       size_of_file,
    lock_file,   unlock_file,    check_lock,   control_file, sector_size,   characteristics, map_shared,
    lock_shared, barrier_shared, unmap_shared, nullptr,      nullptr};

int open_file(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
    WatchedDisk& disk = disk_of(vfs);
    WatchedFile& self = watched(file);
    std::memset(&self, 0, sizeof self);
    self.disk = &disk;
    self.real = reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + sizeof(WatchedFile));
    self.syncs_folder =
        (flags & SQLITE_OPEN_CREATE) != 0 && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
    int exists = 0;
    if (path != nullptr) disk.real()->xAccess(disk.real(), path, SQLITE_ACCESS_READWRITE, &exists);
    const int code = disk.real()->xOpen(disk.real(), path, self.real, flags, out_flags);
    if (self.real->pMethods != nullptr) self.base.pMethods = &kMethods;
    if (code != SQLITE_OK) return code;
    if (path != nullptr && (flags & SQLITE_OPEN_DELETEONCLOSE) == 0) self.path = new std::string(path);
    if (exists == 0) note(file, DiskStep::Kind::kCreate, 0, {});
    return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* path, int is_folder_synced) {
    WatchedDisk& disk = disk_of(vfs);
    disk.note({DiskStep::Kind::kDelete, path, 0, {}, is_folder_synced != 0});
    return disk.real()->xDelete(disk.real(), path, 0);
}
int access_file(sqlite3_vfs* vfs, const char* path, int flags, int* result) {
    return disk_of(vfs).real()->xAccess(disk_of(vfs).real(), path, flags, result);
}
int full_path(sqlite3_vfs* vfs, const char* path, int size, char* out) {
    return disk_of(vfs).real()->xFullPathname(disk_of(vfs).real(), path, size, out);
}
int last_error(sqlite3_vfs* vfs, int size, char* text) {
    return disk_of(vfs).real()->xGetLastError(disk_of(vfs).real(), size, text);
}

int next_number() {
    static int number = 0;
    return ++number;
}

}  // namespace

WatchedDisk::WatchedDisk() : vfs_(std::make_unique<sqlite3_vfs>()), real_(sqlite3_vfs_find(nullptr)) {
    *vfs_ = *real_;  // time, randomness and sleep stay as they are
    name_ = "watched-" + std::to_string(next_number());
    vfs_->iVersion = 1;
    vfs_->szOsFile = static_cast<int>(sizeof(WatchedFile)) + real_->szOsFile;
    vfs_->pNext = nullptr;
    vfs_->zName = name_.c_str();
    vfs_->pAppData = this;
    vfs_->xOpen = open_file;
    vfs_->xDelete = delete_file;
    vfs_->xAccess = access_file;
    vfs_->xFullPathname = full_path;
    vfs_->xGetLastError = last_error;
    sqlite3_vfs_register(vfs_.get(), 1);
}

WatchedDisk::~WatchedDisk() {
    sqlite3_vfs_unregister(vfs_.get());
    sqlite3_vfs_register(real_, 1);
}

void WatchedDisk::note(DiskStep step) {
    if (is_recording_) steps_.push_back(std::move(step));
}

void WatchedDisk::fail_from(std::int64_t nth, int system_error) {
    left_until_fault_ = nth;
    system_error_ = system_error;
    is_failing_ = false;
    has_failed_ = false;
}

void WatchedDisk::heal() {
    left_until_fault_ = 0;
    is_failing_ = false;
}

int WatchedDisk::strike() {
    if (!is_failing_ && (left_until_fault_ == 0 || --left_until_fault_ > 0)) return 0;
    is_failing_ = true;
    has_failed_ = true;
    return system_error_;
}

}  // namespace nightshift::tests
