#pragma once

#include "kernels/histogram.h"
#include "kernels/letterbox.h"
#include "kernels/nms.h"
#include "kernels/normalise.h"
#include "kernels/top_k.h"
#include "tests/kernels/every_variant.h"

namespace nightshift::tests {

struct Device {};

template <typename... A>
auto letterbox(Device&, const A&... a) {
    return kernels::letterbox_cpu(a...);
}
template <typename... A>
auto normalise(Device&, const A&... a) {
    return kernels::normalise_cpu(a...);
}
template <typename... A>
auto byte_histogram(Device&, const A&... a) {
    return kernels::byte_histogram_cpu(a...);
}
template <typename... A>
auto value_histogram(Device&, const A&... a) {
    return kernels::value_histogram_cpu(a...);
}
template <typename... A>
auto nms(Device&, const A&... a) {
    return kernels::nms_cpu(a...);
}
template <typename... A>
auto top_k(Device&, const A&... a) {
    return kernels::top_k_cpu(a...);
}

template <typename Check>
void on_every_device(const Check& check) {
    on_every_variant([&] {
        Device device;
        check(device);
    });
}

}  // namespace nightshift::tests
