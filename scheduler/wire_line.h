#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "scheduler/wire_fields.h"

namespace nightshift::wire {

/// Without its newline; what is no UTF-8 is repaired.
std::string line_of(const Json& json);

/// Hands the fields of a line to `read`, with its type. Fails: corrupt, for a line that is too long or no
/// object with a type, and with the first thing that `read` found wrong.
Status read_line(std::string_view line, std::size_t bytes_max,
                 const std::function<void(const std::string& type, Fields& fields)>& read);

/// Reads the messages of one `type`.
template <typename Message>
struct Reader {
    const char* type;
    Message (*read)(Fields&);
};

/// Nothing for a type that no reader knows. Fails: corrupt.
template <typename Message, std::size_t count>
Result<std::optional<Message>> decode(std::string_view line, std::size_t bytes_max,
                                      const Reader<Message> (&readers)[count]) {
    std::optional<Message> message;
    NIGHTSHIFT_TRY(read_line(line, bytes_max, [&](const std::string& type, Fields& fields) {
        for (const Reader<Message>& reader : readers) {
            if (type != reader.type) continue;
            message = reader.read(fields);
            return;
        }
    }));
    return message;
}

}  // namespace nightshift::wire
