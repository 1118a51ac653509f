// What one core of this machine can do at most, with the instructions that the kernels use here: products,
// divisions, memory and caches. usage: nightshift_limits
// Prints a line `NAME UNIT VALUE` each, the median of five runs after one to warm up, by processor time.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "kernels/cpu/each_variant.h"
#include "tests/bench/part_timer.h"

namespace {

constexpr int kRuns = 5;
constexpr std::int64_t kRounds = 400'000;
constexpr std::size_t kAlignment = 64;
/// Beyond the caches of every machine that is sold; a half of L2; a third of L1.
constexpr std::int64_t kMemoryFloats = 32 << 20, kL2Floats = 32 << 10, kL1Floats = 2 << 10;

struct Loops {
    void (*fma32)(std::int64_t rounds, double* out);
    void (*fma64)(std::int64_t rounds, double* out);
    void (*pairs16)(std::int64_t rounds, double* out);
    void (*divisions)(std::int64_t rounds, double* out);
    void (*triad)(float* out, const float* b, const float* c, std::int64_t n);
    void (*dot)(const float* b, const float* c, std::int64_t n, double* out);
    int lane_bytes;
};

#define NIGHTSHIFT_BODY "tests/bench/limits.inc"
#include "kernels/cpu/each_variant.inc"

using nightshift::bench::cpu_seconds;

/// Median seconds of a run.
double seconds_of(const std::function<void()>& work) {
    std::vector<double> took;
    work();
    for (int run = 0; run < kRuns; ++run) {
        const double start = cpu_seconds();
        work();
        took.push_back(cpu_seconds() - start);
    }
    std::nth_element(took.begin(), took.begin() + kRuns / 2, took.end());
    return took[kRuns / 2];
}

void say(const std::string& name, const char* unit, double amount, double seconds) {
    std::printf("%s %s %.3f\n", name.c_str(), unit, 1e-9 * amount / seconds);
    std::fflush(stdout);
}

/// `n` floats that begin at a cache line.
class Floats {
  public:
    explicit Floats(std::int64_t n) : values_(static_cast<std::size_t>(n) + kAlignment, 1.0F) {
        const auto address = reinterpret_cast<std::uintptr_t>(values_.data());
        skipped_ = (kAlignment - address % kAlignment) % kAlignment / sizeof(float);
    }
    float* data() { return values_.data() + skipped_; }

  private:
    std::vector<float> values_;
    std::size_t skipped_ = 0;
};

}  // namespace

int main() {
    try {
        const auto variant = nightshift::kernels::cpu_variant();
        const Loops loops = NIGHTSHIFT_VARIANT_OF(kLoops, variant);
        std::printf("variant %s 0\n", std::string(nightshift::kernels::cpu_variant_name(variant)).c_str());
        double kept = 0;
        const double lanes = loops.lane_bytes / 8.0, operations = 24.0 * kRounds;
        say("fma32", "Gflop/s", 4 * lanes * operations, seconds_of([&] { loops.fma32(kRounds, &kept); }));
        say("fma64", "Gflop/s", 2 * lanes * operations, seconds_of([&] { loops.fma64(kRounds, &kept); }));
        say("pairs16", "Gop/s", 8 * lanes * operations, seconds_of([&] { loops.pairs16(kRounds, &kept); }));
        say("div64", "Gdiv/s", lanes * operations / 8,
            seconds_of([&] { loops.divisions(kRounds / 8, &kept); }));
        Floats a(kMemoryFloats), b(kMemoryFloats), c(kMemoryFloats);
        const std::pair<const char*, std::int64_t> places[] = {
            {"l1", kL1Floats}, {"l2", kL2Floats}, {"memory", kMemoryFloats}};
        for (const auto& [place, n] : places) {
            const std::int64_t times = 4 * kMemoryFloats / n;
            const auto repeated = [times](const std::function<void()>& once) {
                return seconds_of([&] {
                    for (std::int64_t i = 0; i < times; ++i) once();
                });
            };
            const auto values = static_cast<double>(n * times);
            const double triad_s = repeated([&, n = n] { loops.triad(a.data(), b.data(), c.data(), n); });
            say(std::string("triad_") + place, "GB/s", 12 * values, triad_s);
            const double dot_s = repeated([&, n = n] { loops.dot(b.data(), c.data(), n, &kept); });
            say(std::string("read_") + place, "GB/s", 8 * values, dot_s);
            say(std::string("dot_") + place, "Gflop/s", 2 * values, dot_s);
        }
        // Looked at, so that nothing above may be left out.
        if (kept < 0) std::printf("kept GB/s %.3f\n", kept);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "nightshift_limits: %s\n", error.what());
        return 1;
    }
}
