#include "daemon/cli/why_text.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "daemon/cli/fields.h"
#include "daemon/cli/text.h"

namespace nightshift::cli {

using nlohmann::json;

namespace {

std::string exact_size(std::int64_t bytes) {
    return bytes == 0 ? "0" : size_text(bytes);
}

/// capacity - safety - foreign - held - headroom = available, against what is needed.
std::string ledger_text(const json& detail) {
    if (!has(detail, "needed") || !has(detail, "capacity")) return {};
    constexpr std::array<std::pair<const char*, const char*>, 5> kRows = {
        {{"  capacity", "capacity"},
         {"- safety margin", "safety"},
         {"- other programs", "foreign"},
         {"- held by jobs", "held"},
         {"- kept for inference", "headroom"}}};
    std::string text;
    const auto row = [&text](const std::string& name, std::int64_t bytes) {
        text += "      " + pad_right(name, 22) + pad_left(exact_size(bytes), 10) + "\n";
    };
    for (const auto& [name, key] : kRows) {
        if (number_at(detail, key) != 0 || std::string_view(key) == "capacity")
            row(name, number_at(detail, key));
    }
    row("= available", number_at(detail, "available"));
    row("  needed", number_at(detail, "needed"));
    return text;
}

std::string gate_text(const json& gate) {
    std::string text =
        "  * " + harmless(text_at(gate, "text").empty() ? text_at(gate, "code") : text_at(gate, "text"));
    text += "  [" + harmless(text_at(gate, "code")) + "]";
    if (const std::string since = text_at(gate, "since"); !since.empty())
        text += " since " + local_time(since);
    return text + "\n" + ledger_text(object_at(gate, "detail"));
}

/// An estimate is a time (RFC 3339) or a number of seconds from now.
std::string when_text(const json& eta, const char* key) {
    const std::string text = text_at(eta, key);
    if (unix_ms(text) >= 0) return local_time(text);
    return has(eta, key) ? "in " + seconds_text(real_at(eta, key)) : std::string();
}

}  // namespace

std::string why_text(const json& why) {
    std::string text = "job " + text_at(why, "job") + " is " + harmless(text_at(why, "state"));
    const json& gates = array_at(why, "gates");
    if (gates.empty()) {
        text += "; nothing holds it back\n";
    } else {
        text += "; it waits because\n";
        for (const json& gate : gates) text += gate_text(gate);
    }
    if (!flag_at(why, "head_of_class") && !gates.empty()) text += "other jobs of its class go before it\n";
    const json& eta = object_at(why, "eta");
    if (const std::string likely = when_text(eta, "p50"); !likely.empty()) {
        text += "likely to start " + likely;
        const std::string late = when_text(eta, "p90");
        if (!late.empty() && late != likely) text += ", nine times in ten by " + late;
        if (const std::string basis = text_at(eta, "basis"); !basis.empty())
            text += " (" + harmless(basis) + ")";
        text += "\n";
    }
    for (const json& change : array_at(why, "would_start_if")) {
        text += "would start if: " + harmless(text_at(change, "action"));
        if (const std::string effect = text_at(change, "effect"); !effect.empty())
            text += " -> " + harmless(effect);
        if (const std::string cost = text_at(change, "cost"); !cost.empty()) text += "; " + harmless(cost);
        text += "\n";
    }
    return text;
}

}  // namespace nightshift::cli
