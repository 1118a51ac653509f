#include "jobs/runtime/sha256.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/sha256_library.h"

namespace nightshift::jobs {

struct Sha256::State {
    const Sha256Library& library = sha256_library();
    EVP_MD_CTX* context = library.context_new();
    State() {
        if (context == nullptr || library.init(context, library.sha256(), nullptr) != 1) {
            throw JobError("internal",
                           "SHA-256 is not available in this OpenSSL; install libssl3 and try again");
        }
    }
    ~State() { library.context_free(context); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> bytes) {
    state_->library.update(state_->context, bytes.data(), bytes.size());
}

void Sha256::update(std::string_view text) {
    state_->library.update(state_->context, text.data(), text.size());
}

std::string Sha256::hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int length = 0;
    state_->library.final(state_->context, digest.data(), &length);
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (unsigned int i = 0; i < length; ++i) {
        text += kDigits[digest[i] >> 4];
        text += kDigits[digest[i] & 15];
    }
    return text;
}

std::string sha256_of(std::string_view text) {
    Sha256 hash;
    hash.update(text);
    return hash.hex();
}

std::string sha256_of_file(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) {
        const int error = errno;
        throw JobError(error == ENOENT ? "no_such_file" : "io_error",
                       "cannot read " + file.string() + ": " + std::strerror(error));
    }
    Sha256 hash;
    std::array<char, 256 * 1024> block;
    while (stream.read(block.data(), block.size()) || stream.gcount() > 0) {
        hash.update(std::string_view(block.data(), static_cast<std::size_t>(stream.gcount())));
    }
    if (stream.bad()) throw JobError("io_error", "reading " + file.string() + " failed; check the disk");
    return hash.hex();
}

}  // namespace nightshift::jobs
