#include "api/strict_json.h"

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace nightshift::api {
namespace {

using nlohmann::json;

/// Builds the document while it is parsed, and stops at what is allowed by JSON but not here.
class Builder final : public nlohmann::json_sax<json> {
  public:
    json document;
    std::string complaint;  ///< why the parse stopped

    bool null() override { return take(nullptr); }
    bool boolean(bool value) override { return take(value); }
    bool number_integer(std::int64_t value) override { return take(value); }
    bool number_unsigned(std::uint64_t value) override { return take(value); }
    bool number_float(double value, const std::string&) override { return take(value); }
    bool string(std::string& value) override { return take(std::move(value)); }
    bool binary(json::binary_t&) override { return false; }  // not in text

    bool start_object(std::size_t) override { return open(json::object()); }
    bool start_array(std::size_t) override { return open(json::array()); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }

    bool key(std::string& name) override {
        const auto [member, is_new] = open_.back()->get_ref<json::object_t&>().try_emplace(std::move(name));
        if (!is_new) {
            complaint = "the key \"" + member->first.substr(0, 100) + "\" stands twice in one object";
        }
        member_ = &member->second;
        return is_new;
    }

    bool parse_error(std::size_t, const std::string&, const json::exception& failure) override {
        complaint = failure.what();
        // "[json.exception.parse_error.101] parse error at line 1, column 5: ..." without its prefix.
        const std::size_t end = complaint.find("] ");
        if (end != std::string::npos) complaint.erase(0, end + 2);
        if (complaint.size() > 200) complaint.resize(200);
        return false;
    }

  private:
    /// Where the next value belongs; stays put until its container ends.
    json& place(json value) {
        if (open_.empty()) return document = std::move(value);
        json& container = *open_.back();
        if (!container.is_array()) return *member_ = std::move(value);
        auto& items = container.get_ref<json::array_t&>();
        items.push_back(std::move(value));
        return items.back();
    }
    bool take(json value) {
        place(std::move(value));
        return true;
    }
    bool open(json container) {
        if (open_.size() == static_cast<std::size_t>(kJsonDepthMax)) {
            complaint = "it is nested deeper than " + std::to_string(kJsonDepthMax) + " levels";
            return false;
        }
        open_.push_back(&place(std::move(container)));
        return true;
    }
    bool close() {
        open_.pop_back();
        return true;
    }

    std::vector<json*> open_;
    json* member_ = nullptr;
};

Error bad_json(std::string detail) {
    return {ErrorCode::kInvalidArgument, "bad_json", "The JSON cannot be taken: " + std::move(detail) + ".",
            "Check it with `python3 -m json.tool`.", ""};
}

}  // namespace

Result<json> parse_json(std::string_view text, std::size_t bytes_max) {
    if (text.size() > bytes_max) {
        return bad_json("it is larger than " + std::to_string(bytes_max / 1024 / 1024) + " MiB");
    }
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return bad_json("it is empty");
    Builder builder;
    if (!json::sax_parse(text.begin(), text.end(), &builder)) return bad_json(std::move(builder.complaint));
    return std::move(builder.document);
}

std::string dump_json(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string dump_json(const nlohmann::ordered_json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace nightshift::api
