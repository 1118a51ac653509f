#pragma once

#include <cstddef>

#include "kernels/cpu_variant.h"

namespace nightshift::kernels {

inline constexpr double kSpeedFloor = 1e-6;  ///< the reference's, px/s

/// Far inside of what the squares of speeds can hold, and of what divisions by refinement can.
inline bool is_usual(double value) {
    return value > 1e-9 && value < 1e9;
}

/// Where each column of CompatVectors is, not owned; all [rows].
struct CompatColumns {
    const double *x, *y;
    double *dx, *dy, *vx, *vy, *speed, *dvx, *dvy, *ax, *ay, *acceleration, *curvature_like, *strain, *impact,
        *crack_risk;
};

/// How a row's risk is weighed, the same in all rows: CompatRisk's, and the sum of its weights.
struct RiskTerms {
    double strain_cap, impact_cap, strain_weight, stress_weight, impact_weight, weights, steepness, centre;
};

/// For each of a run of rows: largest curvature of its frame, 1 over it, the strain where it is largest, and
/// the weighted terms of concentration and angle.
struct FrameTerms {
    const double *largest, *inverse, *bound, *concentration, *angle;
};

/// The loops of compat_vectors, compiled for one CPU variant. Rows first .. last - 1; the row before `first`
/// must be there for steps and changes. Squares of velocities must neither overflow nor vanish (but steps and
/// changes of the scalar variant).
struct CompatLoops {
    void (*add_steps)(double dt, const CompatColumns&, std::size_t first, std::size_t last);
    void (*add_changes)(double dt, const CompatColumns&, std::size_t first, std::size_t last);
    void (*add_lengths)(double dt, const CompatColumns&, std::size_t first, std::size_t last);
    /// largest = the larger of both, element by element.
    void (*widen)(const double* values, double* largest, std::size_t count);
    /// Strain and risk of rows first .. first + count - 1, each with its own frame terms. Exponents must stay
    /// within 700 of 0.
    void (*add_risk)(const RiskTerms&, const FrameTerms&, const CompatColumns&, std::size_t first,
                     std::size_t count);
};
CompatLoops compat_loops(CpuVariant variant);

}  // namespace nightshift::kernels
