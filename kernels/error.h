#pragma once

#include <stdexcept>

namespace nightshift::kernels {

/// The one exception of this folder: a device is missing, out of memory, or its driver failed. The
/// message names the call and what to do.
class DeviceError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace nightshift::kernels
