#include "kernels/cpu/bend_dynamics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include <Eigen/Dense>

#include "kernels/cpu/bend_lanes.h"
#include "kernels/cpu/panel_shape.h"

namespace nightshift::kernels {

namespace {

constexpr int kParameters = 5;
constexpr int kIterations = 14;
constexpr double kShockDecay = .2;  ///< middle of the decays that occur
constexpr int kShockEdge = 4;
constexpr int kApart = 6;
constexpr double kSnapCentre = .72, kSnapWidth = .09;

using Vector = Eigen::VectorXd;
using Parameters = Eigen::Matrix<double, kParameters, 1>;

double smooth_step(double u) {
    const double x = std::clamp(u, 0.0, 1.0);
    return x * x * (3 - 2 * x);
}

/// What depends on the frames alone: the bump of a snap, and how a shock fades.
struct Clock {
    explicit Clock(int frames) : share(frames), bump(frames), fading(frames) {
        for (int f = 0; f < frames; ++f) {
            share[f] = static_cast<double>(f) / (frames - 1);
            const double z = (share[f] - kSnapCentre) / kSnapWidth;
            bump[f] = std::exp(-z * z);
            fading[f] = std::exp(-kShockDecay * f);
        }
    }
    int frames() const { return static_cast<int>(share.size()); }
    Vector share, bump, fading;
};

Vector drive(const Parameters& p, const Clock& clock) {
    const int frames = clock.frames();
    Vector raw(frames), out(frames);
    for (int f = 0; f < frames; ++f) {
        raw[f] = std::clamp(smooth_step((clock.share[f] - p[2]) / std::max(p[3] - p[2], kDriveSpanMin)) +
                                p[4] * clock.bump[f],
                            0.0, kPullMost);
    }
    for (int f = 0; f < frames; ++f) {
        const int first = std::max(f - 2, 0), last = std::min(f + 2, frames - 1);
        out[f] = raw.segment(first, last - first + 1).mean();
    }
    return out;
}

/// theta(t); a shock of an amplitude from a frame on makes it follow faster for a while.
Vector simulate(const Parameters& p, const Clock& clock, const Vector& pull, int shock_frame,
                double amplitude) {
    Vector out(pull.size());
    double theta = 0;
    for (int f = 0; f < pull.size(); ++f) {
        const double shock =
            shock_frame >= 0 && f >= shock_frame ? amplitude * clock.fading[f - shock_frame] : 0;
        theta += std::min(p[1] * (1 + shock), 1.0) * (p[0] * pull[f] - theta);
        out[f] = theta;
    }
    return out;
}

/// Levenberg-Marquardt over the free parameters and, with a shock frame, its amplitude.
struct Fit {
    Parameters p = Parameters::Zero();
    double amplitude = 0;
    double cost = 0;  ///< weighted sum of squares
};

/// Weighted misfit of a fit, and the model's weighted derivatives, one column a free parameter.
struct Slopes {
    Vector rest;
    Eigen::MatrixXd jacobian;
};

class Fitter {
  public:
    Fitter(const Vector& theta, const Vector& weights)
        : clock_(static_cast<int>(theta.size())),
          theta_(theta),
          root_(weights.cwiseSqrt()),
          work_(theta.size() * kLanes),
          lanes_(theta.size() * kLanes) {}

    const Clock& clock() const { return clock_; }

