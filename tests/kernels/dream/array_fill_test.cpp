#include "kernels/array_fill.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "kernels/cpu/array_ops.h"
#include "kernels/philox.h"
#include "tests/kernels/every_variant.h"

using namespace nightshift::kernels;
using nightshift::tests::on_every_variant;

TEST_CASE("array fill: Philox arrays are its words one by one, from any block on") {
    on_every_variant([] {
        for (const std::int64_t count : {0, 1, 3, 63, 64, 65, 1000}) {
            const PhiloxStream stream{0x123456789abcdef0U, 7, 0xd409, 99};
            std::vector<std::uint32_t> words(static_cast<std::size_t>(count) + 1, 42);
            array_ops().philox(stream, 0, words.data(), count);
            int wrong = words.back() != 42;
            for (std::int64_t i = 0; i < count; ++i) {
                const PhiloxWords four =
                    philox({static_cast<std::uint32_t>(i / 4), stream.frame, stream.kind, stream.sequence},
                           stream.key);
                const std::uint32_t lanes[4] = {four.w0, four.w1, four.w2, four.w3};
                wrong += words[static_cast<std::size_t>(i)] != lanes[i % 4];
            }
            CHECK(wrong == 0);
            for (const std::int64_t first : {4, 64, 260}) {
                if (first > count) continue;
                std::vector<std::uint32_t> later(static_cast<std::size_t>(count - first));
                array_ops().philox(stream, first, later.data(), count - first);
                CHECK(std::equal(later.begin(), later.end(), words.begin() + first));
            }
            std::vector<float> uniform(words.size()), keep(words.size());
            array_ops().uniforms(words.data(), uniform.data(), count, 0);
            array_ops().uniforms(words.data(), keep.data(), count, 0.1F);
            for (std::size_t i = 0; i + 1 < words.size(); ++i) {
                REQUIRE(uniform[i] == unit_float(words[i]));
                REQUIRE(keep[i] == (uniform[i] < 0.1F ? 0.0F : 1.0F / (1.0F - 0.1F)));
            }
        }
    });
}

TEST_CASE("array fill: arrays longer than what is drawn at a time have the words of one stream") {
    const PhiloxStream stream{99, 3, 0xa40, 5};
    on_every_variant([&] {
        for (const std::size_t count : {1023U, 1024U, 1025U, 5000U}) {
            std::vector<std::uint32_t> words(count);
            fill_words(stream, words);
            std::vector<float> uniform(count), keep(count);
            fill_uniforms(stream, uniform);
            fill_keep_factors(stream, 0.25F, keep);
            for (std::size_t i = 0; i < count; ++i) {
                REQUIRE(uniform[i] == unit_float(words[i]));
                REQUIRE(keep[i] == (uniform[i] < 0.25F ? 0.0F : 1.0F / (1.0F - 0.25F)));
            }
        }
    });
}
