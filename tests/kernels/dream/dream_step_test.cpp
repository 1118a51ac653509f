#include "kernels/dream_step.h"

#include <doctest/doctest.h>

#include <functional>
#include <limits>
#include <stdexcept>
#include <string>

#include "kernels/cpu_variant.h"
#include "kernels/device.h"
#include "kernels/error.h"
#include "tests/kernels/dream/dream_case.h"
#include "tests/kernels/every_backend.h"
#include "tests/kernels/every_variant.h"
#include "tests/support/seed.h"

using namespace nightshift::kernels;
using nightshift::tests::DreamCase;
using nightshift::tests::on_every_variant;
using nightshift::tests::relative_error;

namespace {

using Make = std::function<std::unique_ptr<DreamStep>(const DreamStepOptions&)>;

constexpr int kSteps = 3;

const DreamNetShape kUsual{81, {64, 32, 16}, 8, 64};

bool is_close(double value, double expected, double tolerance) {
    return std::abs(value - expected) <= tolerance * std::max(1.0, std::abs(expected));
}

void check_like_reference(const Make& make, const DreamCase& each) {
    CAPTURE(each.shape.columns);
    CAPTURE(each.rows);
    CAPTURE(each.keep.size());
    const auto ours = make(each.options()), reference = make_dream_step_reference(each.options());
    ours->set_state(each.start());
    reference->set_state(each.start());
    for (int s = 0; s < kSteps; ++s) {
        const DreamStepLosses a = ours->step(each.batch()), b = reference->step(each.batch());
        CHECK(is_close(a.total, b.total, 1e-6));
        CHECK(is_close(a.reconstruction, b.reconstruction, 1e-6));
        CHECK(is_close(a.discriminator, b.discriminator, 1e-6));
        CHECK(relative_error(ours->gradients(), reference->gradients()) < 1e-5);
    }
    CHECK(relative_error(ours->state().second_moment, reference->state().second_moment) < 1e-5);
    CHECK(ours->state().steps == kSteps);
}

void check_cases(const Make& make) {
    const std::uint64_t seed = nightshift::tests::seed();
    for (const std::int64_t rows : {1, 2, 15, 16, 17, 31, 32, 33, 64, 65, 100, 200}) {
        for (const bool has_keep : {false, true}) {
            check_like_reference(make, {kUsual, rows, seed + static_cast<std::uint64_t>(rows), has_keep});
            check_like_reference(make, {{3, {5, 4}, 2, 6}, rows, seed, has_keep});
        }
    }
    check_like_reference(make, {{1, {64, 32, 16}, 8, 2}, 32, seed, true});
    check_like_reference(make, {{1, {}, 1, 1}, 1, seed, true});
    check_like_reference(make, {{21, {}, 3, 42}, 50, seed, false});
    check_like_reference(make, {{4096, {64, 32, 16}, 8, 64}, 3, seed, true});
    check_like_reference(make, {{300, {261, 13}, 12, 64}, 40, seed, true});
}

}  // namespace

TEST_CASE("dream step: the CPU's steps are the reference's") {
    on_every_variant([] { check_cases(make_dream_step_cpu); });
}

TEST_CASE("dream step: fused variants agree in all bits") {
    const DreamCase each(kUsual, 100, 5, true);
    std::vector<std::vector<float>> found;
    for (const CpuVariant variant : cpu_variants_here()) {
        const ScopedCpuVariant scoped(variant);
        const auto step = make_dream_step_cpu(each.options());
        step->set_state(each.start());
        for (int s = 0; s < kSteps; ++s) step->step(each.batch());
        if (variant != CpuVariant::scalar) found.push_back(step->state().parameters);
    }
    for (const auto& parameters : found) CHECK(parameters == found.front());
}