    /// The fit and its neighbours, each with one parameter moved, run beside each other.
    void look(const Fit& fit, int shock_frame, const std::vector<int>& free, Slopes& out) const {
        std::array<Fit, kBendLanes> fits;
        fits.fill(fit);
        for (std::size_t k = 0; k < free.size(); ++k) fits[k + 1].p[free[k]] += kStep;
        if (shock_frame >= 0) fits[free.size() + 1].amplitude += kStep;
        BendLanes lanes;
        for (std::size_t l = 0; l < kBendLanes; ++l) {
            lanes.gain[l] = fits[l].p[0], lanes.rate[l] = fits[l].p[1];
            lanes.begin[l] = fits[l].p[2], lanes.end[l] = fits[l].p[3], lanes.snap[l] = fits[l].p[4];
            lanes.amplitude[l] = fits[l].amplitude;
        }
        follow_(lanes,
                {clock_.share.data(), clock_.bump.data(), clock_.fading.data(),
                 static_cast<std::size_t>(theta_.size()), shock_frame},
                work_.data(), lanes_.data());
        const auto columns = static_cast<Eigen::Index>(free.size()) + (shock_frame >= 0 ? 1 : 0);
        out.rest.resize(theta_.size());
        out.jacobian.resize(theta_.size(), columns);
        for (Eigen::Index f = 0; f < theta_.size(); ++f) {
            const double* row = lanes_.data() + f * kLanes;
            const double here = (theta_[f] - row[0]) * root_[f];
            out.rest[f] = here;
            for (Eigen::Index k = 0; k < columns; ++k)
                out.jacobian(f, k) = (here - (theta_[f] - row[k + 1]) * root_[f]) / kStep;
        }
    }

    Fit run(Fit fit, int shock_frame, const std::vector<int>& free) const {
        double damping = 1e-3;
        Slopes here, there;
        look(fit, shock_frame, free, here);
        fit.cost = here.rest.squaredNorm();
        for (int i = 0; i < kIterations; ++i) {
            const Eigen::MatrixXd& j = here.jacobian;
            Eigen::MatrixXd normal = j.transpose() * j;
            normal.diagonal() *= 1 + damping;
            normal.diagonal().array() += 1e-9;
            const Vector step = normal.ldlt().solve(j.transpose() * here.rest);
            Fit next = fit;
            for (std::size_t k = 0; k < free.size(); ++k)
                next.p[free[k]] += step[static_cast<Eigen::Index>(k)];
            if (shock_frame >= 0) next.amplitude += step[step.size() - 1];
            bound(next);
            look(next, shock_frame, free, there);
            next.cost = there.rest.squaredNorm();
            if (next.cost < fit.cost) {
                const bool is_done = fit.cost - next.cost < 1e-7 * fit.cost;
                fit = next;
                std::swap(here, there);
                damping = std::max(damping * .3, 1e-9);
                if (is_done) break;
            } else {
                damping *= 8;
                if (damping > 1e6) break;
            }
        }
        return fit;
    }

  private:
    static constexpr double kStep = 1e-5;
    static constexpr auto kLanes = static_cast<Eigen::Index>(kBendLanes);

    static void bound(Fit& fit) {
        fit.p[0] = std::clamp(fit.p[0], .2, 6.0);
        fit.p[1] = std::clamp(fit.p[1], .03, .6);
        fit.p[2] = std::clamp(fit.p[2], -.15, .5);
        fit.p[3] = std::clamp(fit.p[3], fit.p[2] + .3, 1.4);
        fit.p[4] = std::clamp(fit.p[4], -.15, .4);
        fit.amplitude = std::clamp(fit.amplitude, -.9, 8.0);
    }

