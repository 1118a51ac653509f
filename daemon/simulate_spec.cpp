#include "daemon/simulate_spec.h"

#include <charconv>
#include <string>

namespace nightshift::daemon {

namespace {

Error bad_part(std::string_view part, const std::string& why) {
    return {ErrorCode::kInvalidArgument, "bad_simulate",
            "--simulate: \"" + std::string(part) + "\" was not understood: " + why,
            "Write it like gpu=8GiB,gpu=12GiB,foreign=1GiB@10s-60s,temp=70.", ""};
}

Status read_foreign(std::string_view part, std::string_view value, SimulateSpec& spec) {
    SimulateSpec::Foreign foreign;
    const std::size_t at = value.find('@');
    const auto bytes = parse_bytes(value.substr(0, at));
    if (!bytes) return bad_part(part, bytes.error().message);
    foreign.bytes = *bytes;
    if (at != std::string_view::npos) {
        const std::string_view times = value.substr(at + 1);
        const std::size_t dash = times.find('-');
        const auto from = parse_duration(times.substr(0, dash));
        if (!from) return bad_part(part, from.error().message);
        foreign.from = *from;
        if (dash != std::string_view::npos) {
            const auto to = parse_duration(times.substr(dash + 1));
            if (!to) return bad_part(part, to.error().message);
            if (*to <= *from) return bad_part(part, "it ends before it begins.");
            foreign.to = *to;
        }
    }
    spec.foreign.push_back(foreign);
    return {};
}

Status read_part(std::string_view part, SimulateSpec& spec) {
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) return bad_part(part, "it has no \"=\".");
    const std::string_view key = part.substr(0, equals);
    const std::string_view value = part.substr(equals + 1);
    if (key == "gpu") {
        const auto bytes = parse_bytes(value);
        if (!bytes) return bad_part(part, bytes.error().message);
        if (bytes->value <= 0) return bad_part(part, "a GPU needs some memory.");
        if (spec.gpus.size() == kSimulatedGpusMax) return bad_part(part, "there are 16 GPUs already.");
        spec.gpus.push_back(*bytes);
        return {};
    }
    if (key == "foreign") return read_foreign(part, value, spec);
    if (key == "temp") {
        double celsius = 0;
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), celsius);
        if (error != std::errc() || end != value.data() + value.size() || celsius < -50 || celsius > 150) {
            return bad_part(part, "a temperature is a number of degrees Celsius.");
        }
        spec.temperature_c = celsius;
        return {};
    }
    return bad_part(part, "the known keys are gpu, foreign and temp.");
}

}  // namespace

Result<SimulateSpec> parse_simulate(std::string_view text) {
    SimulateSpec spec;
    while (!text.empty()) {
        const std::size_t comma = text.find(',');
        NIGHTSHIFT_TRY(read_part(text.substr(0, comma), spec));
        if (comma == std::string_view::npos) break;
        text.remove_prefix(comma + 1);
    }
    if (spec.gpus.empty()) return bad_part(text, "it names no GPU.");
    return spec;
}

Bytes SimulateSpec::foreign_at(Millis since_start) const {
    Bytes sum;
    for (const Foreign& entry : foreign) {
        if (since_start >= entry.from && (!entry.to || since_start < *entry.to)) sum += entry.bytes;
    }
    return sum;
}

std::optional<Millis> SimulateSpec::next_change(Millis since_start) const {
    std::optional<Millis> next;
    const auto offer = [&](Millis at) {
        if (at > since_start && (!next || at < *next)) next = at;
    };
    for (const Foreign& entry : foreign) {
        offer(entry.from);
        if (entry.to) offer(*entry.to);
    }
    return next;
}

}  // namespace nightshift::daemon
