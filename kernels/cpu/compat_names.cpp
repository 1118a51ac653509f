#include <array>
#include <string_view>

#include "kernels/compat_features.h"
#include "kernels/cpu/feature_layout.h"

namespace nightshift::kernels {

namespace {

// In the order of the reference's table.
constexpr std::array<std::string_view, kSurrogates> kSurrogateNames{
    "strain_surrogate", "stress_surrogate", "impact_surrogate", "curvature_like", "acceleration", "speed"};

std::vector<std::string> make_columns() {
    std::vector<std::string> names;
    for (const auto name : kSurrogateNames) {
        for (const char* statistic : {"_mean", "_max", "_std"})
            names.push_back(std::string(name) + statistic);
    }
    names.insert(names.end(), {"bend_angle_deg", "curvature_concentration", "est_max_strain"});
    for (const int source : kMomentSources) {
        for (const char* statistic : {"_skewness", "_kurtosis", "_autocorr_lag1", "_autocorr_lag2"}) {
            names.push_back(std::string(kSurrogateNames[static_cast<std::size_t>(source)]) + "_mean" +
                            statistic);
        }
    }
    for (const auto name : kSurrogateNames) {
        for (const char* statistic : {"_mean", "_max"}) {
            for (const char* change : {"_change_rate", "_change_rate_abs", "_change_accel"}) {
                names.push_back(std::string(name) + statistic + change);
            }
        }
    }
    for (const int source : kSpectrumSources) {
        for (const char* statistic : {"_dominant_frequency", "_spectral_power", "_spectral_entropy"}) {
            names.push_back(std::string(kSurrogateNames[static_cast<std::size_t>(source)]) + "_mean" +
                            statistic);
        }
    }
    return names;
}

}  // namespace

const std::vector<std::string>& compat_columns() {
    static const std::vector<std::string> names = make_columns();
    return names;
}

const std::vector<std::string>& compat_global_columns() {
    static const std::vector<std::string> names{"n_frames",   "n_points",          "mean_strain",
                                                "max_strain", "mean_acceleration", "max_acceleration"};
    return names;
}

}  // namespace nightshift::kernels
