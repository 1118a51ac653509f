// Times non-maximum suppression on one thread. usage: nightshift_nms_parts RUNS OUT BOXES SCORES THRESHOLD
// Files hold float32, C order; OUT gets the boxes kept, int64. A line `wall_s cpu_s` a run after one to warm
// up.
#include <array>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "kernels/nms.h"
#include "tests/bench/part_timer.h"

int main(int count, char** words) {
    using namespace nightshift;
    try {
        const std::vector<std::string> given(words + 1, words + count);
        const std::vector<float> boxes = bench::read_numbers<float>(given.at(2)),
                                 scores = bench::read_numbers<float>(given.at(3));
        const auto rows = static_cast<std::int64_t>(scores.size());
        kernels::NmsParams params;
        params.iou_threshold = std::stod(given.at(4));
        params.is_class_aware = false;
        const auto keep = [&] {
            return kernels::nms_cpu(kernels::contiguous_view<const float, 2>(boxes.data(), {rows, 4}),
                                    kernels::contiguous_view<const float, 1>(scores.data(), {rows}), {},
                                    params);
        };
        bench::write_numbers(given.at(1), keep());
        bench::measure(std::stoi(given.at(0)), [&] { keep(); });
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "nightshift_nms_parts: %s\n", error.what());
        return 1;
    }
}
