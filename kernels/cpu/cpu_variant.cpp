#include "kernels/cpu_variant.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <stdexcept>

#include "kernels/cpu/each_variant.h"

namespace nightshift::kernels {

namespace {

constexpr int kNone = -1;
/// What a ScopedCpuVariant asks for.
std::atomic<int> asked{kNone};

std::string names_here() {
    std::string names;
    for (const CpuVariant variant : cpu_variants_here()) {
        names += (names.empty() ? "" : ", ") + std::string(cpu_variant_name(variant));
    }
    return names;
}

/// NIGHTSHIFT_CPU as it was when a kernel first ran.
const std::string& environment_word() {
    static const std::string word = [] {
        const char* value = std::getenv("NIGHTSHIFT_CPU");
        return std::string(value == nullptr ? "" : value);
    }();
    return word;
}

CpuVariant chosen() {
    const std::string& word = environment_word();
    return word.empty() ? cpu_variants_here().back() : cpu_variant_named(word);
}

}  // namespace

std::string_view cpu_variant_name(CpuVariant variant) {
    switch (variant) {
        case CpuVariant::avx2:
            return "avx2";
        case CpuVariant::avx512:
            return "avx512";
        default:
            return "scalar";
    }
}

bool has_cpu_variant(CpuVariant variant) {
#if NIGHTSHIFT_CPU_VARIANTS
    // These look at the registers that the system saves, too, not only at the processor.
    const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (variant == CpuVariant::avx2) return has_avx2;
    if (variant == CpuVariant::avx512) {
        return has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    }
#endif
    return variant == CpuVariant::scalar;
}

std::vector<CpuVariant> cpu_variants_here() {
    std::vector<CpuVariant> here;
    std::copy_if(std::begin(kCpuVariants), std::end(kCpuVariants), std::back_inserter(here), has_cpu_variant);
    return here;
}

CpuVariant cpu_variant_named(const std::string& name) {
    for (const CpuVariant variant : cpu_variants_here()) {
        if (cpu_variant_name(variant) == name) return variant;
    }
    throw std::runtime_error("NIGHTSHIFT_CPU is \"" + name +
                             "\", which this machine cannot run; set one of " + names_here() +
                             ", or unset it for the fastest");
}

CpuVariant cpu_variant() {
    const int wanted = asked.load(std::memory_order_relaxed);
    if (wanted != kNone) return static_cast<CpuVariant>(wanted);
    static const CpuVariant variant = chosen();
    return variant;
}

ScopedCpuVariant::ScopedCpuVariant(CpuVariant variant) {
    if (!has_cpu_variant(variant)) {
        throw std::invalid_argument("this machine cannot run " + std::string(cpu_variant_name(variant)) +
                                    "; it can run " + names_here());
    }
    int none = kNone;
    if (!asked.compare_exchange_strong(none, static_cast<int>(variant)))
        throw std::logic_error("a ScopedCpuVariant inside another");
}

ScopedCpuVariant::~ScopedCpuVariant() {
    asked = kNone;
}

}  // namespace nightshift::kernels
