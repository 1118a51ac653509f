#pragma once

#include <array>

#include "kernels/compat_features.h"

/// Where the columns of compat_features.h lie in a row: three of each surrogate, three metrics, shapes of
/// series, changes, spectra. The same on every device.
namespace nightshift::kernels {

inline constexpr int kSurrogates = 6;
enum Surrogate { kStrain, kStress, kImpact, kCurvature, kAcceleration, kSpeed };

// Spectra come in the order of the moments.
inline constexpr std::array<int, 3> kMomentSources{kAcceleration, kCurvature, kStrain};
inline constexpr std::array<int, 2> kSpectrumSources{kAcceleration, kCurvature};

inline constexpr int kMetricsColumn = 3 * kSurrogates;
inline constexpr int kShapeColumn = kCompatBaseColumns;     ///< four a moment source
inline constexpr int kChangeColumn = kShapeColumn + 12;     ///< three for each mean and maximum
inline constexpr int kSpectrumColumn = kCompatColumns - 6;  ///< three a spectrum source

}  // namespace nightshift::kernels
