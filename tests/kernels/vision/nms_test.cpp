#include "kernels/nms.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/kernels/every_backend.h"
#include "tests/kernels/vision/vision_data.h"

namespace nightshift::tests {

using namespace nightshift::kernels;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Detections {
    std::vector<float> boxes;  ///< [n, 4]
    std::vector<float> scores;
    std::vector<std::int32_t> classes;

    std::int64_t count() const { return static_cast<std::int64_t>(scores.size()); }
    TensorView<const float, 2> box_view() const { return contiguous_view(boxes.data(), {count(), 4}); }
    TensorView<const float, 1> score_view() const { return contiguous_view(scores.data(), {count()}); }
    TensorView<const std::int32_t, 1> class_view() const {
        return contiguous_view(classes.data(), {count()});
    }
};

std::vector<std::int64_t> kept_of(Backend& device, const Detections& all, const NmsParams& params) {
    return nms(device, all.box_view(), all.score_view(), all.class_view(), params);
}

/// Boxes crowded into a square, so that many overlap.
Detections crowd(std::size_t count, int classes, float size, std::uint64_t key) {
    const std::vector<float> random = some_values(count * 6, key);
    Detections all;
    for (std::size_t i = 0; i < count; ++i) {
        const float* r = random.data() + 6 * i;
        const float x = r[0] * 640, y = r[1] * 640;
        for (const float side : {x, y, x + size * (.5F + r[2]), y + size * (.5F + r[3])})
            all.boxes.push_back(side);
        all.scores.push_back(std::floor(r[4] * 500) / 500);  // ties
        all.classes.push_back(static_cast<std::int32_t>(r[5] * static_cast<float>(classes)) * 1000 - 7);
    }
    return all;
}

/// torchvision's loops, with every pair compared.
std::vector<std::int64_t> by_definition(const Detections& all, const NmsParams& params) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < all.scores.size(); ++i) {
        if (all.scores[i] > params.score_threshold) order.push_back(i);
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return all.scores[a] > all.scores[b]; });
    std::vector<bool> is_out(all.scores.size());
    std::vector<std::int64_t> kept;
    for (std::size_t at = 0; at < order.size(); ++at) {
        const std::size_t i = order[at];
        if (is_out[i]) continue;
        if (static_cast<std::int64_t>(kept.size()) == params.output_max) break;
        kept.push_back(static_cast<std::int64_t>(i));
        for (std::size_t later = at + 1; later < order.size(); ++later) {
            const std::size_t j = order[later];
            if (params.is_class_aware && all.classes[i] != all.classes[j]) continue;
            const float *a = all.boxes.data() + 4 * i, *b = all.boxes.data() + 4 * j;
            const float own = (a[2] - a[0]) * (a[3] - a[1]), other = (b[2] - b[0]) * (b[3] - b[1]);
            const float width = std::max(0.0F, std::min(a[2], b[2]) - std::max(a[0], b[0]));
            const float height = std::max(0.0F, std::min(a[3], b[3]) - std::max(a[1], b[1]));
            const float both = width * height;
            if (static_cast<double>(both / (own + other - both)) > params.iou_threshold) is_out[j] = true;
        }
    }
    return kept;
}

using Kept = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("nms: numbers worked out by hand") {
    on_every_backend([](Backend& device) {
        // The second covers half of the first, the third lies apart, the fourth touches the first's edge.
        const Detections all{
            {0, 0, 2, 2, 0, 0, 2, 1, 5, 5, 6, 6, 2, 0, 4, 2}, {.5F, .9F, .9F, .1F}, {0, 0, 0, 0}};
        NmsParams params;
        params.iou_threshold = .5;
        CHECK(kept_of(device, all, params) == Kept{1, 2, 0, 3});  // an overlap of .5 is not greater than .5
        params.iou_threshold = .49;
        CHECK(kept_of(device, all, params) == Kept{1, 2, 3});
        params.output_max = 2;
        CHECK(kept_of(device, all, params) == Kept{1, 2});
        params.output_max = 0;
        CHECK(kept_of(device, all, params).empty());
        params = {};
        params.iou_threshold = 0;
        params.score_threshold = .1F;  // has to be greater
        CHECK(kept_of(device, all, params) == Kept{1, 2});
        params.score_threshold = kInfinity;
        CHECK(kept_of(device, all, params).empty());
        CHECK(kept_of(device, {}, {}).empty());
        CHECK(kept_of(device, {{1, 1, 2, 2}, {3}, {4}}, {}) == Kept{0});
    });
}

