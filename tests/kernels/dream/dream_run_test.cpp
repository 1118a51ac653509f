#include "kernels/dream_run.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "kernels/array_fill.h"
#include "kernels/error.h"
#include "tests/kernels/dream/dream_case.h"
#include "tests/kernels/every_backend.h"

using namespace nightshift::kernels;
using nightshift::tests::dream_parameters;
using nightshift::tests::normals;
using nightshift::tests::on_every_backend;
using nightshift::tests::relative_error;

namespace {

constexpr std::int64_t kColumns = 13;

DreamRunOptions options_of(std::int64_t batch, float drop) {
    DreamRunOptions options;
    options.step = {{kColumns, {9, 5}, 3, 11}, {1e-3, 1e-5}, 0.5};
    options.batch = batch;
    options.drop = drop;
    options.seed = 77;
    options.anomaly_kind = 5;
    options.dropout_kind = 6;
    // Column 4 has two: the later counts.
    options.scalings = {{4, 1.2F, .6F}, {7, 1.1F, .3F}, {4, 1.3F, .7F}, {0, 1, 0}};
    return options;
}

DreamStepState start_of(const DreamRunOptions& options) {
    const std::vector<float> parameters = dream_parameters(options.step.shape, 3);
    return {parameters, std::vector<float>(parameters.size()), std::vector<float>(parameters.size()), 0};
}

std::vector<std::int64_t> order_of(std::int64_t rows) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(rows));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::reverse(order.begin() + 1, order.end());
    return order;
}

/// The same, batch by batch, from what the header says of the draws.
std::vector<DreamStepLosses> by_hand(const DreamRunOptions& options, std::span<const float> rows,
                                     std::span<const std::int64_t> order, std::uint32_t epoch,
                                     DreamStep& step) {
    std::vector<DreamStepLosses> losses;
    const auto most = static_cast<std::size_t>(options.batch);
    for (std::size_t at = 0; at < order.size(); at += most) {
        const std::size_t n = std::min(most, order.size() - at);
        std::vector<float> clean, anomalous(n * kColumns), labels(n), keep((9 + 5 + 5 + 9 + 11) * n);
        for (std::size_t r = 0; r < n; ++r) {
            const auto row = rows.subspan(static_cast<std::size_t>(order[at + r]) * kColumns, kColumns);
            clean.insert(clean.end(), row.begin(), row.end());
        }
        const auto number = static_cast<std::uint32_t>(losses.size());
        std::vector<float> uniforms((1 + options.scalings.size()) * n);
        fill_uniforms({options.seed, number, options.anomaly_kind, epoch}, uniforms);
        dream_anomalies(clean, uniforms, options.scalings, kColumns, anomalous, labels);
        if (options.drop > 0)
            fill_keep_factors({options.seed, number, options.dropout_kind, epoch}, options.drop, keep);
        else
            keep.clear();
        losses.push_back(step.step({static_cast<std::int64_t>(n), clean, anomalous, labels, keep}));
    }
    return losses;
}

bool is_close(double value, double expected) {
    return std::abs(value - expected) <= 2e-6 * std::max(1.0, std::abs(expected));
}

}  // namespace

TEST_CASE("dream run: the steps and draws of its contract, on every backend") {
    const std::vector<float> rows = normals(150 * kColumns, 9);
    const std::vector<std::int64_t> order = order_of(150);
    for (const std::int64_t batch : {1, 7, 32, 128, 129, 150, 400}) {
        for (const float drop : {0.0F, 0.25F}) {
            CAPTURE(batch);
            CAPTURE(drop);
            const DreamRunOptions options = options_of(batch, drop);
            const auto step = make_dream_step_reference(options.step);
            step->set_state(start_of(options));
            const std::vector<DreamStepLosses> expected = by_hand(options, rows, order, 4, *step);
            on_every_backend([&](Backend& backend) {
                const auto run = make_dream_run(backend, options, rows);
                run->set_state(start_of(options));
                const std::vector<DreamStepLosses> losses = run->run(order, 4, 0);
                REQUIRE(losses.size() == expected.size());
                for (std::size_t b = 0; b < losses.size(); ++b) {
                    CAPTURE(b);
                    CHECK(is_close(losses[b].total, expected[b].total));
                    CHECK(is_close(losses[b].reconstruction, expected[b].reconstruction));
                    CHECK(is_close(losses[b].discriminator, expected[b].discriminator));
                }
                CHECK(run->state().steps == step->state().steps);
                CHECK(relative_error(run->state().parameters, step->state().parameters) < 1e-4);
                CHECK(relative_error(run->state().second_moment, step->state().second_moment) < 1e-4);
            });
        }
    }
}

