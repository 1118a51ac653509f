#pragma once

#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "jobs/runtime/durable_file.h"

/// What programs share that time one part inside their process and leave what it found for a peer.
namespace nightshift::bench {

inline constexpr std::size_t kFileBytesMax = std::size_t{1} << 31;
/// Short work is repeated until a run takes so long, so that clocks count for nothing.
inline constexpr double kRunLeastS = 0.05;

/// Numbers as they lie in memory, C order.
template <typename Number>
void write_numbers(const std::filesystem::path& file, const std::vector<Number>& numbers) {
    std::ofstream out(file, std::ios::binary);
    out.write(reinterpret_cast<const char*>(numbers.data()),
              static_cast<std::streamsize>(numbers.size() * sizeof(Number)));
    if (!out) throw std::runtime_error("cannot write " + file.string());
}

template <typename Number>
std::vector<Number> read_numbers(const std::filesystem::path& file) {
    const std::string bytes = jobs::read_text(file, kFileBytesMax);
    std::vector<Number> numbers(bytes.size() / sizeof(Number));
    std::copy(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(numbers.size() * sizeof(Number)),
              reinterpret_cast<char*>(numbers.data()));
    return numbers;
}

inline double cpu_seconds() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Prints a line `wall_s cpu_s` a run after one to warm up.
inline void measure(int runs, const std::function<void()>& work) {
    work();
    int times = 1;
    for (int run = 0; run < runs;) {
        const auto wall = std::chrono::steady_clock::now();
        const double cpu = cpu_seconds();
        for (int i = 0; i < times; ++i) work();
        const double cpu_s = cpu_seconds() - cpu;
        const std::chrono::duration<double> wall_s = std::chrono::steady_clock::now() - wall;
        if (cpu_s < kRunLeastS && times < 1'000'000) {
            times *= 2;
            continue;
        }
        std::printf("%.9f %.9f\n", wall_s.count() / times, cpu_s / times);
        ++run;
    }
}

/// main() of a program that times parts: `RUNS OUT WORK ...`. work(runs, out, name, rest) does one of them.
/// Gives the exit status.
template <typename Work>
int run_work(const char* program, int count, char** words, const Work& work) {
    try {
        const std::vector<std::string> given(words + 1, words + count);
        const std::vector<std::string> rest(given.size() > 3 ? given.begin() + 3 : given.end(), given.end());
        work(std::stoi(given.at(0)), std::filesystem::path(given.at(1)), given.at(2), rest);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", program, error.what());
        return 1;
    }
}

}  // namespace nightshift::bench
