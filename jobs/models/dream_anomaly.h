#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kernels/dream_step.h"

namespace nightshift::jobs {

/// The synthetic anomalies DREAM learns against: chosen rows get some columns multiplied by a factor of
/// their own. Which columns and how far follows from the features' names.
class DreamAnomaly {
  public:
    using Scaling = kernels::DreamScaling;

    /// Names with acceleration 1.2-1.8, curvature 1.15-1.5, strain 1.1-1.4, impact 1.3-2.0, speed 1.1-1.3,
    /// each group narrowed to statistics where it has any. No name matches: first half of the columns
    /// 1.1-1.4, second half 1.05-1.2.
    explicit DreamAnomaly(const std::vector<std::string>& features);

    const std::vector<Scaling>& scalings() const { return scalings_; }
    bool is_fallback() const { return is_fallback_; }
    /// Uniform numbers a batch needs: (1 + scalings) rows of `rows`.
    std::size_t uniforms(std::size_t rows) const { return (1 + scalings_.size()) * rows; }

    /// clean [n, D], uniforms [1 + scalings, n]: row 0 is each row's coin (> 0.5: anomalous), then one row a
    /// scaling. Writes anomalous [n, D] and labels [n] (1 where any value changed by more than 1e-6).
    void apply(std::span<const float> clean, std::span<const float> uniforms, std::span<float> anomalous,
               std::span<float> labels) const;

  private:
    std::vector<Scaling> scalings_;
    std::int64_t columns_ = 0;
    bool is_fallback_ = false;
};

}  // namespace nightshift::jobs
