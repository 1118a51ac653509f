// The main() of every C++ test program: doctest, a --seed option, and one closing line that
// packaging/check adds up.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>

#include "tests/support/seed.h"

namespace {

int g_passed = 0;
int g_failed = 0;
int g_skipped = 0;

/// Counts test cases, since doctest prints them but does not hand them out.
struct Counter : doctest::IReporter {
    explicit Counter(const doctest::ContextOptions&) {}
    void report_query(const doctest::QueryData&) override {}
    void test_run_start() override {}
    void test_run_end(const doctest::TestRunStats& stats) override {
        g_failed = static_cast<int>(stats.numTestCasesFailed);
        g_passed = static_cast<int>(stats.numTestCasesPassingFilters) - g_failed;
    }
    void test_case_start(const doctest::TestCaseData&) override {}
    void test_case_reenter(const doctest::TestCaseData&) override {}
    void test_case_end(const doctest::CurrentTestCaseStats&) override {}
    void test_case_exception(const doctest::TestCaseException&) override {}
    void subcase_start(const doctest::SubcaseSignature&) override {}
    void subcase_end() override {}
    void log_assert(const doctest::AssertData&) override {}
    void log_message(const doctest::MessageData&) override {}
    void test_case_skipped(const doctest::TestCaseData& data) override {
        if (data.m_skip) ++g_skipped;
    }
};

std::uint64_t g_seed = 0;

}  // namespace

namespace nightshift::tests {
std::uint64_t seed() { return g_seed; }
}  // namespace nightshift::tests

DOCTEST_REGISTER_LISTENER("counter", 1, Counter);

int main(int argc, char** argv) {
    // Fixed by default so that a run repeats; NIGHTSHIFT_TEST_SEED=random explores.
    g_seed = 20261121;
    if (const char* text = std::getenv("NIGHTSHIFT_TEST_SEED")) {
        g_seed = std::string_view(text) == "random" ? std::random_device{}()
                                                     : std::strtoull(text, nullptr, 10);
    }
    std::printf("seed %llu (NIGHTSHIFT_TEST_SEED)\n", static_cast<unsigned long long>(g_seed));
    doctest::Context context(argc, argv);
    const int code = context.run();
    if (context.shouldExit()) return code;
    std::printf("%d passed, %d failed, %d skipped\n", g_passed, g_failed, g_skipped);
    return code;
}
