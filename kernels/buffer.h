#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/backend.h"

namespace nightshift::kernels {

/// Memory of a Backend for `size` elements, released at its end. The Backend has to outlive it.
template <typename T>
class Buffer {
  public:
    Buffer() = default;
    /// Never set. Throws OverBudget, or std::invalid_argument where the bytes overflow.
    Buffer(Backend& backend, std::size_t size, std::string_view owner) : backend_(&backend), size_(size) {
        if (size > std::numeric_limits<std::size_t>::max() / sizeof(T))
            throw std::invalid_argument(std::string(owner) + ": the size overflows");
        data_ = static_cast<T*>(backend.allocate(size * sizeof(T), owner));
    }
    /// A copy of what the host has.
    Buffer(Backend& backend, std::span<const T> host, std::string_view owner)
        : Buffer(backend, host.size(), owner) {
        upload(host);
    }
    Buffer(Buffer&& other) noexcept { swap(other); }
    Buffer& operator=(Buffer&& other) noexcept {
        Buffer(std::move(other)).swap(*this);
        return *this;
    }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() {
        if (backend_ != nullptr) backend_->release(data_);
    }

    T* data() { return data_; }
    const T* data() const { return data_; }
    std::size_t size() const { return size_; }

    /// Elements from `at` on; has to fit.
    void upload(std::span<const T> host, std::size_t at = 0) {
        check(host.size(), at);
        backend_->upload(data_ + at, host.data(), host.size_bytes());
    }
    void download(std::span<T> host, std::size_t at = 0) const {
        check(host.size(), at);
        backend_->download(host.data(), data_ + at, host.size_bytes());
    }
    std::vector<T> to_host() const {
        std::vector<T> host(size_);
        download(host);
        return host;
    }

  private:
    void check(std::size_t count, std::size_t at) const {
        if (at > size_ || count > size_ - at)
            throw std::logic_error("a copy of " + std::to_string(count) + " elements at " +
                                   std::to_string(at) + " does not fit " + std::to_string(size_));
    }
    void swap(Buffer& other) noexcept {
        std::swap(backend_, other.backend_);
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
    }

    Backend* backend_ = nullptr;
    T* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace nightshift::kernels
