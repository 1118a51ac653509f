#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

#include "kernels/compat_features.h"

namespace nightshift::kernels {

namespace {

constexpr double kTiny = 1e-9;
constexpr std::size_t kMomentsMin = 3;     ///< samples below which the reference gives zeros
constexpr std::size_t kSpectrumMin = 10;   ///< the same for the spectrum

double mean_of(std::span<const double> series) {
    return std::accumulate(series.begin(), series.end(), 0.0) / static_cast<double>(series.size());
}

/// Pearson correlation of the series with itself `lag` later; 0 where it is not defined.
double correlation(std::span<const double> series, std::size_t lag) {
    if (series.size() < lag + 2) return 0;
    const auto early = series.first(series.size() - lag), late = series.subspan(lag);
    const double early_mean = mean_of(early), late_mean = mean_of(late);
    double product = 0, early_square = 0, late_square = 0;
    for (std::size_t i = 0; i < early.size(); ++i) {
        const double a = early[i] - early_mean, b = late[i] - late_mean;
        product += a * b;
        early_square += a * a;
        late_square += b * b;
    }
    const double scale = std::sqrt(early_square) * std::sqrt(late_square);
    const double value = product / scale;
    return std::isfinite(value) ? value : 0;
}

void spectrum(std::span<const double> series, double mean, double fps, SeriesStatistics& out) {
    const std::size_t n = series.size();
    std::vector<double> cosines(n), sines(n);
    for (std::size_t i = 0; i < n; ++i) {
        const double angle = 2 * 3.14159265358979323846 * static_cast<double>(i) / static_cast<double>(n);
        cosines[i] = std::cos(angle);
        sines[i] = std::sin(angle);
    }
    std::vector<double> power(n / 2 + 1);
    for (std::size_t k = 1; k < power.size(); ++k) {
        double re = 0, im = 0;
        std::size_t turn = 0;
        for (std::size_t i = 0; i < n; ++i) {
            re += (series[i] - mean) * cosines[turn];
            im -= (series[i] - mean) * sines[turn];
            turn += k;
            if (turn >= n) turn -= n;
        }
        power[k] = re * re + im * im;
    }
    std::size_t best = 1;
    for (std::size_t k = 2; k < power.size(); ++k) {
        if (power[k] > power[best]) best = k;
    }
    out.dominant_frequency = static_cast<double>(best) * fps / static_cast<double>(n);
    out.spectral_power = std::accumulate(power.begin() + 1, power.end(), 0.0);
    if (!(out.spectral_power > 0)) return;
    for (std::size_t k = 1; k < power.size(); ++k) {
        const double share = power[k] / out.spectral_power;
        if (share > kTiny) out.spectral_entropy -= share * std::log2(share);
    }
}

}  // namespace

SeriesStatistics series_statistics(std::span<const double> series, double fps) {
    SeriesStatistics out{};
    if (series.empty()) return out;
    const double mean = mean_of(series);
    double second = 0, third = 0, fourth = 0;
    for (double value : series) {
        const double d = value - mean, square = d * d;
        second += square;
        third += square * d;
        fourth += square * square;
    }
    const auto n = static_cast<double>(series.size());
    second /= n;
    const double deviation = std::sqrt(second);
    if (series.size() >= kMomentsMin && deviation > kTiny) {
        out.skewness = third / n / (second * deviation);
        out.kurtosis = fourth / n / (second * second) - 3;
    }
    out.lag1 = correlation(series, 1);
    out.lag2 = correlation(series, 2);
    if (series.size() >= kSpectrumMin) spectrum(series, mean, fps, out);
    return out;
}

}  // namespace nightshift::kernels
