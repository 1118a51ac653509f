#include "api/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <vector>

#include "scheduler/assert.h"

namespace nightshift::api {
namespace {

std::string hex_of(const unsigned char* bytes, std::size_t count) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    out.reserve(count * 2);
    for (std::size_t i = 0; i < count; ++i) {
        out += kDigits[bytes[i] >> 4];
        out += kDigits[bytes[i] & 15];
    }
    return out;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

std::string bytes_of_hex(std::string_view hex) {
    std::string out;
    if (hex.size() % 2 != 0) return out;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const int high = hex_digit(hex[i]);
        const int low = hex_digit(hex[i + 1]);
        if (high < 0 || low < 0) return {};
        out += static_cast<char>(high * 16 + low);
    }
    return out;
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
    // Looked up once: OpenSSL would search its providers at every use of EVP_sha256().
    static const EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    NIGHTSHIFT_ASSERT(kSha256 != nullptr);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    const int ok = EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, kSha256, nullptr);
    NIGHTSHIFT_ASSERT(ok == 1);
    return hex_of(digest.data(), size);
}

std::string hmac_sha256_hex(std::string_view key, std::string_view message) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    const auto* data = reinterpret_cast<const unsigned char*>(message.data());
    const auto* made = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data, message.size(),
                            digest.data(), &size);
    NIGHTSHIFT_ASSERT(made != nullptr);
    return hex_of(digest.data(), size);
}

std::string random_hex(int count) {
    std::vector<unsigned char> bytes(static_cast<std::size_t>(count));
    const int ok = RAND_bytes(bytes.data(), count);
    NIGHTSHIFT_ASSERT(ok == 1);
    return hex_of(bytes.data(), bytes.size());
}

bool equals_in_constant_time(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool is_nonce(std::string_view nonce) {
    if (nonce.size() < 16 || nonce.size() > 128) return false;
    return std::all_of(nonce.begin(), nonce.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_';
    });
}

std::string proof_of(std::string_view token_sha256, int port, std::string_view nonce) {
    const std::string key = bytes_of_hex(token_sha256);
    if (key.size() != 32) return {};
    return hmac_sha256_hex(key, "nightshift-proof:v1:" + std::to_string(port) + ":" + std::string(nonce));
}

}  // namespace nightshift::api
