#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "kernels/track_view.h"

namespace nightshift::kernels {

/// Places along the panel where its direction is looked at: share .05 .. .95 of the length, every .01.
inline constexpr int kPlaces = 91;
inline constexpr double kPlaceFirst = .05, kPlaceStep = .01;
inline double place_share(int place) {
    return kPlaceFirst + kPlaceStep * place;
}

/// Tracks with outliers pulled in and gaps filled, in pixels, and how well each frame was seen.
struct CleanTracks {
    int points = 0, frames = 0;
    std::vector<double> x, y;      ///< [frames, points]
    std::vector<double> noise_px;  ///< [frames] robust standard deviation of a coordinate
    double outlier_rate = 0;       ///< share of points beyond three standard deviations

    std::size_t at(int frame, int point) const {
        return static_cast<std::size_t>(frame) * static_cast<std::size_t>(points) +
               static_cast<std::size_t>(point);
    }
};
CleanTracks clean_tracks(const TrackView& tracks);

/// phi(s, t) = a(t) + c(s) + theta(t) Omega(s), frames weighted by 1 / noise^2.
struct PanelShape {
    int frames = 0;
    std::vector<double> angle;                     ///< [frames, kPlaces] tangent angles, rad, unwrapped
    std::vector<double> weight;                    ///< [frames] relative, mean 1
    std::vector<double> theta, rotation;           ///< [frames] rad
    std::array<double, kPlaces> omega{}, still{};  ///< Omega (mean slope 1 along the panel) and c
    double residual = 0;                           ///< weighted standard deviation of what is left, rad

    double phi(int frame, int place) const {
        return angle[static_cast<std::size_t>(frame) * kPlaces + static_cast<std::size_t>(place)];
    }
    double left(int frame, int place) const {
        const auto f = static_cast<std::size_t>(frame);
        const auto j = static_cast<std::size_t>(place);
        return phi(frame, place) - rotation[f] - still[j] - theta[f] * omega[j];
    }
};
PanelShape fit_shape(const CleanTracks& tracks);

/// 1.4826 x median of absolute values; 0 for none. Its argument is theirs afterwards, in some order.
double robust_deviation(std::vector<double>& values);

}  // namespace nightshift::kernels
