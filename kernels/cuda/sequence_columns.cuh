#pragma once

#include "kernels/cpu/series_statistics.h"
#include "kernels/cuda/block_sums.cuh"
#include "kernels/cuda/frame_columns.cuh"

/// What follows from a sequence's base columns, by a whole block: shapes and spectra of series, changes, the
/// global row. Sums run over the threads in a fixed order, in double.
namespace nightshift::kernels::cuda {

struct SeriesShape {
    double mean, skewness, kurtosis, lag[2];
};

__device__ inline SeriesShape find_shape(const double* series, int n) {
    const int thread = static_cast<int>(threadIdx.x);
    // All, then of each lag the early and the late ones.
    double sums[5] = {};
    for (int i = thread; i < n; i += kFeatureThreads) {
        sums[0] += series[i];
        for (int lag = 1; lag <= 2; ++lag) {
            if (i + lag < n) sums[2 * lag - 1] += series[i];
            if (i >= lag) sums[2 * lag] += series[i];
        }
    }
    block_sums(sums);
    SeriesShape out{};
    out.mean = sums[0] / n;
    // Second, third and fourth moments, then of each lag the product and both squares.
    double moments[9] = {};
    for (int i = thread; i < n; i += kFeatureThreads) {
        const double d = series[i] - out.mean, square = d * d;
        moments[0] += square;
        moments[1] += square * d;
        moments[2] += square * square;
        for (int lag = 1; lag <= 2; ++lag) {
            if (i + lag >= n) continue;
            const double early = series[i] - sums[2 * lag - 1] / (n - lag);
            const double late = series[i + lag] - sums[2 * lag] / (n - lag);
            moments[3 * lag] += early * late;
            moments[3 * lag + 1] += early * early;
            moments[3 * lag + 2] += late * late;
        }
    }
    block_sums(moments);
    const double second = moments[0] / n, deviation = sqrt(second);
    if (n >= static_cast<int>(kShapeFrames) && deviation > kSeriesTiny) {
        out.skewness = moments[1] / n / (second * deviation);
        out.kurtosis = moments[2] / n / (second * second) - 3;
    }
    for (int lag = 1; lag <= 2; ++lag) {
        const double value = moments[3 * lag] / (sqrt(moments[3 * lag + 1]) * sqrt(moments[3 * lag + 2]));
        out.lag[lag - 1] = n >= lag + 2 && fabs(value) <= 1.7976931348623157e308 ? value : 0;
    }
    return out;
}

struct SeriesSpectrum {
    double frequency, power, entropy;
};

/// Power of `k` turns in the series. Cosines are the same from both ends, sines opposite.
__device__ inline double power_of(const double* series, int n, double mean, int k, const double* cosines,
                                  const double* sines) {
    const int half = (n - 1) / 2;
    const double middle = n % 2 == 0 ? series[n / 2] - mean : 0;
    double re = series[0] - mean + (k % 2 == 0 ? middle : -middle), im = 0;
    int turn = 0;
    for (int i = 1; i <= half; ++i) {
        turn += k;
        if (turn >= n) turn -= n;
        const double one = series[i] - mean, other = series[n - i] - mean;
        re += (one + other) * cosines[turn];
        im -= (one - other) * sines[turn];
    }
    return re * re + im * im;
}

/// power: [n / 2 + 1], scratch. Of equal powers the lowest frequency is the dominant one.
__device__ inline SeriesSpectrum find_spectrum(const double* series, int n, double mean, double fps,
                                               const double* cosines, const double* sines, double* power) {
    SeriesSpectrum out{};
    if (n < static_cast<int>(kSpectrumFrames)) return out;
    const int thread = static_cast<int>(threadIdx.x), last = n / 2;
    double total[1] = {}, most[1] = {-1};
    for (int k = 1 + thread; k <= last; k += kFeatureThreads) {
        power[k] = power_of(series, n, mean, k, cosines, sines);
        total[0] += power[k];
        most[0] = most[0] < power[k] ? power[k] : most[0];
    }
    block_sums(total);
    block_most(most);
    double first[1] = {-static_cast<double>(last + 1)};
    double entropy[1] = {};
    for (int k = 1 + thread; k <= last; k += kFeatureThreads) {
        if (power[k] == most[0] && -k > first[0]) first[0] = -k;
        const double share = power[k] / total[0];
        if (total[0] > 0 && share > kSeriesTiny) entropy[0] -= share * log2(share);
    }
    block_most(first);
    block_sums(entropy);
    // Where nothing is a number, the reference's search stays where it begins.
    out.frequency = (-first[0] > last ? 1.0 : -first[0]) * fps / n;
    out.power = total[0];
    out.entropy = entropy[0];
    return out;
}

/// Shapes and spectra, the same in every frame.
__device__ inline void write_series(const FeatureTask& task, const FeatureArrays& all) {
    const int thread = static_cast<int>(threadIdx.x), n = task.frames;
    double* const rows = all.rows + task.first_frame * kCompatColumns;
    double* const series = all.series + task.first_frame;
    for (int m = 0; m < 3; ++m) {
        const int source = m == 0 ? kAcceleration : m == 1 ? kCurvature : kStrain;
        // A thread reads its own entries first, and sums of the block lie between every other use of them.
        for (int f = thread; f < n; f += kFeatureThreads)
            series[f] = rows[static_cast<std::size_t>(f) * kCompatColumns + 3 * source];
        const SeriesShape shape = find_shape(series, n);
        SeriesSpectrum spectrum{};
        if (m < 2) {
            spectrum = find_spectrum(series, n, shape.mean, task.fps, all.cosines + task.first_turn,
                                     all.sines + task.first_turn, all.power + task.first_frame);
        }
        for (int f = thread; f < n; f += kFeatureThreads) {
            double* const row = rows + static_cast<std::size_t>(f) * kCompatColumns;
            double* const to = row + kShapeColumn + 4 * m;
            to[0] = shape.skewness;
            to[1] = shape.kurtosis;
            to[2] = shape.lag[0];
            to[3] = shape.lag[1];
            if (m == 2) continue;
            double* const spectral = row + kSpectrumColumn + 3 * m;
            spectral[0] = spectrum.frequency;
            spectral[1] = spectrum.power;
            spectral[2] = spectrum.entropy;
        }
    }
}

/// Change from frame to frame of the mean and max columns, its size, and its own change.
__device__ inline void write_changes(const FeatureTask& task, const FeatureArrays& all) {
    constexpr int kChanges = 2 * kSurrogates;
    const auto values = static_cast<std::int64_t>(task.frames) * kChanges;
    for (std::int64_t i = threadIdx.x; i < values; i += kFeatureThreads) {
        const std::int64_t f = i / kChanges;
        const int c = static_cast<int>(i % kChanges);
        double* const row = all.rows + (task.first_frame + static_cast<std::size_t>(f)) * kCompatColumns;
        const double* const from = row + 3 * (c / 2) + c % 2;
        const double rate = f > 0 ? from[0] - from[-kCompatColumns] : 0;
        const double rate_before = f > 1 ? from[-kCompatColumns] - from[-2 * kCompatColumns] : 0;
        double* const to = row + kChangeColumn + 3 * c;
        to[0] = rate;
        to[1] = fabs(rate);
        to[2] = f > 1 ? rate - rate_before : 0;
    }
}

__device__ inline void write_global(const FeatureTask& task, const FeatureArrays& all, double* to) {
    double sums[3] = {}, most[2] = {};
    for (int f = static_cast<int>(threadIdx.x); f < task.frames; f += kFeatureThreads) {
        const std::size_t at = task.first_frame + static_cast<std::size_t>(f);
        const double* const row = all.rows + at * kCompatColumns;
        const double count = all.there[at];
        sums[0] += row[3 * kStrain] * count;
        sums[1] += row[3 * kAcceleration] * count;
        sums[2] += count;
        most[0] = most[0] < row[3 * kStrain + 1] ? row[3 * kStrain + 1] : most[0];
        most[1] = most[1] < row[3 * kAcceleration + 1] ? row[3 * kAcceleration + 1] : most[1];
    }
    block_sums(sums);
    block_most(most);
    if (threadIdx.x != 0) return;
    to[0] = task.frames;
    to[1] = task.points;
    to[2] = sums[2] > 0 ? sums[0] / sums[2] : 0;
    to[3] = most[0];
    to[4] = sums[2] > 0 ? sums[1] / sums[2] : 0;
    to[5] = most[1];
}

/// After the base columns of all frames, which this block wrote, and a barrier.
__device__ inline void write_sequence(const FeatureTask& task, const FeatureArrays& all) {
    if (task.frames > 0) write_series(task, all);
    write_changes(task, all);
    write_global(task, all, all.global + static_cast<std::size_t>(blockIdx.x) * kCompatGlobalColumns);
}

}  // namespace nightshift::kernels::cuda
