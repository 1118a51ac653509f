#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "scheduler/result.h"

namespace nightshift::wire {

/// Ordered, so that "type" comes first and a captured line can be read by eye.
using Json = nlohmann::ordered_json;

/// The first `bytes_max` bytes at most. Cuts at a character boundary: half a character would be repaired into
/// a replacement mark.
std::string cut(const std::string& text, std::size_t bytes_max);

/// Reads the fields of one object and remembers the first thing that was wrong; what cannot be read is 0,
/// empty or null. Fields that are missing and not required, or null, are no problem. Keeps a reference to the
/// object.
class Fields {
  public:
    Fields(const Json& json, std::string what);

    std::string text(const char* name, bool is_required = true);
    std::int64_t integer(const char* name, bool is_required = true);
    int small_integer(const char* name, bool is_required = true);
    bool flag(const char* name);
    std::optional<int> optional_integer(const char* name);
    const Json* array(const char* name);
    const Json* object(const char* name);

    bool has(const char* name) const;
    void fail_field(const std::string& name, const std::string& problem);
    void fail(const std::string& problem);
    void take_over(const Fields& inner);
    const std::string& what() const { return what_; }
    const std::string& problem() const { return problem_; }

  private:
    const Json* find(const char* name, bool is_required);

    const Json& json_;
    std::string what_;
    std::string problem_;
};

/// What a line or file is answered with that nobody of this build can have written.
Error corrupt(std::string message);

}  // namespace nightshift::wire
