#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "jobs/fpcb/dataset.h"

namespace nightshift::jobs {

/// The text form of a sequence, as the public Python reference writes it: a folder with a file per frame
/// ("# x,y,index", then integer rows), fps.txt, and optionally metadata.json and frame_metrics.csv.
inline constexpr std::size_t kBundleFramesMax = 100'000;
inline constexpr std::size_t kBundleFileBytesMax = std::size_t{16} << 20;
inline constexpr int kPreflightPointsMin = 150, kPreflightPointsMax = 500;

/// What the reference's preflight would say of a bundle that can be read all the same.
struct BundleFinding {
    enum class Kind { kMissingFrame, kOtherPoints, kPointCount, kSkippedFile };
    Kind kind;
    std::string message;   ///< names the file or the frames
};

struct BundleRead {
    Sequence sequence;
    std::vector<BundleFinding> findings;
};

/// True for a folder that has fps.txt or a frame_<digits>.txt.
bool is_bundle(const std::filesystem::path& folder);

/// Reads one bundle. Frames are the *.txt but fps.txt whose names have digits: "000" and two or three
/// digits, else all digits of the stem. Rows are three integers (spaces allowed, blank lines skipped),
/// in any order; points may be missing in frames. Scale: meters_per_pixel of metadata.json, then of its
/// config; labels, split, goal and scenario from there too; the event frame is the one the reference's
/// generator really used. Frame files whose bytes the planes do not give back, and all other files, are
/// kept as side files. Name, id: the caller's. Throws JobError("bad_bundle") naming file and line.
BundleRead read_bundle(const std::filesystem::path& folder);

/// Writes a bundle: side files as they were, the other frames in canonical form; a generated sequence
/// gets fps.txt and metadata.json. Whole pixels only. Throws JobError("io_error", "bad_sequence").
void write_bundle(const std::filesystem::path& folder, const Sequence& sequence);

/// "frame_00042.txt"
std::string frame_file_name(int frame_number);
/// The canonical text of one frame: header, rows in point order, LF.
std::string frame_text(const Sequence& sequence, int frame);

}  // namespace nightshift::jobs
