#include "kernels/philox.h"

#include <doctest/doctest.h>

using nightshift::kernels::philox;
using nightshift::kernels::PhiloxWords;

// Known answers of the authors' own test file (Random123, kat_vectors, philox4x32 10).
TEST_CASE("philox: answers of the published vectors") {
    SUBCASE("zeros") {
        const PhiloxWords w = philox({0, 0, 0, 0}, 0);
        CHECK(w.w0 == 0x6627e8d5u);
        CHECK(w.w1 == 0xe169c58du);
        CHECK(w.w2 == 0xbc57ac4cu);
        CHECK(w.w3 == 0x9b00dbd8u);
    }
    SUBCASE("ones") {
        const PhiloxWords w = philox({~0u, ~0u, ~0u, ~0u}, ~0ull);
        CHECK(w.w0 == 0x408f276du);
        CHECK(w.w1 == 0x41c83b0eu);
        CHECK(w.w2 == 0xa20bc7c6u);
        CHECK(w.w3 == 0x6d5451fdu);
    }
    SUBCASE("digits of pi") {
        const PhiloxWords w =
            philox({0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u}, 0x299f31d0a4093822ull);
        CHECK(w.w0 == 0xd16cfe09u);
        CHECK(w.w1 == 0x94fdccebu);
        CHECK(w.w2 == 0x5001e420u);
        CHECK(w.w3 == 0x24126ea1u);
    }
}

TEST_CASE("philox: uniforms stay inside the open interval") {
    using nightshift::kernels::unit_double;
    using nightshift::kernels::unit_float;
    CHECK(unit_float(0) > 0.0f);
    CHECK(unit_float(~0u) < 1.0f);
    CHECK(unit_double(0) > 0.0);
    CHECK(unit_double(~0u) < 1.0);
}
