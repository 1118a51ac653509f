#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "jobs/fpcb/dataset.h"
#include "kernels/compat_generator.h"

namespace nightshift::jobs {

/// Points over all frames of one sequence, and of all that are listed: they may share a shard in memory.
inline constexpr std::int64_t kCompatPointFramesMax = 1 << 25;

/// One sequence as the public reference is asked for it.
struct CompatSequence {
    std::string name;   ///< folder below the data set: "crack_in_bending/crack_0001"
    kernels::CompatConfig config;
    double meters_per_pixel = 0;    ///< 0 = 1e-3 / pixels_per_mm
    std::string extra = "{}";       ///< JSON object put after its own metadata, in its order
};

/// An entry of generate's `sequences`: name, any of the reference's configuration keys, extra_metadata (an
/// object, whose usual keys come in the reference's order, or a list of [key, value] in any order). `where`
/// names it in messages. Throws JobError("bad_param").
CompatSequence compat_sequence_of(const nlohmann::json& entry, const std::string& where);

/// metadata.json, byte for byte.
std::string compat_metadata(const CompatSequence& sequence);

/// Draws the sequence. Its side files are those of the reference's bundle (fps.txt, frame_metrics.csv,
/// metadata.json), so it reads and exports like an imported one. Any thread.
Sequence make_compat_sequence(const CompatSequence& sequence, std::int64_t id);

}  // namespace nightshift::jobs
