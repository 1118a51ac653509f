#include "daemon/simulate_spec.h"

#include <doctest/doctest.h>

using namespace nightshift;
using namespace nightshift::daemon;

TEST_CASE("simulate: the whole form is read") {
    const auto spec = parse_simulate("gpu=8GiB,gpu=12GiB,foreign=1GiB@10s-60s,foreign=512MiB,temp=70");
    REQUIRE(spec);
    CHECK(spec->gpus == std::vector<Bytes>{gibibytes(8), gibibytes(12)});
    CHECK(spec->temperature_c == 70.0);
    CHECK(spec->foreign_at(seconds(9)) == mebibytes(512));
    CHECK(spec->foreign_at(seconds(10)) == mebibytes(1536));
    CHECK(spec->foreign_at(seconds(60)) == mebibytes(512));
    CHECK(spec->next_change(seconds(0)) == seconds(10));
    CHECK(spec->next_change(seconds(10)) == seconds(60));
    CHECK_FALSE(spec->next_change(seconds(60)));
}

TEST_CASE("simulate: whatever is not understood is named") {
    for (const char* text :
         {"", "temp=70", "gpu", "gpu=", "gpu=much", "gpu=0", "gpu=8GiB,gpu", "gpu=8GiB,fan=3",
          "gpu=8GiB,temp=hot", "gpu=8GiB,temp=400", "gpu=8GiB,foreign=1GiB@9s-3s", "gpu=8GiB,foreign=@3s",
          "gpu=8GiB,foreign=1GiB@x"}) {
        CAPTURE(text);
        const auto spec = parse_simulate(text);
        REQUIRE_FALSE(spec);
        CHECK(spec.error().reason == "bad_simulate");
        CHECK_FALSE(spec.error().hint.empty());
    }
}
