#include "jobs/optimize/samplers.h"
#include "jobs/runtime/job_impl.h"
#include "kernels/draws.h"

namespace nightshift::jobs {
namespace {

constexpr std::size_t kGridPointsMax = 100'000;

}  // namespace

std::vector<Point> grid_points(const SearchSpace& space) {
    std::vector<Point> points{{}};
    for (const Dimension& dimension : space) {
        const std::vector<double> values = dimension.grid();
        if (points.size() * values.size() > kGridPointsMax) {
            throw JobError("bad_param",
                           "the grid has more than " + std::to_string(kGridPointsMax) +
                               " points; give fewer points to its dimensions, or use method tpe");
        }
        std::vector<Point> longer;
        longer.reserve(points.size() * values.size());
        for (const Point& point : points) {
            for (const double value : values) {
                longer.push_back(point);
                longer.back().push_back(value);
            }
        }
        points = std::move(longer);
    }
    return points;
}

Point random_point(const SearchSpace& space, std::uint64_t seed, std::int64_t number) {
    Point point;
    for (const Dimension& dimension : space) {
        kernels::Draws draws(seed, static_cast<std::uint32_t>(number),
                             static_cast<std::uint32_t>(point.size()));
        // Integers and words have half a step of room at both ends, so that each is as likely as the others.
        const double room = dimension.kind == Dimension::Kind::kReal || dimension.is_log ? 0 : 0.5;
        point.push_back(dimension.outer(
            draws.uniform(dimension.inner(dimension.low) - room, dimension.inner(dimension.high) + room)));
    }
    return point;
}

}  // namespace nightshift::jobs
