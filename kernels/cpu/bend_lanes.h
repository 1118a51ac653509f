#pragma once

#include <cstddef>

#include "kernels/cpu_variant.h"

namespace nightshift::kernels {

inline constexpr std::size_t kBendLanes = 8;
/// Share of the largest bend beyond which nothing pulls, and the shortest time a drive takes.
inline constexpr double kPullMost = 1.12, kDriveSpanMin = .1;

/// Parameters of the model of bend_dynamics.h, eight sets of them beside each other.
struct BendLanes {
    double gain[kBendLanes], rate[kBendLanes], begin[kBendLanes], end[kBendLanes], snap[kBendLanes];
    double amplitude[kBendLanes];  ///< of the shock
};

/// What depends on the frames alone, [frames]; no shock where shock_frame is negative.
struct BendClock {
    const double* share;
    const double* bump;
    const double* fading;
    std::size_t frames;  ///< at least 6
    int shock_frame;
};

/// theta(t) of every lane; out and work [frames, kBendLanes]. Lanes do not depend on each other, and their
/// bits are those of one lane alone with any variant.
using FollowBend = void (*)(const BendLanes& lanes, const BendClock& clock, double* work, double* out);
FollowBend follow_bend(CpuVariant variant);

}  // namespace nightshift::kernels
