#include "kernels/generator.h"

#include <cstring>
#include <stdexcept>
#include <string>

#include "kernels/buffer.h"
#include "kernels/cuda/plan_tracks.cuh"

namespace nightshift::kernels {
namespace {

/// Frames that one block draws.
struct Tile {
    int plan, first;
};

/// in  tiles [grid], points and frames of all plans one after another
/// out x, y [sum of frames x points] int16, frame-major
/// Shared: sums_room() floats a frame of a tile.
__global__ void generate(const Tile* tiles, const cuda::PackedPlan* plans, const PlanPoint* points,
                         const PlanFrame* frames, int tile_frames, std::int16_t* x, std::int16_t* y) {
    const Tile tile = tiles[blockIdx.x];
    const cuda::PackedPlan plan = plans[tile.plan];
    const std::size_t row =
        plan.first_value + static_cast<std::size_t>(tile.first) * static_cast<std::size_t>(plan.points);
    cuda::draw_frames(plan, points + plan.first_point, frames + plan.first_frame, tile.first,
                      min(tile_frames, plan.frames - tile.first), cuda::shared_memory<float>(),
                      {x + row, y + row});
}

}  // namespace

void generate_tracks_cuda(Backend& backend, std::span<const TrackPlan> plans,
                          std::span<const TrackPlanes> out) {
    if (plans.size() != out.size()) throw std::invalid_argument("generate_tracks: one destination a plan");
    cuda::PackedPlans packed;
    for (const TrackPlan& plan : plans) packed.add(plan);
    const cuda::Op op(backend, "generate_tracks",
                      std::to_string(plans.size()) + " plans, " + std::to_string(packed.values) + " values");
    if (packed.values == 0) return;
    const Buffer<cuda::PackedPlan> device_plans(backend, packed.plans, "generate.plans");
    const Buffer<PlanPoint> points(backend, packed.points, "generate.points");
    const Buffer<PlanFrame> frames(backend, packed.frames, "generate.frames");
    Buffer<std::int16_t> device_x(backend, packed.values, "generate.tracks");
    Buffer<std::int16_t> device_y(backend, packed.values, "generate.tracks");
    const std::size_t room = sizeof(float) * cuda::sums_room(packed.points_max);
    const auto tile_frames =
        static_cast<int>(std::min<std::size_t>(cuda::kTileFramesMax, cuda::kSharedBytesAlways / room));
    std::vector<Tile> tiles;
    for (std::size_t i = 0; i < packed.plans.size(); ++i) {
        for (int first = 0; first < packed.plans[i].frames; first += tile_frames)
            tiles.push_back({static_cast<int>(i), first});
    }
    const Buffer<Tile> device_tiles(backend, tiles, "generate.plans");
    cuda::launch(op, "generate", static_cast<unsigned>(tiles.size()), cuda::kPlanThreads,
                 room * static_cast<std::size_t>(tile_frames), generate, device_tiles.data(),
                 device_plans.data(), points.data(), frames.data(), tile_frames, device_x.data(),
                 device_y.data());
    const std::vector<std::int16_t> x = device_x.to_host(), y = device_y.to_host();
    for (std::size_t i = 0; i < out.size(); ++i) {
        const std::size_t count = plans[i].points.size() * plans[i].frames.size();
        if (count == 0) continue;
        std::memcpy(out[i].x, x.data() + packed.plans[i].first_value, count * sizeof(std::int16_t));
        std::memcpy(out[i].y, y.data() + packed.plans[i].first_value, count * sizeof(std::int16_t));
    }
}

}  // namespace nightshift::kernels
