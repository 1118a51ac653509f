#include "kernels/cpu/compat_risk.h"

#include <algorithm>
#include <cmath>

namespace nightshift::kernels {

namespace {

constexpr double kExponentMax = 700;

/// Of each frame: what strain and risk take from it.
struct Frames {
    std::vector<double> largest, inverse, bound, concentration, angle;

    explicit Frames(std::size_t n) : largest(n), inverse(n), bound(n), concentration(n), angle(n) {}
    FrameTerms terms() const {
        return {largest.data(), inverse.data(), bound.data(), concentration.data(), angle.data()};
    }
};

Frames frames_of(const TrackView& t, const FrameMetrics* metrics, const CompatRisk& r,
                 const std::vector<std::size_t>& starts, const CompatLoops& loops, const CompatVectors& v) {
    const auto count = static_cast<std::size_t>(t.frames);
    Frames out(count);
    for (std::size_t p = 0; p + 1 < starts.size(); ++p) {
        if (starts[p + 1] - starts[p] == count) {
            loops.widen(v.curvature_like.data() + starts[p], out.largest.data(), count);
            continue;
        }
        for (std::size_t i = starts[p]; i < starts[p + 1]; ++i) {
            double& largest = out.largest[static_cast<std::size_t>(v.frame[i])];
            largest = std::max(largest, v.curvature_like[i]);
        }
    }
    for (std::size_t f = 0; f < count; ++f) {
        const double concentration = metrics == nullptr ? 1 : metrics->curvature_concentration[f];
        const double angle = metrics == nullptr ? 0 : metrics->bend_angle_deg[f];
        out.inverse[f] = 1 / out.largest[f];
        out.bound[f] = metrics == nullptr ? 0 : std::max(metrics->est_max_strain[f], 0.0);
        out.concentration[f] = r.concentration_weight * std::min(1.0, concentration / r.concentration_cap);
        out.angle[f] = r.angle_weight * std::min(1.0, angle / r.angle_cap_deg);
    }
    return out;
}

double sum_of_weights(const CompatRisk& r) {
    return r.strain_weight + r.stress_weight + r.concentration_weight + r.angle_weight + r.impact_weight;
}

/// Whether exponents stay where the loop's exponential is at home.
bool is_usual_risk(const RiskTerms& r, const Frames& frames) {
    double most = std::abs(r.strain_weight) + std::abs(r.stress_weight) + std::abs(r.impact_weight);
    double of_frames = 0;
    for (std::size_t f = 0; f < frames.angle.size(); ++f)
        of_frames = std::max(of_frames, std::abs(frames.concentration[f]) + std::abs(frames.angle[f]));
    most = (most + of_frames) / std::abs(r.weights) + std::abs(r.centre);
    return std::abs(r.steepness) * most < kExponentMax && is_usual(r.strain_cap) && is_usual(r.impact_cap) &&
           is_usual(std::abs(r.weights));
}

/// Row by row, where exponents are beyond what the loop's exponential takes, or caps are odd.
void add_odd_risk(const FrameMetrics* metrics, const CompatRisk& risk, const Frames& frames,
                  CompatVectors& v) {
    for (std::size_t i = 0; i < v.rows(); ++i) {
        const auto f = static_cast<std::size_t>(v.frame[i]);
        const double largest = frames.largest[f];
        v.strain[i] = largest > 0 ? v.curvature_like[i] / largest * frames.bound[f] : 0;
        v.crack_risk[i] =
            compat_risk(v.strain[i], metrics == nullptr ? 1 : metrics->curvature_concentration[f],
                        metrics == nullptr ? 0 : metrics->bend_angle_deg[f], v.acceleration[i], risk);
    }
}

void add_risk(const std::vector<std::size_t>& starts, const RiskTerms& terms, const Frames& frames,
              const CompatLoops& loops, const CompatColumns& c, const CompatVectors& v) {
    const std::size_t count = frames.largest.size();
    Frames some(count);  // of a point that is not in every frame
    for (std::size_t p = 0; p + 1 < starts.size(); ++p) {
        const std::size_t first = starts[p], rows = starts[p + 1] - first;
        if (rows == count) {
            loops.add_risk(terms, frames.terms(), c, first, rows);
            continue;
        }
        for (std::size_t i = 0; i < rows; ++i) {
            const auto f = static_cast<std::size_t>(v.frame[first + i]);
            some.largest[i] = frames.largest[f];
            some.inverse[i] = frames.inverse[f];
            some.bound[i] = frames.bound[f];
            some.concentration[i] = frames.concentration[f];
            some.angle[i] = frames.angle[f];
        }
        loops.add_risk(terms, some.terms(), c, first, rows);
    }
}

}  // namespace

double compat_risk(double strain, double concentration, double angle, double acceleration,
                   const CompatRisk& r) {
    const auto part = [](double weight, double value, double cap) {
        return weight * std::min(1.0, value / cap);
    };
    const double z =
        (part(r.strain_weight, strain, r.strain_cap) + part(r.stress_weight, strain, r.strain_cap) +
         part(r.concentration_weight, concentration, r.concentration_cap) +
         part(r.angle_weight, angle, r.angle_cap_deg) + part(r.impact_weight, acceleration, r.impact_cap)) /
        sum_of_weights(r);
    return 1 / (1 + std::exp(-r.steepness * (z - r.centre)));
}

void add_strain_and_risk(const TrackView& tracks, const FrameMetrics* metrics, const CompatRisk& risk,
                         const std::vector<std::size_t>& starts, const CompatLoops& loops, bool is_plain,
                         const CompatColumns& columns, CompatVectors& out) {
    const RiskTerms terms{risk.strain_cap,    risk.impact_cap,      risk.strain_weight, risk.stress_weight,
                          risk.impact_weight, sum_of_weights(risk), risk.steepness,     risk.centre};
    const Frames frames = frames_of(tracks, metrics, risk, starts, loops, out);
    if (is_plain && is_usual_risk(terms, frames))
        add_risk(starts, terms, frames, loops, columns, out);
    else
        add_odd_risk(metrics, risk, frames, out);
}

}  // namespace nightshift::kernels
