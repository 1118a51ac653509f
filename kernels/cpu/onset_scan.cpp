#include "kernels/cpu/onset_scan.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/panel_loops.h"

namespace nightshift::kernels {

namespace {

constexpr int kEdgeFrames = 5;       ///< an onset needs frames before and after it
constexpr double kBentEnough = .08;  ///< share of the largest angle before which a step is the bend itself
constexpr int kFarPlaces = 12;       ///< "another place" is at least that far away

using Series = std::vector<double>;

double dot(const Series& a, const Series& b, const Series& weights) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += weights[i] * a[i] * b[i];
    return sum;
}

/// Takes the components along an orthonormal basis out of a series.
void project_out(Series& series, const std::vector<Series>& basis, const Series& weights) {
    for (const Series& direction : basis) {
        const double share = dot(series, direction, weights);
        for (std::size_t i = 0; i < series.size(); ++i) series[i] -= share * direction[i];
    }
}

std::vector<Series> orthonormal(std::vector<Series> columns, const Series& weights) {
    std::vector<Series> basis;
    for (Series& column : columns) {
        const double before = std::sqrt(dot(column, column, weights));
        project_out(column, basis, weights);
        const double norm = std::sqrt(dot(column, column, weights));
        if (norm < 1e-6 * before || norm < 1e-12) continue;
        for (double& value : column) value /= norm;
        basis.push_back(std::move(column));
    }
    return basis;
}

}  // namespace

OnsetMap map_onset(const PanelShape& s, Arms arms, bool with_yield) {
    const auto frames = static_cast<std::size_t>(s.frames);
    std::vector<Series> columns{Series(frames, 1.0), s.theta};
    if (with_yield) {
        Series square(frames);
        for (std::size_t f = 0; f < frames; ++f) square[f] = s.theta[f] * s.theta[f];
        columns.push_back(std::move(square));
    }
    const std::vector<Series> basis = orthonormal(std::move(columns), s.weight);
    // Residual bends of every place, [frames, places], and the pooled standard error of one of them.
    const PanelLoops loops = panel_loops(cpu_variant());
    OnsetMap out;
    out.places = kPlaces - 2 * arms.far;
    const auto places = static_cast<std::size_t>(out.places);
    std::vector<double> bends(frames * places), work(places);
    for (std::size_t f = 0; f < frames; ++f) {
        loops.bends(s.angle.data() + f * kPlaces, static_cast<std::size_t>(arms.far),
                    static_cast<std::size_t>(arms.near), static_cast<std::size_t>(arms.far),
                    bends.data() + f * places, places);
    }
    for (const Series& direction : basis) {
        loops.project_out(bends.data(), direction.data(), s.weight.data(), frames, places, work.data());
    }
    std::vector<double> pool(bends);
    for (std::size_t f = 0; f < frames; ++f) {
        const double root = std::sqrt(s.weight[f]);
        for (std::size_t j = 0; j < places; ++j) pool[f * places + j] *= root;
    }
    out.error = std::max(robust_deviation(pool), 1e-6);
    out.place_first = arms.far;
    out.first = kEdgeFrames;
    out.last = s.frames - kEdgeFrames;
    out.z.assign(frames * places, 0);
    out.norm.assign(frames, 0);
    const double bent = kBentEnough * *std::max_element(s.theta.begin(), s.theta.end());
    for (int tau = out.first; tau < out.last; ++tau) {
        const auto t = static_cast<std::size_t>(tau);
        if (s.theta[t] < bent) continue;
        Series step(frames, 0.0);
        for (std::size_t f = t; f < frames; ++f) step[f] = s.theta[f];
        project_out(step, basis, s.weight);
        const double norm = std::sqrt(dot(step, step, s.weight));
        if (norm < 1e-6) continue;
        out.norm[t] = norm;
        for (std::size_t f = 0; f < frames; ++f) step[f] *= s.weight[f];
        double* z = out.z.data() + t * places;
        loops.weighted_sums(bends.data(), step.data(), frames, places, z);
        for (std::size_t j = 0; j < places; ++j) z[j] /= norm * out.error;
    }
    return out;
}

OnsetScan scan_onset(const PanelShape& s, Arms arms, bool with_yield) {
    const OnsetMap map = map_onset(s, arms, with_yield);
    const auto frames = static_cast<std::size_t>(s.frames);
    OnsetScan out;
    out.first = map.first;
    out.last = map.last;
    out.z.assign(frames, 0);
    out.height.assign(frames, 0);
    out.place.assign(frames, 0);
    for (int tau = out.first; tau < out.last; ++tau) {
        const auto t = static_cast<std::size_t>(tau);
        if (map.norm[t] == 0) continue;
        for (int j = 0; j < map.places; ++j) {
            const double z = map.at(tau, j);
            out.least_z = std::min(out.least_z, z);
            if (z > out.z[t]) {
                out.z[t] = z;
                out.height[t] = z * map.error / map.norm[t];
                out.place[t] = j + arms.far;
            }
        }
        if (out.z[t] > out.best_z) {
            out.best_z = out.z[t];
            out.best_height = out.height[t];
            out.best_frame = tau;
            out.best_place = out.place[t];
            out.elsewhere_z = 0;
            for (int j = 0; j < map.places; ++j) {
                if (std::abs(j + arms.far - out.best_place) < kFarPlaces) continue;
                out.elsewhere_z = std::max(out.elsewhere_z, map.at(tau, j));
            }
        }
    }
    return out;
}

}  // namespace nightshift::kernels
