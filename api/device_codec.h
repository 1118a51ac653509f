#pragma once

#include <nlohmann/json_fwd.hpp>

#include "api/context.h"

namespace nightshift::api {

/// Memory kept for inference now: the first headroom entry of the policy whose window is open.
Bytes headroom_now(const Policy& policy, const TimeZones& zones, UnixMs now);

/// A device with its ledger: total = safety + foreign + held + free (free never below 0); `headroom` is
/// the part of it that only inference may take now. Unknown readings are null, never 0.
nlohmann::ordered_json device_object(Context& context, const DeviceState& state,
                                     const std::vector<Lease>& leases);

}  // namespace nightshift::api