    Clock clock_;
    Vector theta_, root_;
    FollowBend follow_ = follow_bend(cpu_variant());
    mutable Vector work_, lanes_;
};

/// Score of a shock at each frame: its effect with the parts that smooth parameters could explain taken out.
void scan_shocks(const Fitter& fitter, const Fit& fit, const Slopes& slopes, const Vector& weights,
                 BendDynamics& out) {
    const Vector& rest = slopes.rest;
    const Eigen::MatrixXd& smooth = slopes.jacobian;
    const int frames = static_cast<int>(rest.size());
    const Eigen::HouseholderQR<Eigen::MatrixXd> qr(smooth);
    const Eigen::MatrixXd q = qr.householderQ() * Eigen::MatrixXd::Identity(frames, smooth.cols());
    const Vector pull = drive(fit.p, fitter.clock());
    const Vector calm = simulate(fit.p, fitter.clock(), pull, -1, 0);
    const Vector root = weights.cwiseSqrt();
    out.shock_z.assign(static_cast<std::size_t>(frames), 0);
    for (int tau = kShockEdge; tau < frames - kShockEdge; ++tau) {
        Vector effect = (simulate(fit.p, fitter.clock(), pull, tau, .5) - calm).cwiseProduct(root) / .5;
        effect -= q * (q.transpose() * effect);
        const double norm = effect.norm();
        if (norm > 1e-6) out.shock_z[static_cast<std::size_t>(tau)] = effect.dot(rest) / (norm * out.error);
    }
}

}  // namespace

BendDynamics fit_dynamics(const std::vector<double>& theta, const std::vector<double>& weights) {
    const auto frames = static_cast<int>(theta.size());
    const Vector values = Eigen::Map<const Vector>(theta.data(), frames);
    const Vector w = Eigen::Map<const Vector>(weights.data(), frames);
    const Fitter fitter(values, w);
    Fit start;
    start.p << std::max(values.tail(3).mean() * 1.02, .5), .14, .05, 1.0, .03;
    const std::vector<int> all{0, 1, 2, 3, 4};
    const Fit fit = fitter.run(start, -1, all);
    Fit plain = fit, prompt = fit;
    plain.p[4] = 0;
    prompt.p[2] = 0;
    plain = fitter.run(plain, -1, {0, 1, 2, 3});
    prompt = fitter.run(prompt, -1, {0, 1, 3, 4});

    BendDynamics out;
    out.model = {fit.p[0], fit.p[1], fit.p[2], fit.p[3], fit.p[4]};
    Slopes slopes;
    fitter.look(fit, -1, all, slopes);
    const Vector& rest = slopes.rest;
    out.misfit = std::sqrt(rest.squaredNorm() / frames);
    out.residual.resize(theta.size());
    for (int f = 0; f < frames; ++f) out.residual[static_cast<std::size_t>(f)] = rest[f];
    // Second differences see the measuring error but hardly a shock's slow trace.
    std::vector<double> wiggle;
    for (int f = 1; f + 1 < frames; ++f)
        wiggle.push_back((rest[f - 1] - 2 * rest[f] + rest[f + 1]) / std::sqrt(6.0));
    out.error = std::max(robust_deviation(wiggle), 1e-4);
    out.snap_gain = std::log((plain.cost + 1e-9) / (fit.cost + 1e-9));
    out.delay_gain = std::log((prompt.cost + 1e-9) / (fit.cost + 1e-9));

    scan_shocks(fitter, fit, slopes, w, out);
    for (int f = 0; f < frames; ++f) {
        if (out.shock_z[static_cast<std::size_t>(f)] > out.best_z) {
            out.best_z = out.shock_z[static_cast<std::size_t>(f)];
            out.best_frame = f;
        }
    }
    for (int f = 0; f < frames; ++f) {
        if (std::abs(f - out.best_frame) >= kApart)
            out.second_z = std::max(out.second_z, out.shock_z[static_cast<std::size_t>(f)]);
    }
    if (out.best_z <= 0) return out;
    // With the shock in the model its frame and size come out right; without it the rest had bent to it.
    Fit best;
    best.cost = -1;
    for (int tau = std::max(out.best_frame - 2, kShockEdge);
         tau <= std::min(out.best_frame + 2, frames - kShockEdge - 1); ++tau) {
        Fit from = fit;
        from.amplitude = .5;
        const Fit with = fitter.run(from, tau, all);
        if (best.cost < 0 || with.cost < best.cost) {
            best = with;
            out.best_frame = tau;
        }
    }
    out.best_amplitude = best.amplitude;
    out.best_z = std::sqrt(std::max(fit.cost - best.cost, 0.0)) / out.error * (best.amplitude < 0 ? -1 : 1);
    out.model = {best.p[0], best.p[1], best.p[2], best.p[3], best.p[4]};
    return out;
}

}  // namespace nightshift::kernels
