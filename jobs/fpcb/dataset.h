#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nightshift::jobs {

enum class Split : std::uint8_t { kNone, kTrain, kVal, kTest };
std::string_view name_of(Split split);  ///< "", "train", "val", "test"
Split split_of(std::string_view word);  ///< an unknown word is kNone

/// A file of an imported bundle that is no frame, or a frame file whose bytes the tracks do not give
/// back (blank lines, spaces, another order): kept as it was.
struct SideFile {
    std::string name;
    std::string bytes;
};

/// What is known of one sequence besides its tracks.
struct SequenceInfo {
    std::int64_t id = 0;   ///< position in the data set, from 0
    std::string name;      ///< unique: "crack_in_bending/crack_00007"
    std::string scenario;  ///< "normal", "crack", ...; empty = not known
    std::string goal;      ///< "normal", "goal1", "goal2", "variant"; empty = not known
    int label = -1;        ///< 1 damaged, 0 not, -1 not known
    Split split = Split::kNone;
    int points = 0;  ///< P
    int frames = 0;  ///< F
    double fps = 0;
    double meters_per_pixel = 0;  ///< 0 = not given
    std::uint64_t seed = 0;
    double noise = 0;         ///< px, standard deviation
    int event_frame = -1;     ///< the true one, as generated; -1 = none or not known
    int units_per_pixel = 1;  ///< coordinate in pixels = plane value / units_per_pixel
};

/// One sequence. Planes are frame-major: value of point p in frame f at [f * points + p].
struct Sequence {
    SequenceInfo info;
    std::vector<std::int16_t> x, y;
    std::vector<std::uint8_t> present;       ///< empty = every point in every frame; else 0/1 like x
    std::vector<std::int32_t> point_index;   ///< P numbers as the bundle had them (generated: 1..P)
    std::vector<std::int32_t> frame_number;  ///< F numbers as the bundle had them (generated: 0..F-1)
    std::vector<SideFile> side_files;        ///< imported bundles only

    double x_px(int frame, int point) const { return x[at(frame, point)] / double(info.units_per_pixel); }
    double y_px(int frame, int point) const { return y[at(frame, point)] / double(info.units_per_pixel); }
    bool is_present(int frame, int point) const { return present.empty() || present[at(frame, point)] != 0; }
    std::size_t at(int frame, int point) const {
        return static_cast<std::size_t>(frame) * static_cast<std::size_t>(info.points) +
               static_cast<std::size_t>(point);
    }
};

/// A data set on disk, either form: a folder of shards with its dataset.json, or a folder of text bundles.
/// const members may be called from many threads at once.
class Dataset {
  public:
    virtual ~Dataset() = default;
    virtual std::size_t size() const = 0;
    virtual const SequenceInfo& info(std::size_t i) const = 0;
    /// Reads and checks one sequence. Throws JobError("hash_mismatch") naming file, block and both hashes,
    /// or "bad_bundle" naming file and line.
    virtual Sequence read(std::size_t i) const = 0;
    /// SHA-256 over everything in it, as hex: the key of the feature cache.
    virtual const std::string& content_hash() const = 0;
    /// Position of a name; throws JobError("no_such_sequence") with the nearest one.
    std::size_t find(std::string_view name) const;
};

/// Opens a data set. Throws JobError: no_such_input, not_a_dataset (says what is there instead),
/// hash_mismatch (a shard is shorter than recorded or damaged; both hashes named).
std::unique_ptr<Dataset> open_dataset(const std::filesystem::path& folder);

}  // namespace nightshift::jobs
