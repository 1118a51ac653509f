#include "jobs/models/dream_anomaly.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace nightshift::jobs {
namespace {

struct Group {
    std::string_view word;
    float low, span;
    std::array<std::string_view, 3> statistics;  ///< empty words are not looked for
};

constexpr std::array<Group, 5> kGroups{{
    {"acceleration", 1.2F, 0.6F, {"max", "std", "mean"}},
    {"curvature", 1.15F, 0.35F, {"max", "concentration", "mean"}},
    {"strain", 1.1F, 0.3F, {"max", "std", "mean"}},
    {"impact", 1.3F, 0.7F, {"max", "mean", ""}},
    {"speed", 1.1F, 0.2F, {"std", "mean", ""}},
}};

bool contains(const std::string& name, std::string_view word) {
    return name.find(word) != std::string::npos;
}

std::vector<std::int64_t> columns_of(const Group& group, const std::vector<std::string>& features) {
    std::vector<std::int64_t> all, narrowed;
    for (std::size_t j = 0; j < features.size(); ++j) {
        std::string lower = features[j];
        std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) {
            return c < 0x80 ? static_cast<char>(std::tolower(c)) : static_cast<char>(c);
        });
        if (!contains(lower, group.word)) continue;
        all.push_back(static_cast<std::int64_t>(j));
        const bool is_statistic =
            std::any_of(group.statistics.begin(), group.statistics.end(),
                        [&](auto word) { return !word.empty() && contains(lower, word); });
        if (is_statistic) narrowed.push_back(static_cast<std::int64_t>(j));
    }
    return narrowed.empty() ? all : narrowed;
}

}  // namespace

DreamAnomaly::DreamAnomaly(const std::vector<std::string>& features)
    : columns_(static_cast<std::int64_t>(features.size())) {
    for (const Group& group : kGroups) {
        for (const std::int64_t column : columns_of(group, features)) {
            scalings_.push_back({column, group.low, group.span});
        }
    }
    is_fallback_ = scalings_.empty();
    if (!is_fallback_) return;
    for (std::int64_t j = 0; j < columns_; ++j) {
        scalings_.push_back(j < columns_ / 2 ? Scaling{j, 1.1F, 0.3F} : Scaling{j, 1.05F, 0.15F});
    }
}

void DreamAnomaly::apply(std::span<const float> clean, std::span<const float> uniforms,
                         std::span<float> anomalous, std::span<float> labels) const {
    kernels::dream_anomalies(clean, uniforms, scalings_, columns_, anomalous, labels);
}

}  // namespace nightshift::jobs
