#include "jobs/basic/command_progress.h"

#include <algorithm>
#include <limits>

#include <nlohmann/json.hpp>

namespace nightshift::jobs {
namespace {

using nlohmann::json;

/// json.dumps writes NaN and Infinity, which JSON does not have; as values they become null.
std::string without_bare_words(std::string_view line) {
    std::string text;
    bool is_in_string = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '"' && (i == 0 || line[i - 1] != '\\')) is_in_string = !is_in_string;
        bool is_word = false;
        for (const std::string_view word : {"NaN", "-Infinity", "Infinity"}) {
            if (is_in_string || is_word || line.substr(i, word.size()) != word) continue;
            text += "null";
            i += word.size() - 1;
            is_word = true;
        }
        if (!is_word) text += line[i];
    }
    return text;
}

std::int64_t whole(const json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end() || !found->is_number()) return 0;
    const double value = found->get<double>();
    constexpr double kLimit = 9e15;  // beyond it doubles skip integers
    return value > -kLimit && value < kLimit ? static_cast<std::int64_t>(value) : 0;
}

}  // namespace

std::optional<Progress> parse_progress_line(std::string_view line) {
    json object = json::parse(line, nullptr, false);
    if (object.is_discarded()) object = json::parse(without_bare_words(line), nullptr, false);
    if (!object.is_object()) return std::nullopt;
    Progress progress;
    progress.step = whole(object, "step");
    progress.steps = whole(object, "steps");
    if (const auto phase = object.find("phase"); phase != object.end() && phase->is_string()) {
        progress.phase = phase->get<std::string>();
    }
    if (const auto eta = object.find("eta_s"); eta != object.end() && eta->is_number()) {
        const double eta_ms = eta->get<double>() * 1000;
        if (eta_ms >= 0 && eta_ms < 1e15) progress.eta = Millis{static_cast<std::int64_t>(eta_ms)};
    }
    if (const auto metrics = object.find("metrics"); metrics != object.end() && metrics->is_object()) {
        for (const auto& [name, value] : metrics->items()) {
            if (value.is_number()) progress.metrics.emplace_back(name, value.get<double>());
            if (value.is_null())
                progress.metrics.emplace_back(name, std::numeric_limits<double>::quiet_NaN());
        }
    }
    return progress;
}

ProgressTail::ProgressTail(std::filesystem::path file) : file_(std::move(file)) {
    std::error_code ignored;
    std::filesystem::remove(file_, ignored);
}

std::vector<std::string> ProgressTail::read(bool is_last) {
    std::vector<std::string> lines;
    std::error_code error;
    const std::uint64_t size = std::filesystem::file_size(file_, error);
    if (error || (size == offset_ && !is_last)) return lines;
    if (size < offset_) {
        offset_ = 0;
        partial_.clear();
    }
    const auto wanted = std::min<std::uint64_t>(size - offset_, kProgressReadBytesMax);
    has_more_ = size - offset_ > wanted;
    std::string block(wanted, '\0');
    std::ifstream stream(file_, std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(offset_));
    stream.read(block.data(), static_cast<std::streamsize>(block.size()));
    block.resize(static_cast<std::size_t>(stream.gcount()));
    offset_ += block.size();
    partial_ += block;
    std::size_t from = 0;
    for (std::size_t end = partial_.find('\n'); end != std::string::npos; end = partial_.find('\n', from)) {
        lines.push_back(partial_.substr(from, end - from));
        from = end + 1;
    }
    partial_.erase(0, from);
    if (is_last && !has_more_ && !partial_.empty()) lines.push_back(std::exchange(partial_, {}));
    if (partial_.size() > kProgressLineBytesMax) partial_.clear();
    return lines;
}

}  // namespace nightshift::jobs
