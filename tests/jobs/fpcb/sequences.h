#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "jobs/fpcb/dataset.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::tests {

inline std::filesystem::path data_folder() {
    return std::filesystem::path(NIGHTSHIFT_SOURCE_FOLDER) / "tests/data";
}

inline std::string bytes_of(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

inline void put(const std::filesystem::path& file, const std::string& text) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
}

/// A little sequence with everything a shard can hold.
inline jobs::Sequence odd_sequence(const std::string& name) {
    jobs::Sequence s;
    s.info.name = name;
    s.info.scenario = "crack";
    s.info.goal = "goal1";
    s.info.label = 1;
    s.info.split = jobs::Split::kVal;
    s.info.points = 3;
    s.info.frames = 2;
    s.info.fps = 12.5;
    s.info.meters_per_pixel = 2e-4;
    s.info.seed = 18446744073709551615ull;
    s.info.noise = .25;
    s.info.event_frame = 1;
    s.x = {1, -2, 3, 4, 5, 32767};
    s.y = {-32768, 0, 9, 8, 7, 6};
    s.present = {1, 1, 0, 1, 1, 1};
    s.point_index = {2, 5, 90};
    s.frame_number = {3, 7};
    s.side_files = {{"metadata.json", "{}"}, {"notes 메모.txt", std::string("a\0b\r\n", 5)}};
    return s;
}

/// The message of what a call throws, with its code in front; empty if it does not throw.
template <typename Call>
std::string refusal(const Call& call) {
    try {
        call();
    } catch (const jobs::JobError& error) {
        return error.code() + ": " + error.what();
    }
    return {};
}

inline bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace nightshift::tests
