#include "kernels/cpu_variant.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <stdexcept>
#include <string>

#include "tests/kernels/every_variant.h"

using namespace nightshift::kernels;

namespace {

std::string refusal(const std::string& name) {
    try {
        cpu_variant_named(name);
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("cpu variant: the build's own instructions are always there") {
    const auto here = cpu_variants_here();
    REQUIRE(!here.empty());
    CHECK(here.front() == CpuVariant::scalar);
    CHECK(std::is_sorted(here.begin(), here.end()));
    for (const CpuVariant variant : kCpuVariants)
        CHECK(has_cpu_variant(variant) == (std::count(here.begin(), here.end(), variant) == 1));
}

TEST_CASE("cpu variant: the fastest is in use unless NIGHTSHIFT_CPU names another") {
    const char* word = std::getenv("NIGHTSHIFT_CPU");
    CHECK(cpu_variant() == (word != nullptr ? cpu_variant_named(word) : cpu_variants_here().back()));
}

TEST_CASE("cpu variant: names lead back to variants, others are refused with those that work") {
    std::set<std::string> names;
    for (const CpuVariant variant : kCpuVariants) {
        const std::string name(cpu_variant_name(variant));
        names.insert(name);
        if (has_cpu_variant(variant))
            CHECK(cpu_variant_named(name) == variant);
        else
            CHECK(refusal(name).find("set one of scalar") != std::string::npos);
    }
    CHECK(names == std::set<std::string>{"scalar", "avx2", "avx512"});
    for (const char* name : {"AVX2", "sse", " scalar", "avx512 "}) {
        const std::string words = refusal(name);
        CHECK(words.find(std::string("NIGHTSHIFT_CPU is \"") + name + "\"") == 0);
        CHECK(words.find("set one of scalar") != std::string::npos);
    }
}

TEST_CASE("cpu variant: a scoped one is in use until it ends, and alone") {
    const CpuVariant before = cpu_variant();
    int seen = 0;
    nightshift::tests::on_every_variant([&] {
        CHECK(cpu_variant() == cpu_variants_here()[static_cast<std::size_t>(seen++)]);
        CHECK_THROWS_AS(ScopedCpuVariant(CpuVariant::scalar), std::logic_error);
        CHECK(cpu_variant() == cpu_variants_here()[static_cast<std::size_t>(seen - 1)]);
    });
    CHECK(cpu_variant() == before);
    for (const CpuVariant variant : kCpuVariants) {
        if (!has_cpu_variant(variant)) CHECK_THROWS_AS(ScopedCpuVariant{variant}, std::invalid_argument);
    }
}
