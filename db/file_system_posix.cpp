#include "db/file_system.h"

#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace nightshift::db {

bool is_on_network_file_system(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string folder =
        slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
    struct statfs info {};
    if (statfs(folder.c_str(), &info) != 0) return false;
    // statfs(2) and linux/magic.h: NFS, SMB, CIFS, SMB2, AFS, 9P, Ceph, Lustre, Coda, NCP.
    constexpr std::array<std::uint32_t, 10> kNetwork{0x6969,     0x517b,     0xff534d42, 0xfe534d42,
                                                     0x5346414f, 0x01021997, 0x00c36400, 0x0bd00bd0,
                                                     0x73757245, 0x564c};
    return std::find(kNetwork.begin(), kNetwork.end(), static_cast<std::uint32_t>(info.f_type)) !=
           kNetwork.end();
}

std::optional<FileIdentity> identity_of(const std::string& path) {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) return std::nullopt;
    return FileIdentity{info.st_dev, info.st_ino};
}

}  // namespace nightshift::db