TEST_CASE("nms: a threshold that is no float is not rounded") {
    const Detections all{{0, 0, 9, 1, 0, 0, 5, 1}, {2, 1}, {0, 0}};
    const double overlap = static_cast<double>(5.0F / 9.0F);
    on_every_backend([&](Backend& device) {
        NmsParams params;
        params.iou_threshold = overlap;
        CHECK(kept_of(device, all, params) == Kept{0, 1});
        params.iou_threshold = overlap - 1e-12;  // the nearest float is the overlap itself
        CHECK(kept_of(device, all, params) == Kept{0});
        params.iou_threshold = overlap + 1e-12;
        CHECK(kept_of(device, all, params) == Kept{0, 1});
    });
    // An overlap is compared as it was rounded: at its own value it is not greater.
    on_every_backend([](Backend& device) {
        for (int wide = 2; wide < 50; ++wide) {
            for (int narrow = 1; narrow < wide; narrow += 3) {
                const auto b = static_cast<float>(wide), a = static_cast<float>(narrow);
                NmsParams params;
                params.iou_threshold = static_cast<double>(a / b);
                REQUIRE(kept_of(device, {{0, 0, b, 1, 0, 0, a, 1}, {2, 1}, {0, 0}}, params).size() == 2);
            }
        }
    });
}

