#pragma once

#include <string>

#include "scheduler/result.h"

namespace nightshift::daemon {

/// Where the data lives when nobody says: the service's state folder, else the user's own.
std::string default_data_folder();

/// The folder of the running program.
std::string program_folder();

/// `path` made absolute against the current folder; the file need not exist.
std::string absolute_path(const std::string& path);

/// Makes the data folder (only for its owner) or checks it, and makes it the current folder: relative
/// names keep control.sock below the 108 bytes of a socket address. Fails: conflict "bad_permissions",
/// unavailable "data_folder_unusable".
Status enter_data_folder(const std::string& folder);

/// Makes a folder and its parents, for the owner only.
Status make_folders(const std::string& path);

/// Whole content of a small file. Fails: not_found; exhausted "file_too_large" above `bytes_max`.
Result<std::string> read_file(const std::string& path, std::size_t bytes_max);

/// Replaces a file of the owner only: temporary file, fsync, rename, fsync of the folder.
Status write_file_durably(const std::string& path, const std::string& content);

/// Gives a file or folder another name on the same disk; on the disk when it returns.
Status rename_durably(const std::string& from, const std::string& to);

/// Removes a file that may be gone already.
void forget_file(const std::string& path);

/// From now on files and folders are made for their owner alone, unless they say otherwise.
void make_new_files_private();

/// True when the file exists and somebody but its owner may read or change it.
bool is_open_to_others(const std::string& path);

}  // namespace nightshift::daemon
