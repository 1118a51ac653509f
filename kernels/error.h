#pragma once

#include <stdexcept>

namespace nightshift::kernels {

/// The exception of this folder besides std::invalid_argument: a device is missing, or its driver failed.
/// The message names the op, its shapes, the call and what to do.
class DeviceError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A Backend's byte budget does not allow what was asked for. Nothing was taken. The message begins with
/// `over_budget` and names the owners of what is held, the largest first.
class OverBudget : public DeviceError {
    using DeviceError::DeviceError;
};

}  // namespace nightshift::kernels
