#pragma once

#include <openssl/evp.h>

namespace nightshift::jobs {

/// What hashing uses of OpenSSL.
struct Sha256Library {
    decltype(&EVP_MD_CTX_new) context_new = nullptr;
    decltype(&EVP_MD_CTX_free) context_free = nullptr;
    decltype(&EVP_sha256) sha256 = nullptr;
    decltype(&EVP_DigestInit_ex) init = nullptr;
    decltype(&EVP_DigestUpdate) update = nullptr;
    decltype(&EVP_DigestFinal_ex) final = nullptr;
};

/// Loads OpenSSL at the first call: linked, it would cost every worker a third of its start, and most jobs
/// hash nothing before they end. Any thread. Throws JobError("internal") where it cannot be loaded.
const Sha256Library& sha256_library();

}  // namespace nightshift::jobs
