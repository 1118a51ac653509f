// Times kernels on the GPU beside their CPU references: one line each, `NAME peer_s ours_s`, the best of
// three runs after one to warm up. Prints nothing but a reason where no GPU answers.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include "kernels/coreset.h"
#include "kernels/device.h"
#include "kernels/generator.h"
#include "kernels/knn.h"

namespace {

using namespace nightshift::kernels;

constexpr int kRuns = 3;
constexpr std::uint64_t kSeed = 20261121;

double best_of(const std::function<void()>& work) {
    work();
    double best = 1e300;
    for (int run = 0; run < kRuns; ++run) {
        const auto start = std::chrono::steady_clock::now();
        work();
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        best = std::min(best, took.count());
    }
    return best;
}

std::vector<double> random_rows(std::int64_t rows, std::int64_t columns) {
    std::mt19937_64 engine(kSeed);
    std::normal_distribution<double> normal;
    std::vector<double> values(static_cast<std::size_t>(rows * columns));
    for (double& value : values) value = normal(engine);
    return values;
}

void report(const char* name, const std::function<void()>& cpu, const std::function<void()>& cuda) {
    const double peer = best_of(cpu);
    const double ours = best_of(cuda);
    std::printf("%s %.6f %.6f\n", name, peer, ours);
    std::fflush(stdout);
}

void knn(Backend& gpu, int threads) {
    constexpr std::int64_t kBank = 10'000, kQueries = 20'000, kColumns = 60;
    const std::vector<double> bank = random_rows(kBank, kColumns);
    const std::vector<double> queries = random_rows(kQueries, kColumns);
    const Rows<double> bank_rows{bank.data(), kBank, kColumns};
    const Rows<double> query_rows{queries.data(), kQueries, kColumns};
    report(
        "knn", [&] { knn_cpu(bank_rows, query_rows, 5, threads); },
        [&] { knn_cuda(gpu, bank_rows, query_rows, 5); });
}

void coreset(Backend& gpu, int threads) {
    constexpr std::int64_t kRows = 50'000, kColumns = 60, kPicks = 1'000;
    const std::vector<double> data = random_rows(kRows, kColumns);
    const Rows<double> rows{data.data(), kRows, kColumns};
    report(
        "coreset", [&] { greedy_coreset_cpu(rows, kPicks, 0, threads); },
        [&] { greedy_coreset_cuda(gpu, rows, kPicks, 0); });
}

void generate(Backend& gpu) {
    constexpr int kSequences = 2'000;
    std::vector<TrackPlan> plans;
    std::vector<std::vector<std::int16_t>> values;
    std::vector<TrackPlanes> planes;
    for (int index = 0; index < kSequences; ++index) {
        const auto panel = static_cast<PanelClass>(index % kPanelClasses);
        plans.push_back(make_plan(
            draw_recipe(panel, static_cast<std::uint32_t>(index), kSeed, Difficulty::kStandard), 1));
        const std::size_t count = plans.back().points.size() * plans.back().frames.size();
        values.emplace_back(count * 2);
        planes.push_back({values.back().data(), values.back().data() + count});
    }
    const auto cpu = [&] {
        for (std::size_t i = 0; i < plans.size(); ++i) generate_tracks_cpu(plans[i], planes[i]);
    };
    report("generate", cpu, [&] { generate_tracks_cuda(gpu, plans, planes); });
}

}  // namespace

int main() {
    if (!cuda_available()) {
        std::fprintf(stderr, "no GPU: %s\n", cuda_unavailable_reason());
        return 0;
    }
    const int threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    const auto gpu = make_cuda_backend(kNoBudget);
    knn(*gpu, threads);
    coreset(*gpu, threads);
    generate(*gpu);
    return 0;
}
