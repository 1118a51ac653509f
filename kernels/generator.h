#pragma once

#include <cstdint>
#include <span>

#include "kernels/backend.h"
#include "kernels/track_plan.h"

namespace nightshift::kernels {

/// Where the tracks of one plan go: frames x points values, frame-major, in 1/units_per_pixel pixels.
struct TrackPlanes {
    std::int16_t* x;
    std::int16_t* y;
};

/// Draws the tracks of one plan: bends the panel, adds noise from Philox (element = point p and p +
/// ceil(P/2), frame, draw kind, stream), clips, rounds half to even. Nothing is written for a plan without
/// points or frames; a coordinate that is no number lies at 0. Any thread. Throws std::invalid_argument on a
/// plan that make_plan would not give: above kGeneratePointsMax points, a picture whose edges do not fit,
/// directions beyond kSincosRadiansMax. Source: own derivation after the public reference's generator; scale
/// jitter is about the clamped end.
void generate_tracks_cpu(const TrackPlan& plan, TrackPlanes out);

/// Many plans at once: all are looked at before the first is drawn, and one that does not fit is refused as
/// above, as are more or fewer destinations than plans.
void generate_tracks_cpu(std::span<const TrackPlan> plans, std::span<const TrackPlanes> out, int threads);

/// The same bits on a CUDA device; blocks until the tracks are on the host. Throws DeviceError. Tolerance
/// against the CPU reference: none, equal bits.
void generate_tracks_cuda(Backend& backend, std::span<const TrackPlan> plans,
                          std::span<const TrackPlanes> out);

/// Where the backend is.
void generate_tracks(Backend& backend, std::span<const TrackPlan> plans, std::span<const TrackPlanes> out);

}  // namespace nightshift::kernels
