#include <cstdint>
#include <vector>

#include "kernels/cpu/feature_checks.h"
#include "kernels/cpu/feature_columns.h"
#include "kernels/cpu/in_threads.h"
#include "kernels/feature_batch.h"

namespace nightshift::kernels {

namespace {

/// Room for the sequences' columns, and where each begins.
struct Placed {
    FeatureBatch batch;
    std::vector<double*> rows;

    template <typename FramesOf>
    Placed(std::size_t sequences, const FramesOf& frames_of) {
        std::size_t frames = 0;
        for (std::size_t i = 0; i < sequences; ++i) frames += frames_of(i);
        batch.rows.resize(frames * kCompatColumns);
        batch.global.resize(sequences * kCompatGlobalColumns);
        double* at = batch.rows.data();
        for (std::size_t i = 0; i < sequences; ++i) {
            rows.push_back(at);
            at += frames_of(i) * kCompatColumns;
        }
    }

    double* global(std::size_t i) { return batch.global.data() + i * kCompatGlobalColumns; }
};

}  // namespace

FeatureBatch feature_batch_cpu(std::span<const FeatureInput> sequences, Precision precision, int threads) {
    for (const FeatureInput& one : sequences) check_fits(one, precision);
    Placed out(sequences.size(),
               [&](std::size_t i) { return static_cast<std::size_t>(sequences[i].tracks.frames); });
    in_threads(sequences.size(), threads, [&] {
        return [&](std::size_t i) {
            write_columns(sequences[i].tracks, *sequences[i].metrics, precision, out.rows[i], out.global(i));
        };
    });
    return std::move(out.batch);
}

FeatureBatch generate_features_cpu(std::span<const DrawnFeatureInput> sequences, Precision precision,
                                   int threads) {
    for (const DrawnFeatureInput& one : sequences) check_fits(one, precision);
    Placed out(sequences.size(), [&](std::size_t i) { return sequences[i].plan->frames.size(); });
    in_threads(sequences.size(), threads, [&] {
        // About 55 KB a sequence, and the same for the next: they stay in the second cache.
        return [&, x = std::vector<std::int16_t>(), y = std::vector<std::int16_t>()](std::size_t i) mutable {
            const DrawnFeatureInput& one = sequences[i];
            const std::size_t values = one.plan->points.size() * one.plan->frames.size();
            if (one.tracks.x == nullptr) {
                x.resize(std::max(x.size(), values));
                y.resize(x.size());
            }
            const TrackPlanes planes = one.tracks.x != nullptr ? one.tracks : TrackPlanes{x.data(), y.data()};
            generate_tracks_cpu(*one.plan, planes);
            write_columns(view_of(one, planes), *one.metrics, precision, out.rows[i], out.global(i));
        };
    });
    return std::move(out.batch);
}

}  // namespace nightshift::kernels
