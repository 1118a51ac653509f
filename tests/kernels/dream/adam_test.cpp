#include "kernels/adam.h"

#include <doctest/doctest.h>

#include <cmath>
#include <stdexcept>
#include <vector>

#include "kernels/cpu/array_ops.h"
#include "tests/kernels/dream/dream_case.h"
#include "tests/kernels/every_variant.h"

using namespace nightshift::kernels;
using nightshift::tests::normals;
using nightshift::tests::on_every_variant;

TEST_CASE("Adam is its formula in every bit, also once the correction is 1") {
    CHECK(adam_factors({}, 16'627).correction < 1.0F);
    CHECK(adam_factors({}, 16'628).correction == 1.0F);
    const std::int64_t count = 517;
    const std::vector<float> gradients = normals(count, 5), start = normals(count, 6),
                             first = normals(count, 7, 0.1F);
    for (const float correction : {0.0316F, 1.5F, std::nextafter(1.0F, 0.0F), 1.0F}) {
        const AdamFactors f{1e-2F, 0.1F, 0.999F, 1e-3F, 2e-3F, correction, 1e-8F};
        on_every_variant([&] {
            std::vector<float> parameters = start, mean = first, second(517, 0.5F);
            array_ops().adam(parameters.data(), mean.data(), second.data(), gradients.data(), count, f);
            for (std::size_t i = 0; i < parameters.size(); ++i) {
                const float decayed = f.weight_decay * start[i];
                const float gradient = gradients[i] + decayed;
                const float way = f.mix1 * (gradient - first[i]);
                const float moved = first[i] + way;
                const float kept = f.keep2 * 0.5F, square = gradient * gradient;
                const float mixed = f.mix2 * square;
                const float squares = kept + mixed;
                const float root = std::sqrt(squares) / f.correction;
                const float top = f.step_size * moved;
                const float step = top / (root + f.epsilon);
                REQUIRE(mean[i] == moved);
                REQUIRE(second[i] == squares);
                REQUIRE(parameters[i] == start[i] - step);
            }
        });
    }
}

TEST_CASE("Adam has the same bits on every instruction set, and PyTorch's formula") {
    const std::int64_t count = 1003;
    const std::vector<float> gradients = normals(count, 5);
    std::vector<std::vector<float>> results;
    on_every_variant([&] {
        std::vector<float> parameters = normals(count, 6), first = normals(count, 7, 0.1F),
                           second(1003, 0.5F);
        array_ops().adam(parameters.data(), first.data(), second.data(), gradients.data(), count,
                         {1e-2F, 0.1F, 0.999F, 1e-3F, 2e-3F, 1.5F, 1e-8F});
        results.push_back(parameters);
    });
    for (const auto& each : results) CHECK(each == results.front());
    std::vector<float> parameters = normals(count, 6), first(1003), second(1003);
    adam_update(parameters, first, second, gradients, 1, {0.01, 0});
    // The first step goes by the learning rate, whatever the gradient's size.
    const std::vector<float> before = normals(count, 6);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const double way = static_cast<double>(before[i]) - static_cast<double>(parameters[i]);
        REQUIRE(std::abs(way - std::copysign(0.01, static_cast<double>(gradients[i]))) < 1e-5);
    }
    CHECK_THROWS_AS(adam_update(parameters, first, std::span(second).first(5), gradients, 1, {}),
                    std::invalid_argument);
}
