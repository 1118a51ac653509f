#pragma once

#include <span>
#include <vector>

#include "kernels/compat_features.h"

namespace nightshift::kernels {

inline constexpr double kSeriesTiny = 1e-9;  ///< the reference's, of deviations and shares of a spectrum
/// Samples below which the reference gives zeros: for moments, and for the spectrum.
inline constexpr std::size_t kShapeFrames = 3, kSpectrumFrames = 10;

/// Cosine and sine of i / n of a turn, for every i below n: spectra of series of one length share them.
struct Turns {
    explicit Turns(std::size_t n);
    std::vector<double> cosines, sines;
};

/// Skewness, kurtosis and correlations; the rest of `out` stays as it is.
void add_moments(std::span<const double> series, SeriesStatistics& out);
/// The three figures of the spectrum. turns: of the series' length, or any where it is too short for spectra.
void add_spectrum(std::span<const double> series, double fps, const Turns& turns, SeriesStatistics& out);

}  // namespace nightshift::kernels
