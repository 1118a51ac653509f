#include "db/text_list.h"

#include <cstdio>
#include <cstdlib>

namespace nightshift::db {

std::string pack(const std::vector<std::string>& texts) {
    std::string blob;
    for (const std::string& text : texts) {
        blob += text;
        blob += '\0';
    }
    return blob;
}

std::vector<std::string> unpack(std::string_view blob) {
    std::vector<std::string> texts;
    while (!blob.empty()) {
        const std::size_t end = blob.find('\0');
        texts.emplace_back(blob.substr(0, end));
        if (end == std::string_view::npos) break;
        blob.remove_prefix(end + 1);
    }
    return texts;
}

std::string pack_pairs(const std::vector<std::pair<std::string, std::string>>& pairs) {
    std::string blob;
    for (const auto& [name, value] : pairs) {
        blob += name;
        blob += '\0';
        blob += value;
        blob += '\0';
    }
    return blob;
}

std::vector<std::pair<std::string, std::string>> unpack_pairs(std::string_view blob) {
    std::vector<std::pair<std::string, std::string>> pairs;
    std::vector<std::string> texts = unpack(blob);
    for (std::size_t i = 0; i + 1 < texts.size(); i += 2) {
        pairs.emplace_back(std::move(texts[i]), std::move(texts[i + 1]));
    }
    return pairs;
}

std::string pack_numbers(const std::vector<std::pair<std::string, double>>& numbers) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const auto& [name, value] : numbers) {
        char text[40];
        std::snprintf(text, sizeof text, "%a", value);
        pairs.emplace_back(name, text);
    }
    return pack_pairs(pairs);
}

std::vector<std::pair<std::string, double>> unpack_numbers(std::string_view blob) {
    std::vector<std::pair<std::string, double>> numbers;
    for (const auto& [name, text] : unpack_pairs(blob))
        numbers.emplace_back(name, std::strtod(text.c_str(), nullptr));
    return numbers;
}

}  // namespace nightshift::db
