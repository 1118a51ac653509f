#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "scheduler/result.h"
#include "scheduler/units.h"

namespace nightshift::daemon {

/// `--simulate gpu=8GiB[,gpu=12GiB][,foreign=1GiB@10s-60s][,temp=70]`
struct SimulateSpec {
    /// Memory that another program seems to hold, counted from the start of the daemon.
    struct Foreign {
        Bytes bytes;
        Millis from;
        std::optional<Millis> to;  ///< nothing = to the end
    };
    std::vector<Bytes> gpus;
    std::vector<Foreign> foreign;  ///< on the first GPU
    std::optional<double> temperature_c;

    Bytes foreign_at(Millis since_start) const;
    /// The next time after `since_start` at which foreign memory changes.
    std::optional<Millis> next_change(Millis since_start) const;
};

inline constexpr std::size_t kSimulatedGpusMax = 16;

/// Fails: invalid_argument "bad_simulate" naming the part that was not understood.
Result<SimulateSpec> parse_simulate(std::string_view text);

}  // namespace nightshift::daemon
