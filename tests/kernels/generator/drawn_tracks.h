#pragma once

#include <cstdint>
#include <vector>

#include "kernels/generator.h"

namespace nightshift::tests {

struct DrawnTracks {
    std::vector<std::int16_t> x, y;
};

inline DrawnTracks tracks_of(const kernels::TrackPlan& plan) {
    DrawnTracks out;
    out.x.resize(plan.points.size() * plan.frames.size());
    out.y.resize(out.x.size());
    kernels::generate_tracks_cpu(plan, {out.x.data(), out.y.data()});
    return out;
}

/// FNV-1a over both planes, going on from `hash`.
inline std::uint64_t hash_of(const DrawnTracks& tracks, std::uint64_t hash = 14695981039346656037ull) {
    for (const auto* plane : {&tracks.x, &tracks.y}) {
        for (const std::int16_t value : *plane)
            hash = (hash ^ static_cast<std::uint16_t>(value)) * 1099511628211ull;
    }
    return hash;
}

}  // namespace nightshift::tests
