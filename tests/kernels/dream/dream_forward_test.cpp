#include "kernels/dream_net.h"

#include <doctest/doctest.h>

#include <functional>
#include <stdexcept>
#include <string>

#include "kernels/device.h"
#include "kernels/error.h"
#include "tests/kernels/dream/dream_case.h"
#include "tests/kernels/every_backend.h"
#include "tests/kernels/every_variant.h"
#include "tests/support/seed.h"

using namespace nightshift::kernels;
using nightshift::tests::dream_parameters;
using nightshift::tests::normals;
using nightshift::tests::on_every_variant;
using nightshift::tests::relative_error;

namespace {

using Forward = std::function<decltype(dream_forward_cpu)>;

constexpr float kWeight = 0.5F;

struct Output {
    std::vector<float> reconstruction, latent, probability, score;

    Output(const DreamNetShape& shape, std::size_t n)
        : reconstruction(n * static_cast<std::size_t>(shape.columns)),
          latent(n * static_cast<std::size_t>(shape.latent)),
          probability(n),
          score(n) {}
    DreamNetOutput spans() { return {reconstruction, latent, probability, score}; }
};

void check_forward(const Forward& forward, const DreamNetShape& shape, std::int64_t rows,
                   std::uint64_t seed) {
    CAPTURE(shape.columns);
    CAPTURE(rows);
    const std::vector<float> parameters = dream_parameters(shape, seed),
                             values = normals(rows * shape.columns, seed);
    Output ours(shape, static_cast<std::size_t>(rows)), expected(shape, static_cast<std::size_t>(rows));
    forward(shape, parameters, kWeight, values, ours.spans());
    dream_forward_reference(shape, parameters, kWeight, values, expected.spans());
    CHECK(relative_error(ours.reconstruction, expected.reconstruction) < 1e-6);
    CHECK(relative_error(ours.latent, expected.latent) < 1e-6);
    CHECK(relative_error(ours.probability, expected.probability) < 1e-6);
    CHECK(relative_error(ours.score, expected.score) < 1e-6);
    std::vector<float> alone(ours.score.size());
    forward(shape, parameters, kWeight, values, {{}, {}, {}, alone});
    CHECK(alone == ours.score);
}

void check_shapes(const Forward& forward) {
    const std::uint64_t seed = nightshift::tests::seed();
    const DreamNetShape usual{81, {64, 32, 16}, 8, 64};
    for (const std::int64_t rows : {0, 1, 16, 31, 32, 33, 500}) check_forward(forward, usual, rows, seed);
    check_forward(forward, {1, {64, 32, 16}, 8, 2}, 40, seed);
    check_forward(forward, {13, {}, 5, 26}, 40, seed);
    check_forward(forward, {4096, {64, 32, 16}, 8, 64}, 5, seed);
}

}  // namespace

TEST_CASE("dream forward: the CPU gives the reference's numbers") {
    on_every_variant([] { check_shapes(dream_forward_cpu); });
}

TEST_CASE("dream forward: a row has the same bits in any company") {
    const DreamNetShape shape{81, {64, 32, 16}, 8, 64};
    const std::vector<float> parameters = dream_parameters(shape, 1), values = normals(70 * 81, 2);
    std::vector<float> all(70);
    dream_forward_cpu(shape, parameters, kWeight, values, {{}, {}, {}, all});
    for (std::size_t r = 0; r < 70; ++r) {
        float alone = 0;
        const auto row = std::span<const float>(values).subspan(r * 81, 81);
        dream_forward_cpu(shape, parameters, kWeight, row, {{}, {}, {}, {&alone, 1}});
        CHECK(alone == all[r]);
    }
}

TEST_CASE("dream forward: sizes that do not fit are refused") {
    const DreamNetShape shape{5, {4}, 2, 10};
    const std::vector<float> parameters = dream_parameters(shape, 1), values = normals(20, 2);
    std::vector<float> score(4), few(3);
    const std::span<const float> all(values);
    dream_forward_cpu(shape, parameters, kWeight, values, {{}, {}, {}, score});
    CHECK_THROWS_AS(dream_forward_cpu(shape, parameters, kWeight, values, {{}, {}, {}, few}),
                    std::invalid_argument);
    CHECK_THROWS_AS(dream_forward_cpu(shape, parameters, kWeight, all.first(19), {}), std::invalid_argument);
    CHECK_THROWS_AS(dream_forward_cpu(shape, values, kWeight, values, {{}, {}, {}, score}),
                    std::invalid_argument);
}

TEST_CASE("dream forward: the GPU gives the reference's numbers") {
    if (!nightshift::tests::gpu_answers()) return;
    const auto backend = make_cuda_backend(std::size_t{1} << 30);
    check_shapes([&](auto&&... all) { dream_forward_cuda(*backend, all...); });
}
