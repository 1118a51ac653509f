#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "jobs/fpcb/dataset.h"
#include "kernels/backend.h"

namespace nightshift::jobs {

/// Where `generate` takes its sequences from: known before anything is drawn, each drawn for itself.
class SequenceSource {
  public:
    virtual ~SequenceSource() = default;
    virtual std::size_t size() const = 0;
    /// Sequences first .. last - 1, the same for any number of threads and with or without a GPU (null).
    virtual std::vector<Sequence> make(std::size_t first, std::size_t last, int threads,
                                       kernels::Backend* gpu) const = 0;
    virtual std::string manifest() const = 0;   ///< text of manifest.json
};

/// Our own generator: Philox, difficulties, sub-pixels. Throws JobError("bad_param").
std::unique_ptr<SequenceSource> make_philox_source(const nlohmann::json& params);
/// The public reference's generator and data set recipe, or the listed `sequences`. Throws
/// JobError("bad_param", "unsupported_param") saying which parameter to leave out.
std::unique_ptr<SequenceSource> make_compat_source(const nlohmann::json& params);

}  // namespace nightshift::jobs
