#pragma once

#include <array>
#include <vector>

namespace nightshift::kernels {

/// How theta(t) follows its drive: theta += alpha (end S((t - begin) / (finish - begin)) + snap - theta).
struct BendModel {
    double end = 3;        ///< rad
    double alpha = .14;
    double begin = 0, finish = 1;   ///< of the drive, share of the sequence
    double snap = 0;       ///< share of `end`
};

/// A fit of theta(t), and the scan for a moment from which theta follows faster (a shock).
struct BendDynamics {
    BendModel model;
    double error = 0;                   ///< rad, robust standard error of a frame
    double misfit = 0;                  ///< weighted rms of the residual, rad
    std::vector<double> residual;       ///< [frames] rad
    std::vector<double> shock_z;        ///< [frames] signed, standard errors; the smooth parameters are free
    double best_z = 0, best_amplitude = 0;
    int best_frame = 0;
    double second_z = 0;                ///< best at least six frames away
    double snap_gain = 0;               ///< log ratio of misfits without and with snap
    double delay_gain = 0;              ///< the same for a drive that begins at 0
};

/// theta [frames] rad with relative weights. Any thread; about 0.5 ms for 60 frames.
BendDynamics fit_dynamics(const std::vector<double>& theta, const std::vector<double>& weights);

}  // namespace nightshift::kernels
