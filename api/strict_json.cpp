#include "api/strict_json.h"

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace nightshift::api {
namespace {

using nlohmann::json;

/// Ends the parse from inside its callback; never leaves this file.
struct Refused : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Follows the parse: how deep it is, and which keys each open object has.
class Watcher {
  public:
    bool operator()(json::parse_event_t event, const json& parsed) {
        switch (event) {
            case json::parse_event_t::object_start:
            case json::parse_event_t::array_start:
                if (static_cast<int>(open_.size()) == kJsonDepthMax) {
                    throw Refused("it is nested deeper than " + std::to_string(kJsonDepthMax) + " levels");
                }
                open_.emplace_back();
                break;
            case json::parse_event_t::object_end:
            case json::parse_event_t::array_end:
                open_.pop_back();
                break;
            case json::parse_event_t::key:
                if (const auto& key = parsed.get_ref<const std::string&>();
                    !open_.back().insert(key).second) {
                    throw Refused("the key \"" + key.substr(0, 100) + "\" stands twice in one object");
                }
                break;
            case json::parse_event_t::value:
                break;
        }
        return true;
    }

  private:
    std::vector<std::set<std::string>> open_;
};

Error bad_json(std::string detail) {
    return {ErrorCode::kInvalidArgument, "bad_json", "The JSON cannot be taken: " + std::move(detail) + ".",
            "Check it with `python3 -m json.tool`.", ""};
}

}  // namespace

Result<json> parse_json(std::string_view text) {
    if (text.size() > kJsonBytesMax) return bad_json("it is larger than 1 MiB");
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return bad_json("it is empty");
    Watcher watcher;
    try {
        return json::parse(
            text.begin(), text.end(),
            [&watcher](int, json::parse_event_t event, json& parsed) { return watcher(event, parsed); });
    } catch (const json::exception& failure) {
        std::string words = failure.what();
        // "[json.exception.parse_error.101] parse error at line 1, column 5: ..." without its prefix.
        if (const std::size_t end = words.find("] "); end != std::string::npos) words.erase(0, end + 2);
        if (words.size() > 200) words.resize(200);
        return bad_json(words);
    } catch (const Refused& refusal) {
        return bad_json(refusal.what());
    }
}

std::string dump_json(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string dump_json(const nlohmann::ordered_json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace nightshift::api
