#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nightshift::kernels {

/// Which instructions the CPU kernels use. The same source is compiled once for each; all give equal bits.
/// scalar: what every machine of the build's architecture has (SSE2 on x86-64). avx2: with FMA.
/// avx512: F, BW, DQ and VL.
enum class CpuVariant { scalar, avx2, avx512 };

inline constexpr CpuVariant kCpuVariants[] = {CpuVariant::scalar, CpuVariant::avx2, CpuVariant::avx512};

/// "scalar", "avx2", "avx512": what NIGHTSHIFT_CPU is set to.
std::string_view cpu_variant_name(CpuVariant variant);

/// True where this build has the variant, and this machine and its system can run it.
bool has_cpu_variant(CpuVariant variant);

/// Those that has_cpu_variant() allows, slowest first; never empty.
std::vector<CpuVariant> cpu_variants_here();

/// The variant named so. Throws std::runtime_error that lists the names which work here.
CpuVariant cpu_variant_named(const std::string& name);

/// In use: NIGHTSHIFT_CPU, read once, or else the last of cpu_variants_here(). Any thread.
/// Throws std::runtime_error, at every call, where NIGHTSHIFT_CPU names nothing that works here: whoever
/// sets it wants to know what was measured, so nothing else is taken in its place.
CpuVariant cpu_variant();

/// Another variant in the whole process while it lives, for tests and benchmarks. One at a time, made and
/// ended while no kernel runs. The variant must be one of cpu_variants_here().
class ScopedCpuVariant {
  public:
    explicit ScopedCpuVariant(CpuVariant variant);
    ~ScopedCpuVariant();
    ScopedCpuVariant(const ScopedCpuVariant&) = delete;
    ScopedCpuVariant& operator=(const ScopedCpuVariant&) = delete;
};

}  // namespace nightshift::kernels
