#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "jobs/fpcb/dataset.h"
#include "kernels/compat_vectors.h"

namespace nightshift::jobs {

inline constexpr std::size_t kVectorRowsMax = 2'000'000;   ///< some 300 MB of memory, 600 MB of text

/// The reference's table of one sequence and what it says of it.
struct VectorTable {
    kernels::CompatVectors vectors;
    std::optional<kernels::FrameMetrics> metrics;   ///< where the sequence has a frame_metrics.csv
    double fps = 0, meters_per_pixel = 0;           ///< 0 = no scale: no SI columns
};

/// fps and meters_per_pixel: 0 = the sequence's own. Throws JobError("too_large", "bad_bundle", "no_fps").
VectorTable vector_table(const Sequence& sequence, double fps, double meters_per_pixel,
                         const kernels::CompatRisk& risk = {});

/// Takes pieces of a text that may be too long to be held.
using TextSink = std::function<void(std::string_view piece)>;

/// vectors.csv, numbers as Python's repr; the reference's columns: SI with a scale, metrics with those.
void put_vectors_csv(const VectorTable& table, const Sequence& sequence, const TextSink& put);
/// vectors.txt: fewer columns, six decimals.
void put_vectors_txt(const VectorTable& table, const Sequence& sequence, const TextSink& put);

/// summary.json and summary.txt in the reference's order.
nlohmann::ordered_json vector_summary(const VectorTable& table, const Sequence& sequence);
std::string vector_summary_text(const nlohmann::ordered_json& summary);

}  // namespace nightshift::jobs
