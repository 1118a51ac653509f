#include "kernels/device.h"

#include <doctest/doctest.h>

#include <string>

TEST_CASE("device: a machine without a usable GPU says why") {
    if (nightshift::kernels::cuda_available()) {
        CHECK(std::string(nightshift::kernels::cuda_unavailable_reason()).empty());
    } else {
        CHECK_FALSE(std::string(nightshift::kernels::cuda_unavailable_reason()).empty());
    }
}
