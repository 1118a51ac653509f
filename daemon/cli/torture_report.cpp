#include "daemon/cli/torture_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "daemon/cli/table.h"
#include "daemon/cli/text.h"

namespace nightshift::cli {

using nlohmann::json;

namespace {

constexpr std::array<PromiseWords, kPromises> kWords = {{
    {"stored", "what was acknowledged is stored, once"},
    {"runs_once", "every job ran to its end once"},
    {"true_end", "every end is recorded, with the true exit code"},
    {"process", "no attempt without its process, no process left over"},
    {"events", "events have no gaps; one beginning and one end a job"},
    {"invariants", "every invariant of the stored data holds"},
    {"whole_moment", "a cut or torn log opens as one whole moment"},
    {"comes_back", "the daemon comes back after every end"},
}};

std::string milliseconds_text(double value) {
    char text[32];
    std::snprintf(text, sizeof text, value < 10 ? "%.2f ms" : "%.1f ms", value);
    return text;
}

}  // namespace

PromiseWords words_of(Promise promise) {
    return kWords[static_cast<std::size_t>(promise)];
}

double percentile(std::vector<double> values, double part) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    const double rank = std::ceil(part * static_cast<double>(values.size()));
    const auto index = static_cast<std::size_t>(std::max(1.0, rank)) - 1;
    return values[std::min(index, values.size() - 1)];
}

void TortureReport::held(Promise promise, std::int64_t times) {
    const std::lock_guard lock(mutex_);
    promises_[static_cast<std::size_t>(promise)].checked += times;
}

void TortureReport::broke(Promise promise, const std::string& text) {
    const std::lock_guard lock(mutex_);
    Tally& tally = promises_[static_cast<std::size_t>(promise)];
    ++tally.checked;
    ++tally.broken;
    if (tally.examples.size() < kExamplesMax) tally.examples.push_back(text);
}

void TortureReport::did(const std::string& what, std::int64_t times) {
    const std::lock_guard lock(mutex_);
    done_[what] += times;
}

void TortureReport::skipped(const std::string& what, const std::string& reason) {
    const std::lock_guard lock(mutex_);
    skipped_[what] = reason;
}

void TortureReport::measured(const std::string& figure, double milliseconds) {
    const std::lock_guard lock(mutex_);
    std::vector<double>& samples = figures_[figure];
    if (samples.size() < kSamplesMax) samples.push_back(milliseconds);
}

bool TortureReport::is_whole() const {
    const std::lock_guard lock(mutex_);
    return std::all_of(promises_.begin(), promises_.end(),
                       [](const Tally& tally) { return tally.broken == 0; });
}

std::int64_t TortureReport::count_of(const std::string& what) const {
    const std::lock_guard lock(mutex_);
    const auto found = done_.find(what);
    return found == done_.end() ? 0 : found->second;
}

json TortureReport::object() const {
    json object = {{"ok", is_whole()}, {"promises", json::array()}};
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < promises_.size(); ++i) {
        const Tally& tally = promises_[i];
        object["promises"].push_back({{"name", kWords[i].code},
                                      {"text", kWords[i].text},
                                      {"checked", tally.checked},
                                      {"broken", tally.broken},
                                      {"examples", tally.examples}});
    }
    object["done"] = done_;
    object["skipped"] = skipped_;
    object["figures"] = json::object();
    for (const auto& [name, samples] : figures_) {
        object["figures"][name] = {{"p50_ms", percentile(samples, 0.50)},
                                   {"p99_ms", percentile(samples, 0.99)},
                                   {"samples", samples.size()}};
    }
    return object;
}

std::string TortureReport::text() const {
    const std::lock_guard lock(mutex_);
    Table promises, figures;
    promises.columns = {{"PROMISE"}, {"CHECKED", Align::kRight}, {"BROKEN", Align::kRight}};
    std::string broken;
    for (std::size_t i = 0; i < promises_.size(); ++i) {
        const Tally& tally = promises_[i];
        promises.rows.push_back(
            {kWords[i].text, std::to_string(tally.checked), std::to_string(tally.broken)});
        for (const std::string& example : tally.examples)
            broken += std::string("broken: ") + kWords[i].text + ": " + harmless(example) + "\n";
    }
    figures.columns = {
        {"THIS MACHINE"}, {"P50", Align::kRight}, {"P99", Align::kRight}, {"SAMPLES", Align::kRight}};
    for (const auto& [name, samples] : figures_) {
        figures.rows.push_back({name, milliseconds_text(percentile(samples, 0.50)),
                                milliseconds_text(percentile(samples, 0.99)),
                                std::to_string(samples.size())});
    }
    std::string text = to_text(promises, Format::kText) + "\n" + to_text(figures, Format::kText) + "\n";
    for (const auto& [what, times] : done_) text += pad_left(std::to_string(times), 7) + "  " + what + "\n";
    for (const auto& [what, reason] : skipped_) text += "skipped  " + what + ": " + reason + "\n";
    return text + broken;
}

}  // namespace nightshift::cli
