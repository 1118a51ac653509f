#include "kernels/device.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <string_view>

TEST_CASE("device: a GPU answers where the caller says that it has to") {
    const char* const wanted = std::getenv("NIGHTSHIFT_TEST_GPU");
    if (wanted == nullptr || std::string_view(wanted) != "required") return;
    CAPTURE(std::string(nightshift::kernels::cuda_unavailable_reason()));
    CHECK(nightshift::kernels::cuda_available());
}

TEST_CASE("device: a machine without a usable GPU says why") {
    if (nightshift::kernels::cuda_available()) {
        CHECK(std::string(nightshift::kernels::cuda_unavailable_reason()).empty());
    } else {
        CHECK_FALSE(std::string(nightshift::kernels::cuda_unavailable_reason()).empty());
    }
}
