#include "scheduler/result.h"

#include <cstdio>
#include <cstdlib>

namespace nightshift {

void assertion_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "nightshift: invariant broken: %s (%s:%d)\n", condition, file, line);
    std::abort();
}

std::string_view to_string(ErrorCode code) {
    switch (code) {
        case ErrorCode::kInvalidArgument:
            return "invalid_argument";
        case ErrorCode::kNotFound:
            return "not_found";
        case ErrorCode::kConflict:
            return "conflict";
        case ErrorCode::kExhausted:
            return "exhausted";
        case ErrorCode::kUnavailable:
            return "unavailable";
        case ErrorCode::kCancelled:
            return "cancelled";
        case ErrorCode::kCorrupt:
            return "corrupt";
        case ErrorCode::kUnsupported:
            return "unsupported";
        case ErrorCode::kInternal:
            return "internal";
    }
    return "internal";
}

}  // namespace nightshift
