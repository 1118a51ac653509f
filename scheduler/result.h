#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "scheduler/assert.h"

namespace nightshift {

/// What the caller can do about a failure decides the code, not what broke.
enum class ErrorCode {
    kInvalidArgument,  ///< fix the request
    kNotFound,         ///< the named thing does not exist
    kConflict,         ///< fix the state first (wrong state, stale version, address in use)
    kExhausted,        ///< out of room: disk, queue, memory
    kUnavailable,      ///< repeat the call later
    kCancelled,        ///< somebody asked for the end of it
    kCorrupt,          ///< data failed its check; restore or rebuild it
    kUnsupported,      ///< this build or machine cannot do it
    kInternal,         ///< a defect of ours
};

std::string_view to_string(ErrorCode code);

/// A failure, written for the person who has to act on it.
struct Error {
    ErrorCode code = ErrorCode::kInternal;
    std::string reason;   ///< stable snake_case key for scripts, e.g. "vram_impossible"
    std::string message;  ///< what failed and on what, one sentence
    std::string hint;     ///< what to do next, one sentence; may be empty
    std::string pointer;  ///< JSON pointer to the offending field of a request; may be empty
};

/// Either a value or an Error; the subset of std::expected's names that g++ 12 and nvcc lack.
template <typename T>
class [[nodiscard]] Result {
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }

    T& value() & {
        NIGHTSHIFT_ASSERT(has_value());
        return std::get<0>(state_);
    }
    const T& value() const& {
        NIGHTSHIFT_ASSERT(has_value());
        return std::get<0>(state_);
    }
    T&& value() && {
        NIGHTSHIFT_ASSERT(has_value());
        return std::get<0>(std::move(state_));
    }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    const Error& error() const {
        NIGHTSHIFT_ASSERT(!has_value());
        return std::get<1>(state_);
    }

  private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
  public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}

    bool has_value() const { return !error_.has_value(); }
    explicit operator bool() const { return has_value(); }
    const Error& error() const {
        NIGHTSHIFT_ASSERT(error_.has_value());
        return *error_;
    }

  private:
    std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace nightshift

/// Returns the error of a Result-valued expression from the enclosing function.
#define NIGHTSHIFT_TRY(expression)                                                                 \
    do {                                                                                           \
        if (auto try_result_ = (expression); !try_result_.has_value()) return try_result_.error(); \
    } while (false)