TEST_CASE("dream step: threads change no bit, and large batches are the reference's") {
    for (const std::int64_t rows : {512, 513, 1500, 33'000}) {
        const DreamNetShape shape = rows < 2000 ? kUsual : DreamNetShape{3, {5, 4}, 2, 6};
        const DreamCase each(shape, rows, 11, true);
        check_like_reference(make_dream_step_cpu, each);
        std::vector<DreamStepState> found;
        for (const int threads : {1, 2, 3}) {
            DreamStepOptions options = each.options();
            options.threads = threads;
            const auto step = make_dream_step_cpu(options);
            step->set_state(each.start());
            step->step(each.batch());
            step->step(each.batch());
            found.push_back(step->state());
        }
        for (const DreamStepState& state : found) {
            CHECK(state.parameters == found.front().parameters);
            CHECK(state.second_moment == found.front().second_moment);
        }
    }
}

TEST_CASE("dream step: gradients are the slopes of the loss") {
    const DreamCase each({7, {6}, 3, 5}, 9, 3, true);
    // A learning rate that moves nothing: two losses a small way apart give the slope.
    DreamStepOptions options = each.options();
    options.adam.learning_rate = 1e-30;
    const auto step = make_dream_step_reference(options);
    const DreamStepState start = each.start();
    step->set_state(start);
    step->step(each.batch());
    const std::vector<float> gradients = step->gradients();
    double largest = 0;
    for (const float gradient : gradients)
        largest = std::max(largest, static_cast<double>(std::abs(gradient)));
    for (std::size_t i = 0; i < gradients.size(); i += 3) {
        const float way = 1e-3F;
        DreamStepState above = start, below = start;
        above.parameters[i] += way;
        below.parameters[i] -= way;
        const double apart =
            static_cast<double>(above.parameters[i]) - static_cast<double>(below.parameters[i]);
        step->set_state(above);
        const double high = step->step(each.batch()).total;
        step->set_state(below);
        const double slope = (high - step->step(each.batch()).total) / apart;
        CAPTURE(i);
        CHECK(std::abs(slope - static_cast<double>(gradients[i])) < 0.01 * largest);
    }
}

TEST_CASE("dream step: a state that was set goes on with the same bits") {
    const DreamCase each(kUsual, 50, 4, true);
    const auto one = make_dream_step_cpu(each.options()), two = make_dream_step_cpu(each.options());
    one->set_state(each.start());
    for (int s = 0; s < 4; ++s) one->step(each.batch());
    // What lies in the other's buffers must not matter: another batch went through them.
    two->set_state(each.start());
    two->step(DreamCase(kUsual, 77, 5, true).batch());
    two->set_state(one->state());
    CHECK(one->step(each.batch()).total == two->step(each.batch()).total);
    CHECK(one->state().parameters == two->state().parameters);
    CHECK(one->state().first_moment == two->state().first_moment);
    CHECK(one->gradients() == two->gradients());
    CHECK(one->state().steps == 5);
}

TEST_CASE("dream step: numbers that are not finite reach the losses") {
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        DreamCase each(kUsual, 40, 6, true);
        each.clean[81 * 35 + 3] = bad;
        const auto clean = make_dream_step_cpu(each.options());
        clean->set_state(each.start());
        CHECK(!std::isfinite(clean->step(each.batch()).total));
        DreamCase other(kUsual, 40, 6, true);
        other.anomalous[81 * 35 + 3] = std::numeric_limits<float>::quiet_NaN();
        const auto seen = make_dream_step_cpu(other.options());
        seen->set_state(other.start());
        CHECK(std::isnan(seen->step(other.batch()).reconstruction));
        CHECK(std::isnan(seen->step(other.batch()).total));
    }
}

TEST_CASE("dream step: sizes that do not fit are refused, and nothing changes") {
    const DreamCase each(kUsual, 8, 7, true);
    const auto step = make_dream_step_cpu(each.options());
    step->set_state(each.start());
    DreamStepBatch none = each.batch(), narrow = each.batch(), few = each.batch(), short_keep = each.batch();
    none.rows = 0;
    narrow.clean = narrow.clean.first(10);
    few.labels = few.labels.first(7);
    short_keep.keep = short_keep.keep.first(8);
    DreamStepBatch vast = each.batch();
    vast.rows = std::numeric_limits<std::int64_t>::max() / 2;
    for (const DreamStepBatch& batch : {none, DreamStepBatch{}, narrow, few, short_keep, vast})
        CHECK_THROWS_AS(step->step(batch), std::invalid_argument);
    DreamStepState half = each.start();
    half.first_moment.pop_back();
    CHECK_THROWS_AS(step->set_state(half), std::invalid_argument);
    CHECK(step->state().steps == 0);
    CHECK(step->state().parameters == each.start().parameters);
    const std::int64_t huge = std::numeric_limits<std::int64_t>::max();
    for (const DreamNetShape& shape :
         {DreamNetShape{0, {64}, 8, 1}, DreamNetShape{5, {0}, 8, 10}, DreamNetShape{5, {64}, -1, 10},
          DreamNetShape{huge, {64}, 8, 64}, DreamNetShape{81, {huge / 81}, 8, 64},
          DreamNetShape{1 << 20, {1 << 20}, 8, 64}, DreamNetShape{1 << 27, {1}, 1, 64}}) {
        CHECK_THROWS_AS(make_dream_step_cpu({shape, {}, 0.5}), std::invalid_argument);
    }
}

TEST_CASE("dream step: the GPU agrees with the reference") {
    if (!nightshift::tests::gpu_answers()) return;
    const auto backend = make_cuda_backend(std::size_t{1} << 30);
    const auto make = [&](const DreamStepOptions& options) {
        return make_dream_step_cuda(*backend, options);
    };
    check_cases(make);
    check_like_reference(make, {kUsual, 4096, 9, true});
}

TEST_CASE("dream anomalies: the last factor of a column counts, labels tell what changed") {
    const std::vector<float> clean{1, 2, 0, 4, 5, 6, 0, 0, 0};
    const std::vector<DreamScaling> scalings{{0, 1.5F, 1}, {2, 2, 0}, {0, 1, 0.5F}};
    //                                   coins           first        second     third
    const std::vector<float> uniforms{.4F, .6F, .9F, .1F, .2F, .3F, .4F, .5F, .6F, .2F, .4F, .6F};
    std::vector<float> anomalous(9), labels(3);
    dream_anomalies(clean, uniforms, scalings, 3, anomalous, labels);
    CHECK(anomalous == std::vector<float>{1, 2, 0, 4 * (1 + .5F * .4F), 5, 12, 0, 0, 0});
    CHECK(labels == std::vector<float>{0, 1, 0});
    std::vector<float> few(2);
    CHECK_THROWS_AS(dream_anomalies(clean, uniforms, scalings, 3, anomalous, few), std::invalid_argument);
    const std::vector<DreamScaling> outside{{3, 1, 1}, {0, 1, 1}, {0, 1, 1}};
    CHECK_THROWS_AS(dream_anomalies(clean, uniforms, outside, 3, anomalous, labels), std::invalid_argument);
    dream_anomalies({}, {}, scalings, 3, {}, {});
}
