#include "daemon/cli/proof.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <span>

#include "daemon/cli/failure.h"

namespace nightshift::cli {

namespace {

using Digest = std::array<unsigned char, 32>;

std::string hex_of(std::span<const unsigned char> bytes) {
    constexpr const char* kDigits = "0123456789abcdef";
    std::string text;
    for (const unsigned char byte : bytes) {
        text += kDigits[byte >> 4U];
        text += kDigits[byte & 15U];
    }
    return text;
}

}  // namespace

std::string random_nonce() {
    std::array<unsigned char, 16> bytes;
    if (RAND_bytes(bytes.data(), bytes.size()) != 1) {
        throw Failure(kExitFailed, "the system gives no random numbers", "Check /dev/urandom.");
    }
    return hex_of(bytes);
}

std::string proof_of(const std::string& token, std::uint16_t port, const std::string& nonce) {
    Digest key;
    Digest proof;
    const std::string message = "nightshift-proof:v1:" + std::to_string(port) + ":" + nonce;
    const bool is_hashed =
        EVP_Digest(token.data(), token.size(), key.data(), nullptr, EVP_sha256(), nullptr) == 1;
    if (!is_hashed ||
        HMAC(EVP_sha256(), key.data(), key.size(), reinterpret_cast<const unsigned char*>(message.data()),
             message.size(), proof.data(), nullptr) == nullptr) {
        throw Failure(kExitFailed, "OpenSSL has no SHA-256", "Install an OpenSSL with its default provider.");
    }
    return hex_of(proof);
}

}  // namespace nightshift::cli