TEST_CASE("dream run: an epoch in pieces is the epoch") {
    const std::vector<float> rows = normals(100 * kColumns, 9);
    const std::vector<std::int64_t> order = order_of(100);
    for (const std::int64_t batch : {8, 130}) {
        const DreamRunOptions options = options_of(batch, 0.1F);
        on_every_backend([&](Backend& backend) {
            const auto whole = make_dream_run(backend, options, rows);
            whole->set_state(start_of(options));
            std::vector<std::int64_t> twice = order;
            twice.insert(twice.end(), order.begin(), order.end());

            const std::vector<DreamStepLosses> all = whole->run(twice, 1, 0);
            const auto parts = make_dream_run(backend, options, rows);
            parts->set_state(start_of(options));
            const auto first = static_cast<std::size_t>(batch);
            std::vector<DreamStepLosses> found = parts->run(std::span(twice).first(first), 1, 0);
            // Also through a saved state.
            const auto later = make_dream_run(backend, options, rows);
            later->set_state(parts->state());
            for (const DreamStepLosses& each : later->run(std::span(twice).subspan(first), 1, 1))
                found.push_back(each);
            REQUIRE(found.size() == all.size());
            for (std::size_t b = 0; b < all.size(); ++b) CHECK(found[b].total == all[b].total);
            CHECK(later->state().parameters == whole->state().parameters);
        });
    }
}

TEST_CASE("dream run: more batches than one launch takes") {
    const std::vector<float> rows = normals(30 * kColumns, 2);
    std::vector<std::int64_t> order;
    for (std::int64_t i = 0; i < 300; ++i) order.push_back(i * 7 % 30);
    DreamRunOptions options = options_of(1, 0);
    options.step.shape = {kColumns, {}, 2, 3};
    const auto cpu = make_dream_run_cpu(options, rows);
    cpu->set_state(start_of(options));
    const std::vector<DreamStepLosses> expected = cpu->run(order, 0, 0);
    on_every_backend([&](Backend& backend) {
        const auto run = make_dream_run(backend, options, rows);
        run->set_state(start_of(options));
        const std::vector<DreamStepLosses> losses = run->run(order, 0, 0);
        REQUIRE(losses.size() == 300);
        for (std::size_t b = 0; b < 300; ++b) CHECK(std::abs(losses[b].total / expected[b].total - 1) < 1e-4);
    });
}

TEST_CASE("dream run: what does not fit is refused, and nothing changes") {
    const std::vector<float> rows = normals(20 * kColumns, 9);
    const DreamRunOptions good = options_of(8, 0.1F);
    on_every_backend([&](Backend& backend) {
        const auto refused = [&](const DreamRunOptions& options, std::span<const float> some) {
            CHECK_THROWS_AS(make_dream_run(backend, options, some), std::invalid_argument);
        };
        refused(good, {});
        refused(good, std::span<const float>(rows).first(kColumns + 1));
        refused(options_of(0, 0), rows);
        refused(options_of(kDreamRunBatchMax + 1, 0), rows);
        refused(options_of(8, 1.0F), rows);
        refused(options_of(8, std::nanf("")), rows);
        DreamRunOptions outside = good;
        outside.scalings.push_back({kColumns, 1, 1});
        refused(outside, rows);
        DreamRunOptions narrow = good;
        narrow.step.shape.latent = 0;
        refused(narrow, rows);
        const auto run = make_dream_run(backend, good, rows);
        run->set_state(start_of(good));
        const std::vector<std::int64_t> past = {3, 20}, negative = {-1}, fine = {1, 2};
        CHECK_THROWS_AS(run->run(past, 0, 0), std::invalid_argument);
        CHECK_THROWS_AS(run->run(negative, 0, 0), std::invalid_argument);
        CHECK_THROWS_AS(run->run(fine, -1, 0), std::invalid_argument);
        CHECK_THROWS_AS(run->run(fine, 0, std::int64_t{1} << 32), std::invalid_argument);
        CHECK(run->run({}, 0, 0).empty());
        CHECK(run->state().parameters == start_of(good).parameters);
        CHECK(run->state().steps == 0);
    });
}

TEST_CASE("dream run: rows beyond the budget are refused, numbers that are none reach the losses") {
    std::vector<float> rows = normals(3000 * kColumns, 9);
    const DreamRunOptions options = options_of(8, 0);
    rows[kColumns * 2 + 1] = std::numeric_limits<float>::quiet_NaN();
    const std::vector<std::int64_t> order = {0, 1, 2, 3, 4, 5, 6, 7};
    on_every_backend([&](Backend& backend) {
        const auto run = make_dream_run(backend, options, rows);
        run->set_state(start_of(options));
        CHECK(std::isnan(run->run(order, 0, 0)[0].total));
    });
    if (!nightshift::tests::gpu_answers()) return;
    const auto small = make_cuda_backend(std::size_t{120} << 10);
    CHECK_THROWS_WITH_AS(make_dream_run(*small, options, rows),
                         doctest::Contains("over_budget: dream.rows needs"), OverBudget);
    CHECK(small->memory().held_bytes == 0);
}
