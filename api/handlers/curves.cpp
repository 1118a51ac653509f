#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "api/handlers/handlers.h"
#include "api/job_files.h"
#include "api/rfc3339.h"

namespace nightshift::api::handle {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::int64_t kFileBytesMax = 64 * 1024 * 1024;
constexpr std::size_t kPiece = 1024 * 1024;
constexpr std::size_t kLineBytesMax = 64 * 1024;
constexpr std::size_t kNamesMax = 64;

struct Point {
    std::int64_t step = 0;
    std::optional<UnixMs> at;
    double value = 0;
    bool is_number = true;  ///< false: NaN or infinite, shown as a gap
};
using Curves = std::map<std::string, std::vector<Point>>;

/// The instant of a line: "at" as RFC 3339 or "at_ms" as Unix milliseconds; workers write either.
std::optional<UnixMs> instant_of(const json& line) {
    if (const auto it = line.find("at"); it != line.end() && it->is_string()) {
        return parse_time(it->get_ref<const std::string&>());
    }
    for (const char* name : {"at_ms", "at"}) {
        const auto it = line.find(name);
        if (it != line.end() && it->is_number_integer()) return UnixMs{it->get<std::int64_t>()};
    }
    return std::nullopt;
}

/// One line of progress.jsonl: {"step":3,"steps":40,"metrics":{"loss":0.11}}. Bad lines are skipped:
/// a user's program writes them.
void add_line(std::string_view text, Curves& curves) {
    if (text.empty() || text.size() > kLineBytesMax) return;
    const json line = json::parse(text.begin(), text.end(), nullptr, false);
    if (!line.is_object() || !line.contains("metrics") || !line["metrics"].is_object()) return;
    const json step = line.value("step", json());
    if (!step.is_number()) return;
    Point point;
    point.step = static_cast<std::int64_t>(step.get<double>());
    point.at = instant_of(line);
    for (const auto& [name, value] : line["metrics"].items()) {
        if (curves.size() == kNamesMax && !curves.contains(name)) continue;
        point.is_number = value.is_number();
        point.value = point.is_number ? value.get<double>() : 0;
        curves[name].push_back(point);
    }
}

void read_file(const ReadFile& file, Curves& curves) {
    std::string rest;
    for (std::int64_t at = 0; at < kFileBytesMax;) {
        const std::int64_t got = file.read_at(at, kPiece, rest);
        if (got <= 0) break;
        at += got;
        std::size_t start = 0;
        for (std::size_t end; (end = rest.find('\n', start)) != std::string::npos; start = end + 1) {
            add_line(std::string_view(rest).substr(start, end - start), curves);
        }
        rest.erase(0, start);
        if (rest.size() > kLineBytesMax) rest.clear();
    }
}

/// Every n-th point, the last always.
std::vector<Point> thinned(const std::vector<Point>& points, std::size_t max) {
    if (points.size() <= max) return points;
    std::vector<Point> out;
    const double stride = static_cast<double>(points.size() - 1) / static_cast<double>(max - 1);
    for (std::size_t i = 0; i < max; ++i) {
        out.push_back(points[std::min(points.size() - 1,
                                      static_cast<std::size_t>(static_cast<double>(i) * stride + 0.5))]);
    }
    return out;
}

bool is_wanted(const std::string* keys, const std::string& name) {
    if (keys == nullptr || keys->empty()) return true;
    return ("," + *keys + ",").find("," + name + ",") != std::string::npos;
}

}  // namespace

// {"job", "series": {"loss": [[step, at or null, value or null], ...]}}: attempts follow one another, a
// resumed one repeats no step.
void curves(Context& context, const RequestPtr& request, Respond respond) {
    if (auto known = check_query(*request, {"keys", "max_points"}); !known)
        return respond(error_answer(*request, known.error()));
    const auto job = job_of(context, *request);
    if (!job) return respond(error_answer(*request, job.error()));
    const auto max = query_integer(*request, "max_points", 2000, 2, 20'000);
    if (!max) return respond(error_answer(*request, max.error()));
    Curves curves;
    const std::string root = context.commands.status().data_folder;
    for (int attempt = 1; attempt <= job->attempt; ++attempt) {
        const auto file = open_below(root, "jobs/" + std::to_string(job->id.value) + "/" +
                                               std::to_string(attempt) + "/progress.jsonl");
        if (file) read_file(*file, curves);
    }
    ordered_json body;
    body["job"] = job->id.value;
    body["series"] = ordered_json::object();
    for (const auto& [name, points] : curves) {
        if (!is_wanted(request->query_value("keys"), name)) continue;
        auto rows = ordered_json::array();
        for (const Point& point : thinned(points, static_cast<std::size_t>(*max))) {
            rows.push_back({point.step,
                            point.at ? ordered_json(format_time(*point.at)) : ordered_json(nullptr),
                            point.is_number ? ordered_json(point.value) : ordered_json(nullptr)});
        }
        body["series"][name] = std::move(rows);
    }
    respond(json_answer(body));
}

}  // namespace nightshift::api::handle
