#include "api/digest.h"
#include "api/handlers/handlers.h"
#include "api/job_files.h"
#include "api/media_type.h"
#include "web/assets.h"

namespace nightshift::api::handle {
namespace {

constexpr std::size_t kFileBytesMax = 8 * 1024 * 1024;

/// curl and other tools get a few lines instead of a page.
bool wants_text(const Request& request) {
    const std::string* accept = request.head.find("accept");
    return accept == nullptr || accept->find("text/html") == std::string::npos;
}

Response overview(const Context& context) {
    Response response;
    response.content_type = "text/plain; charset=utf-8";
    response.body = "nightshift " + context.commands.status().version +
                    "\n"
                    "\n"
                    "  dashboard    open this address in a browser; `nightshift open` signs you in\n"
                    "  API          curl -H @DIR/auth.hdr http://127.0.0.1:" +
                    std::to_string(context.port) +
                    "/api/v1/status\n"
                    "  all routes   /api/v1/openapi.json\n"
                    "  health       /livez /readyz\n";
    return response;
}

Response asset(const Request& request, std::string bytes, std::string type, const std::string& etag) {
    Response response;
    response.headers.emplace_back("ETag", etag);
    response.headers.emplace_back("Cache-Control", "no-cache");
    const std::string* known = request.head.find("if-none-match");
    if (known != nullptr && *known == etag) {
        response.status = 304;
        return response;
    }
    response.content_type = std::move(type);
    response.body = std::move(bytes);
    return response;
}

/// From --web-root: read at every request, so that an edit shows at once.
std::optional<Response> from_disk(const Context& context, const Request& request, const std::string& path) {
    const std::string relative = path == "/" ? "index.html" : path.substr(1);
    auto file = open_below(context.options.web_root, relative);
    if (!file) return std::nullopt;
    std::string bytes;
    file->read_at(0, kFileBytesMax, bytes);
    std::string etag = "\"" + sha256_hex(bytes).substr(0, 32) + "\"";
    return asset(request, std::move(bytes), media_type_of(relative), etag);
}

}  // namespace

void static_file(Context& context, const RequestPtr& request, Respond respond) {
    const std::string path = request->params.empty() ? "/" : "/" + request->param("path");
    const bool is_shell = path == "/";
    if (is_shell && wants_text(*request)) return respond(overview(context));
    if (!context.options.web_root.empty()) {
        if (auto found = from_disk(context, *request, path)) return respond(std::move(*found));
    }
    if (const web::Asset* found = web::lookup(path)) {
        return respond(
            asset(*request, std::string(found->bytes), std::string(found->mime), std::string(found->etag)));
    }
    respond(error_answer(*request, Error{ErrorCode::kNotFound, "no_such_route",
                                         "There is nothing at " + path.substr(0, 200) + ".",
                                         "GET /api/v1/openapi.json lists every route.", ""}));
}

}  // namespace nightshift::api::handle
