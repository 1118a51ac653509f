#pragma once

#include <cstdint>
#include <span>

namespace nightshift::jobs {

/// How a row's map is moved in training, in frames and places.
struct MapShift {
    int frames = 0, places = 0;
};

/// The random numbers of supervised training, from Philox with the job's seed: what is drawn depends on
/// epoch and batch alone, so a resumed run needs no generator state. Immutable, any thread.
class SupervisedDraws {
  public:
    explicit SupervisedDraws(std::uint64_t seed) : seed_(seed) {}

    /// Dropout factors: 0 with probability `dropped`, else 1 / (1 - dropped).
    void keep_factors(std::int64_t epoch, std::int64_t batch, float dropped, std::span<float> out) const;
    /// One a row, up to `frames` and `places` either way.
    void shifts(std::int64_t epoch, std::int64_t batch, int frames, int places,
                std::span<MapShift> out) const;
    /// Normal numbers with deviation `deviation`.
    void noise(std::int64_t epoch, std::int64_t batch, float deviation, std::span<float> out) const;

  private:
    std::uint64_t seed_;
};

}  // namespace nightshift::jobs