TEST_CASE("nms: classes are kept apart unless told otherwise") {
    on_every_backend([](Backend& device) {
        const Detections all{{0, 0, 2, 2, 0, 0, 2, 2, 0, 0, 2, 2, 0, 0, 2, 2},
                             {.5F, .6F, .7F, .7F},
                             {2'147'483'647, -2'147'483'647 - 1, 2'147'483'647, 3}};
        CHECK(kept_of(device, all, {}) == Kept{2, 3, 1});
        NmsParams params;
        params.is_class_aware = false;
        CHECK(kept_of(device, all, params) == Kept{2});
        CHECK(nms(device, all.box_view(), all.score_view(), TensorView<const std::int32_t, 1>{}, params) ==
              Kept{2});
    });
}

TEST_CASE("nms: boxes and scores that are no numbers, and boxes inside out") {
    on_every_backend([](Backend& device) {
        Detections all{{0,          0, 4, 4, 0, 0, 4,     kNan,  0, 0, 4, 4, 4, 4, 0,     0,
                        0,          0, 0, 4, 0, 0, 4,     4,     0, 0, 4, 4, 0, 0, 4,     4,
                        -kInfinity, 0, 4, 4, 0, 0, 1e38F, 1e38F, 0, 0, 4, 4, 0, 0, 1e38F, 1e38F},
                       {.5F, .9F, kNan, .8F, .7F, kInfinity, -kInfinity, -0.0F, .6F, .65F, 0, .64F},
                       std::vector<std::int32_t>(12)};
        // 5 suppresses 0, 7 and 10. NaN (1), inside out (3), flat (4), infinite (8) and of infinite area (9,
        // 11) neither do nor are. Scores NaN (2) and not above -infinity (6) take no part.
        CHECK(kept_of(device, all, {}) == Kept{5, 1, 3, 4, 9, 11, 8});
        CHECK(kept_of(device, all, {}) == by_definition(all, {}));
        // 0 and -0 are the same score: the lower index first, and it suppresses the other.
        all.scores[5] = kNan;
        all.scores[0] = kNan;
        CHECK(kept_of(device, all, {}) == Kept{1, 3, 4, 9, 11, 8, 7});
        // Twice the same, turned round along one side alone: areas below 0.
        const Detections turned{{0, 4, 4, 0, 0, 4, 4, 0, 4, 0, 0, 4, 4, 0, 0, 4}, {4, 3, 2, 1}, {0, 0, 0, 0}};
        CHECK(kept_of(device, turned, {}) == Kept{0, 1, 2, 3});
    });
}

TEST_CASE("nms: the plain loops' choice among many") {
    struct {
        std::size_t count;
        int classes;
        float size;
    } const cases[] = {{1, 1, 50},  {17, 1, 300},   {64, 1, 200},    {65, 2, 900},
                       {400, 1, 5}, {1500, 6, 120}, {700, 700, 400}, {129, 100'000, 500}};
    for (const auto& each : cases) {
        CAPTURE(each.count);
        const Detections all = crowd(each.count, each.classes, each.size, each.count);
        for (const bool is_class_aware : {true, false}) {
            CAPTURE(is_class_aware);
            NmsParams params;
            params.is_class_aware = is_class_aware;
            params.score_threshold = .1F;
            const Kept expected = by_definition(all, params);
            params.output_max = 20;
            const Kept expected_first = by_definition(all, params);
            on_every_backend([&](Backend& device) {
                params.output_max = kBoxesMax;
                CHECK(kept_of(device, all, params) == expected);
                params.output_max = 20;
                CHECK(kept_of(device, all, params) == expected_first);
            });
        }
    }
}

TEST_CASE("nms: views of a detector's output need no copy") {
    const Detections all = crowd(300, 3, 150, 77);
    // [4 + 1, n]: corners, then scores; classes in every second word.
    std::vector<float> output(5 * 300);
    std::vector<std::int32_t> classes(600, 9);
    for (std::size_t i = 0; i < 300; ++i) {
        for (std::size_t side = 0; side < 4; ++side) output[side * 300 + i] = all.boxes[4 * i + side];
        output[4 * 300 + i] = all.scores[i];
        classes[2 * i] = all.classes[i];
    }
    const TensorView<const float, 2> boxes{output.data(), {300, 4}, {1, 300}};
    const TensorView<const float, 1> scores{output.data() + 1200, {300}, {1}};
    const TensorView<const std::int32_t, 1> class_view{classes.data(), {300}, {2}};
    on_every_backend([&](Backend& device) {
        CHECK(nms(device, boxes, scores, class_view, NmsParams{}) == by_definition(all, {}));
    });
}

TEST_CASE("nms: what does not fit is refused") {
    const Detections all = crowd(4, 1, 10, 1);
    const auto boxes = all.box_view();
    const auto scores = all.score_view();
    const auto classes = all.class_view();
    on_every_backend([&](Backend& device) {
        const auto refuses = [&](const auto& b, const auto& s, const auto& c, const NmsParams& params) {
            CHECK_THROWS_AS(nms(device, b, s, c, params), std::invalid_argument);
        };
        refuses(sliced(boxes, 0, 0, 3), scores, classes, {});
        refuses(boxes, sliced(scores, 0, 0, 3), classes, {});
        refuses(boxes, scores, sliced(classes, 0, 0, 3), {});
        refuses(sliced(boxes, 1, 0, 3), scores, classes, {});
        NmsParams params;
        for (const double wrong : {-.1, 1.1, static_cast<double>(kNan)}) {
            params.iou_threshold = wrong;
            refuses(boxes, scores, classes, params);
        }
        params = {};
        params.score_threshold = kNan;
        refuses(boxes, scores, classes, params);
        params = {};
        params.output_max = -1;
        refuses(boxes, scores, classes, params);
        const std::int64_t many = kBoxesMax + 1;
        refuses(TensorView<const float, 2>{all.boxes.data(), {many, 4}, {0, 1}},
                TensorView<const float, 1>{all.scores.data(), {many}, {0}},
                TensorView<const std::int32_t, 1>{all.classes.data(), {many}, {0}}, {});
        refuses(TensorView<const float, 2>{nullptr, {4, 4}, {4, 1}}, scores, classes, {});
    });
}

}  // namespace nightshift::tests
