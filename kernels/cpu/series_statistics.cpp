#include "kernels/cpu/series_statistics.h"

#include <cmath>
#include <cstddef>
#include <numbers>
#include <numeric>

namespace nightshift::kernels {

namespace {

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

}  // namespace

Turns::Turns(std::size_t n) : cosines(n), sines(n) {
    for (std::size_t i = 0; i < n; ++i) {
        const double angle = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(n);
        cosines[i] = std::cos(angle);
        sines[i] = std::sin(angle);
    }
}

void add_spectrum(std::span<const double> series, double fps, const Turns& turns, SeriesStatistics& out) {
    const std::size_t n = series.size();
    if (n < kSpectrumFrames) return;
    const double mean = mean_of(series);
    // Cosines are the same from both ends, sines opposite: half of the products are enough.
    const std::size_t half = (n - 1) / 2;
    std::vector<double> even(half + 1), odd(half + 1), power(n / 2 + 1);
    for (std::size_t i = 1; i <= half; ++i) {
        even[i] = (series[i] - mean) + (series[n - i] - mean);
        odd[i] = (series[i] - mean) - (series[n - i] - mean);
    }
    const double first = series[0] - mean, middle = n % 2 == 0 ? series[n / 2] - mean : 0;
    for (std::size_t k = 1; k < power.size(); ++k) {
        double re = first + (k % 2 == 0 ? middle : -middle), im = 0;
        std::size_t turn = 0;
        for (std::size_t i = 1; i <= half; ++i) {
            turn += k;
            if (turn >= n) turn -= n;
            re += even[i] * turns.cosines[turn];
            im -= odd[i] * turns.sines[turn];
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
        if (share > kSeriesTiny) out.spectral_entropy -= share * std::log2(share);
    }
}

void add_moments(std::span<const double> series, SeriesStatistics& out) {
    if (series.empty()) return;
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
    if (series.size() >= kShapeFrames && deviation > kSeriesTiny) {
        out.skewness = third / n / (second * deviation);
        out.kurtosis = fourth / n / (second * second) - 3;
    }
    out.lag1 = correlation(series, 1);
    out.lag2 = correlation(series, 2);
}

SeriesStatistics series_statistics(std::span<const double> series, double fps) {
    SeriesStatistics out{};
    add_moments(series, out);
    if (series.size() >= kSpectrumFrames) add_spectrum(series, fps, Turns(series.size()), out);
    return out;
}

}  // namespace nightshift::kernels
