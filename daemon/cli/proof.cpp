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

/// The hash as bytes. Throws Failure.
Digest digest_of(std::string_view bytes) {
    Digest digest;
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
        throw Failure(kExitFailed, "OpenSSL has no SHA-256", "Install an OpenSSL with its default provider.");
    }
    return digest;
}

}  // namespace

std::string sha256_of(std::string_view bytes) {
    return hex_of(digest_of(bytes));
}

std::string random_nonce() {
    std::array<unsigned char, 16> bytes;
    if (RAND_bytes(bytes.data(), bytes.size()) != 1) {
        throw Failure(kExitFailed, "the system gives no random numbers", "Check /dev/urandom.");
    }
    return hex_of(bytes);
}

std::string proof_of(const std::string& token, std::uint16_t port, const std::string& nonce) {
    const Digest key = digest_of(token);
    Digest proof;
    const std::string message = "nightshift-proof:v1:" + std::to_string(port) + ":" + nonce;
    if (HMAC(EVP_sha256(), key.data(), key.size(), reinterpret_cast<const unsigned char*>(message.data()),
             message.size(), proof.data(), nullptr) == nullptr) {
        throw Failure(kExitFailed, "OpenSSL has no SHA-256", "Install an OpenSSL with its default provider.");
    }
    return hex_of(proof);
}

}  // namespace nightshift::cli
