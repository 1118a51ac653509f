#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/backend.h"
#include "kernels/launch_times.h"

/// How one op is timed on the GPU beside the CPU, for kernels_bench.
namespace nightshift::bench {

using namespace nightshift::kernels;

inline constexpr int kRuns = 5;
inline constexpr std::uint64_t kSeed = 20261121;

/// What a kernel of a case has to do at least, in the limit's unit.
struct Amount {
    std::string kernel, unit;
    double count;
};

struct Case {
    std::string name;
    std::function<void()> cpu, gpu;
    std::vector<Amount> amounts;
};

struct Machine {
    Backend& gpu;
    int threads;
    double share;

    std::int64_t part(std::int64_t whole) const {
        return std::max<std::int64_t>(1, static_cast<std::int64_t>(share * static_cast<double>(whole)));
    }
};

inline double median_s(const std::function<void()>& work) {
    work();
    std::vector<double> took;
    for (int run = 0; run < kRuns; ++run) {
        const auto start = std::chrono::steady_clock::now();
        work();
        took.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    std::nth_element(took.begin(), took.begin() + kRuns / 2, took.end());
    return took[kRuns / 2];
}

inline void measure(const Machine& machine, const Case& one) {
    const double cpu = median_s(one.cpu), gpu = median_s(one.gpu);
    std::printf("row %s %.6f %.6f\n", one.name.c_str(), cpu, gpu);
    time_launches(machine.gpu, true);
    one.gpu();
    time_launches(machine.gpu, false);
    for (const LaunchTime& time : launch_times(machine.gpu)) {
        const auto amount = std::find_if(one.amounts.begin(), one.amounts.end(),
                                         [&](const Amount& each) { return each.kernel == time.kernel; });
        const bool is_known = amount != one.amounts.end();
        std::printf("kernel %s %s %.9f %s %.0f\n", one.name.c_str(), time.kernel.c_str(), time.seconds,
                    is_known ? amount->unit.c_str() : "-", is_known ? amount->count : 0.0);
    }
    std::fflush(stdout);
}

inline void require(bool is_equal, const char* what) {
    if (!is_equal) throw std::runtime_error(std::string(what) + ": the GPU's result is not the CPU's");
}

inline std::vector<double> random_rows(std::int64_t rows, std::int64_t columns) {
    std::mt19937_64 engine(kSeed);
    std::normal_distribution<double> normal;
    std::vector<double> values(static_cast<std::size_t>(rows * columns));
    for (double& value : values) value = normal(engine);
    return values;
}

/// Nearest neighbours, coreset, generator, DREAM.
void measure_models(const Machine& machine);
/// Metrics, change points, suppression of boxes.
void measure_series(const Machine& machine);

}  // namespace nightshift::bench
