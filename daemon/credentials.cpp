#include "daemon/credentials.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <filesystem>

#include "daemon/paths.h"

namespace nightshift::daemon {

namespace {

constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kHeaderFileMax = 4096;
constexpr const char* kPrefix = "Authorization: Bearer ";

struct Role {
    const char* file;
    const char* role;
};
constexpr std::array kRoles{Role{"auth.hdr", "admin"}, Role{"operator.hdr", "operator"},
                            Role{"viewer.hdr", "viewer"}};

std::string hex(const unsigned char* data, std::size_t size) {
    constexpr const char* kDigits = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < size; ++i) {
        text += kDigits[data[i] >> 4];
        text += kDigits[data[i] & 15];
    }
    return text;
}

Result<std::string> read_token(const std::string& path) {
    auto content = read_file(path, kHeaderFileMax);
    if (!content) return content.error();
    std::string token;
    if (content->starts_with(kPrefix)) token = content->substr(std::string(kPrefix).size());
    token = token.substr(0, token.find_first_of("\r\n"));
    if (token.size() != kTokenBytes * 2 || token.find_first_not_of("0123456789abcdef") != std::string::npos) {
        return Error{ErrorCode::kCorrupt, "bad_credentials", path + " holds no token of this program.",
                     "Delete it; a new one is made at the next start.", ""};
    }
    return token;
}

}  // namespace

Result<std::string> random_token() {
    std::array<unsigned char, kTokenBytes> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
        return Error{ErrorCode::kUnavailable, "no_randomness", "The system gave no random bytes.",
                     "Try again in a moment.", ""};
    }
    return hex(bytes.data(), bytes.size());
}

std::string sha256_hex(const std::string& text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    const int done = EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
    NIGHTSHIFT_ASSERT(done == 1);
    return hex(digest.data(), size);
}

Result<std::vector<db::StoredToken>> load_or_make_credentials(const std::string& folder) {
    std::vector<db::StoredToken> tokens;
    for (const Role& role : kRoles) {
        const std::string path = folder + "/" + role.file;
        std::error_code code;
        if (!std::filesystem::exists(path, code)) {
            auto token = random_token();
            if (!token) return token.error();
            NIGHTSHIFT_TRY(write_file_durably(path, kPrefix + *token + "\n"));
        }
        if (is_open_to_others(path)) {
            return Error{ErrorCode::kConflict, "bad_permissions",
                         "The credential file " + path + " can be read by other users of this machine.",
                         "Run: chmod 600 '" + path + "'  (and delete it first if somebody may have seen it).",
                         ""};
        }
        auto token = read_token(path);
        if (!token) return token.error();
        tokens.push_back({sha256_hex(*token), role.role, role.file, std::nullopt});
    }
    return tokens;
}

}  // namespace nightshift::daemon
