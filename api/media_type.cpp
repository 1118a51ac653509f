#include "api/media_type.h"

#include <array>

namespace nightshift::api {
namespace {

struct Row {
    std::string_view ending, type;
};

constexpr std::array kTypes{
    Row{".html", "text/html; charset=utf-8"},
    Row{".css", "text/css; charset=utf-8"},
    Row{".js", "text/javascript; charset=utf-8"},
    Row{".mjs", "text/javascript; charset=utf-8"},
    Row{".json", "application/json"},
    Row{".jsonl", "application/x-ndjson"},
    Row{".csv", "text/csv; charset=utf-8"},
    Row{".txt", "text/plain; charset=utf-8"},
    Row{".log", "text/plain; charset=utf-8"},
    Row{".md", "text/plain; charset=utf-8"},
    Row{".svg", "image/svg+xml"},
    Row{".png", "image/png"},
    Row{".jpg", "image/jpeg"},
    Row{".webp", "image/webp"},
};

}  // namespace

std::string media_type_of(std::string_view name) {
    for (const Row& row : kTypes) {
        if (name.size() > row.ending.size() && name.substr(name.size() - row.ending.size()) == row.ending) {
            return std::string(row.type);
        }
    }
    return "application/octet-stream";
}

}  // namespace nightshift::api
