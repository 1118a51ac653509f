#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "scheduler/result.h"
#include "scheduler/units.h"

namespace nightshift::api {

/// Reads the members of a JSON object, collects what is wrong with each (with its JSON pointer), and at
/// the end refuses members that nobody asked for. A JSON null counts as absent.
class FieldReader {
  public:
    /// `pointer` is that of the object ("" for the document). The references outlive the reader.
    FieldReader(const nlohmann::json& object, std::string pointer, std::vector<Error>& errors);

    /// The member, or null; from now on the name is known.
    const nlohmann::json* take(std::string_view name);
    std::optional<std::string> text(std::string_view name, std::size_t bytes_max = 4096);
    std::optional<std::int64_t> integer(std::string_view name, std::int64_t min, std::int64_t max);
    std::optional<bool> boolean(std::string_view name);
    std::optional<Bytes> bytes(std::string_view name);
    std::optional<Millis> duration(std::string_view name);
    /// An object of strings, in key order.
    std::optional<std::vector<std::pair<std::string, std::string>>> texts(std::string_view name,
                                                                          std::size_t count_max);

    void fail(std::string_view name, std::string reason, std::string message, std::string hint = "");
    std::string pointer_of(std::string_view name) const;
    /// Adds "unknown_field" for every member that was not taken.
    void finish();

  private:
    const nlohmann::json& object_;
    std::string pointer_;
    std::vector<Error>& errors_;
    std::vector<std::string> known_;
};

/// A JSON pointer's form of a key: "~" and "/" escaped.
std::string escape_pointer(std::string_view key);

}  // namespace nightshift::api
