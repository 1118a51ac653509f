#include <string>

#include <dlfcn.h>

#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/sha256_library.h"

namespace nightshift::jobs {
namespace {

Sha256Library load() {
    void* library = ::dlopen(NIGHTSHIFT_CRYPTO_SONAME, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        const char* reason = ::dlerror();
        throw JobError("internal", "SHA-256 needs OpenSSL's " NIGHTSHIFT_CRYPTO_SONAME
                                   ", which cannot be loaded (" +
                                       std::string(reason != nullptr ? reason : "unknown reason") +
                                       "); install libssl3 and try again");
    }
    const auto find = [library](auto& function, const char* name) {
        function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(library, name));
        if (function != nullptr) return;
        throw JobError("internal", std::string("this OpenSSL has no ") + name +
                                       "; install the libssl3 that nightshift was built with");
    };
    Sha256Library found;
    find(found.context_new, "EVP_MD_CTX_new");
    find(found.context_free, "EVP_MD_CTX_free");
    find(found.sha256, "EVP_sha256");
    find(found.init, "EVP_DigestInit_ex");
    find(found.update, "EVP_DigestUpdate");
    find(found.final, "EVP_DigestFinal_ex");
    return found;
}

}  // namespace

const Sha256Library& sha256_library() {
    static const Sha256Library library = load();
    return library;
}

}  // namespace nightshift::jobs
