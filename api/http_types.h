#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nightshift::api {

/// What stands between the HTTP library and everything else in this folder: plain data.

enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete, kOther };
Method parse_method(std::string_view text);
std::string_view to_string(Method method);
inline bool is_safe(Method method) {
    return method == Method::kGet || method == Method::kHead;
}

/// Each role may do what the one before it may.
enum class Role { kNone, kViewer, kOperator, kAdmin };
std::string_view to_string(Role role);
std::optional<Role> parse_role(std::string_view text);

struct Field {
    std::string name;   ///< lower case
    std::string value;  ///< without surrounding blanks
};

/// Request line and header fields as they came, checked by parse_head and never changed afterwards:
/// trailer fields of a chunked body do not get here.
struct RequestHead {
    std::string method_text;
    Method method = Method::kOther;
    std::string target;
    std::string path;   ///< still percent-encoded
    std::string query;  ///< still percent-encoded, without "?"
    int minor_version = 1;
    std::vector<Field> fields;
    std::optional<std::uint64_t> content_length;
    bool is_chunked = false;

    /// The first field of that name (lower case), or null.
    const std::string* find(std::string_view name) const;
    bool has_body() const { return is_chunked || content_length.value_or(0) > 0; }
};

struct Caller {
    Role role = Role::kNone;
    std::string actor;         ///< "operator/api", for the event log
    std::string token_sha256;  ///< empty on the Unix socket
};

using NamedValues = std::vector<std::pair<std::string, std::string>>;

struct Request {
    RequestHead head;
    NamedValues params;  ///< {id}, {name} of the route's pattern, decoded
    NamedValues query;   ///< decoded, in order
    Caller caller;
    std::string body;
    std::string id;  ///< X-Request-Id of the answer

    const std::string& param(std::string_view name) const;
    /// Null when absent.
    const std::string* query_value(std::string_view name) const;
};

/// A body that is made while it is sent. Thread: the loop.
class BodyStream {
  public:
    struct Chunk {
        std::string bytes;
        bool is_end = false;
        bool is_broken = false;  ///< the connection is cut, so that the client sees it
    };
    using Ready = std::function<void(Chunk)>;
    virtual ~BodyStream() = default;
    /// Asks for the next chunk; `ready` is called once, now or later. One call at a time.
    virtual void next(Ready ready) = 0;
    /// The client is gone: forget a pending `ready` (it need not be called).
    virtual void cancel() = 0;
};

struct Response;
using Respond = std::function<void(Response)>;

/// Takes a request's body piece by piece instead of as one string. Thread: the loop.
class BodySink {
  public:
    virtual ~BodySink() = default;
    /// Takes bytes; `more` is called once there is room for the next piece. `false` = stop reading.
    virtual void take(std::string_view bytes, std::function<void(bool)> more) = 0;
    /// The body ended well, or the client went away in its middle.
    virtual void finish(bool is_complete) = 0;
    /// After finish(), asked of a sink without a stream beside it: its answer depends on the whole body.
    /// Calls `respond` once, now or later.
    virtual void answer(Respond respond);
};

struct Response {
    int status = 200;
    std::string content_type = "application/json";
    NamedValues headers;
    std::string body;
    std::shared_ptr<BodyStream> stream;         ///< instead of `body`
    std::optional<std::uint64_t> stream_bytes;  ///< Content-Length of the stream; chunked without it
    std::shared_ptr<BodySink> sink;             ///< takes the body; answers itself where there is no `stream`
    bool close = false;
    std::string code;  ///< of a problem, for the counters
};

}  // namespace nightshift::api
