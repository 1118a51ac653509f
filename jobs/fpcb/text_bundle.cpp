#include "jobs/fpcb/text_bundle.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>

#include "jobs/fpcb/bundle_metadata.h"
#include "jobs/fpcb/frame_file.h"
#include "jobs/fpcb/python_text.h"
#include "jobs/runtime/durable_file.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSideBytesMax = std::size_t{64} << 20;  ///< of one bundle

struct FrameFile {
    fs::path path;
    std::string text;
    std::vector<FrameRow> rows;
};

double parse_fps(const fs::path& file) {
    const std::string text = read_text(file, 4096);
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    const std::size_t last = text.find_last_not_of(" \t\r\n");
    double fps = 0;
    if (first != std::string::npos) {
        const char* end = text.data() + last + 1;
        const auto parsed = std::from_chars(text.data() + first, end, fps);
        if (parsed.ec != std::errc() || parsed.ptr != end) fps = 0;
    }
    if (!(fps > 0) || !std::isfinite(fps)) {
        throw JobError("bad_bundle", file.string() + ":1: frames per second must be a number above 0");
    }
    return fps;
}

std::vector<fs::path> files_of(const fs::path& folder) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.is_regular_file()) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

std::map<int, FrameFile> read_frames(const std::vector<fs::path>& files,
                                     std::vector<BundleFinding>& findings) {
    std::map<int, FrameFile> frames;
    for (const fs::path& file : files) {
        if (file.extension() != ".txt" || file.filename() == "fps.txt") continue;
        const auto number = frame_number_of(file);
        if (!number) {
            findings.push_back({BundleFinding::Kind::kSkippedFile,
                                file.string() + ": no digits in its name, so it is no frame"});
            continue;
        }
        FrameFile frame{file, read_text(file, kBundleFileBytesMax), {}};
        frame.rows = parse_frame(frame.text, file.string());
        const auto [at, is_new] = frames.emplace(*number, std::move(frame));
        if (!is_new) {
            throw JobError("bad_bundle", file.string() + " and " + at->second.path.filename().string() +
                                             " are both frame " + std::to_string(*number) + "; remove one");
        }
        if (frames.size() > kBundleFramesMax)
            throw JobError("bad_bundle", file.string() + ": more than 100000 frames");
    }
    return frames;
}

/// Every point number of the frames once, in order. Frames mostly repeat the numbers of the first.
std::vector<std::int32_t> point_numbers(const std::map<int, FrameFile>& frames) {
    const std::vector<FrameRow>& first = frames.begin()->second.rows;
    std::vector<std::int32_t> numbers;
    for (const FrameRow& row : first) numbers.push_back(row.index);
    for (const auto& [number, frame] : frames) {
        for (std::size_t r = 0; r < frame.rows.size(); ++r) {
            const std::int32_t index = frame.rows[r].index;
            if (r >= first.size() || first[r].index != index) numbers.push_back(index);
        }
    }
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    return numbers;
}

/// Planes from the rows: points by number, frames by number.
void fill_planes(const std::map<int, FrameFile>& frames, Sequence& s) {
    s.point_index = point_numbers(frames);
    s.info.points = static_cast<int>(s.point_index.size());
    s.info.frames = static_cast<int>(frames.size());
    const std::size_t width = s.point_index.size();
    s.x.assign(width * frames.size(), 0);
    s.y = s.x;
    s.present.assign(s.x.size(), 0);
    std::size_t seen = 0, f = 0;
    for (const auto& [number, frame] : frames) {
        s.frame_number.push_back(number);
        std::size_t place = 0;  // rows are mostly in the order of their numbers
        for (const FrameRow& row : frame.rows) {
            if (place >= width || s.point_index[place] != row.index) {
                place = static_cast<std::size_t>(
                    std::lower_bound(s.point_index.begin(), s.point_index.end(), row.index) -
                    s.point_index.begin());
            }
            const std::size_t at = f * width + place++;
            if (s.present[at]) {
                throw JobError("bad_bundle", frame.path.string() + ":" + std::to_string(row.line) +
                                                 ": point " + std::to_string(row.index) +
                                                 " is there a second time");
            }
            s.x[at] = static_cast<std::int16_t>(row.x);
            s.y[at] = static_cast<std::int16_t>(row.y);
            s.present[at] = 1;
            ++seen;
        }
        ++f;
    }
    if (seen == s.present.size()) s.present.clear();
}

void preflight(const std::map<int, FrameFile>& frames, const fs::path& folder, const Sequence& s,
               std::vector<BundleFinding>& findings) {
    const int first = frames.begin()->first, last = frames.rbegin()->first;
    std::string missing;
    int count = 0;
    for (int n = first, expected = static_cast<int>(frames.size());
         count < last - first + 1 - expected && n <= last; ++n) {
        if (frames.contains(n)) continue;
        ++count;
        if (count <= 10) missing += (missing.empty() ? "" : ", ") + std::to_string(n);
        if (count == 11) missing += ", ...";
        if (count > 11) break;
    }
    const long gaps = static_cast<long>(last) - first + 1 - static_cast<long>(frames.size());
    if (gaps > 0) {
        findings.push_back({BundleFinding::Kind::kMissingFrame,
                            folder.string() + ": " + std::to_string(gaps) + " frame(s) missing between " +
                                std::to_string(first) + " and " + std::to_string(last) + ": " + missing});
    }
    for (const auto& [number, frame] : frames) {
        if (frame.rows.size() != s.point_index.size()) {
            findings.push_back({BundleFinding::Kind::kOtherPoints,
                                frame.path.string() + ": has " + std::to_string(frame.rows.size()) +
                                    " of the bundle's " + std::to_string(s.point_index.size()) + " points"});
            break;
        }
    }
    if (s.info.points < kPreflightPointsMin || s.info.points > kPreflightPointsMax) {
        findings.push_back(
            {BundleFinding::Kind::kPointCount, folder.string() + ": " + std::to_string(s.info.points) +
                                                   " points a frame; the usual range is 150 to 500"});
    }
}

void keep_side_files(const std::vector<fs::path>& files, const std::map<int, FrameFile>& frames,
                     Sequence& s) {
    std::set<fs::path> rebuilt;
    int f = 0;
    for (const auto& [number, frame] : frames) {
        if (frame.path.filename() == frame_file_name(number) && frame.text == frame_text(s, f))
            rebuilt.insert(frame.path);
        ++f;
    }
    std::size_t bytes = 0;
    for (const fs::path& file : files) {
        if (rebuilt.contains(file)) continue;
        SideFile side{file.filename().string(), read_text(file, kBundleFileBytesMax)};
        bytes += side.bytes.size();
        if (bytes > kSideBytesMax) {
            throw JobError("bad_bundle",
                           file.string() + ": the bundle's other files exceed 64 MiB; move them elsewhere");
        }
        s.side_files.push_back(std::move(side));
    }
}

}  // namespace

bool is_bundle(const fs::path& folder) {
    std::error_code error;
    if (fs::is_regular_file(folder / "fps.txt", error)) return true;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with("frame_") && name.ends_with(".txt") && entry.is_regular_file(error)) return true;
    }
    return false;
}

BundleRead read_bundle(const fs::path& folder) {
    BundleRead out;
    Sequence& s = out.sequence;
    const std::vector<fs::path> files = files_of(folder);
    std::error_code error;
    if (!fs::exists(folder / "fps.txt", error)) {
        throw JobError("bad_bundle",
                       folder.string() + ": fps.txt is missing; write the frames per second into it");
    }
    s.info.fps = parse_fps(folder / "fps.txt");
    const std::map<int, FrameFile> frames = read_frames(files, out.findings);
    if (frames.empty())
        throw JobError("bad_bundle", folder.string() + ": no frame files (frame_00000.txt, ...)");
    fill_planes(frames, s);
    keep_side_files(files, frames, s);
    for (const SideFile& side : s.side_files) {
        if (side.name == "metadata.json") apply_metadata(side.bytes, s.info);
    }
    preflight(frames, folder, s, out.findings);
    return out;
}

std::string frame_file_name(int frame_number) {
    char name[32];
    std::snprintf(name, sizeof name, "frame_%05d.txt", frame_number);
    return name;
}

std::string frame_text(const Sequence& s, int frame) {
    constexpr std::string_view kHeader = "# x,y,index\n";
    constexpr std::size_t kRowBytesMax = 32;  // two int16, one int32, their signs, two commas, a line feed
    std::string text(kHeader.size() + kRowBytesMax * static_cast<std::size_t>(s.info.points), '\0');
    char *at = std::copy(kHeader.begin(), kHeader.end(), text.data()), *const end = text.data() + text.size();
    for (int p = 0; p < s.info.points; ++p) {
        if (!s.is_present(frame, p)) continue;
        at = std::to_chars(at, end, s.x[s.at(frame, p)]).ptr, *at++ = ',';
        at = std::to_chars(at, end, s.y[s.at(frame, p)]).ptr, *at++ = ',';
        at = std::to_chars(at, end, s.point_index[static_cast<std::size_t>(p)]).ptr, *at++ = '\n';
    }
    text.resize(static_cast<std::size_t>(at - text.data()));
    return text;
}

void write_bundle(const fs::path& folder, const Sequence& s) {
    if (s.info.units_per_pixel != 1) {
        throw JobError("bad_sequence",
                       s.info.name + ": text bundles hold whole pixels; generate with resolution=pixel");
    }
    fs::create_directories(folder);
    std::set<std::string> written;
    const auto put = [&](const std::string& name, const std::string& text) {
        std::ofstream out(folder / name, std::ios::binary);
        out << text;
        out.close();
        if (!out)
            throw JobError("io_error",
                           (folder / name).string() + ": could not be written; is the disk full?");
        written.insert(name);
    };
    std::set<int> odd_frames;  // frames whose own file is among the side files, under whatever name
    for (const SideFile& side : s.side_files) {
        if (side.name.find_first_of("/\\") != std::string::npos || side.name == "..") {
            throw JobError("bad_sequence",
                           s.info.name + ": side file name '" + side.name + "' is not a plain file name");
        }
        put(side.name, side.bytes);
        if (side.name.ends_with(".txt") && side.name != "fps.txt") {
            if (const auto number = frame_number_of(side.name)) odd_frames.insert(*number);
        }
    }
    for (int f = 0; f < s.info.frames; ++f) {
        const int number = s.frame_number[static_cast<std::size_t>(f)];
        if (!odd_frames.contains(number)) put(frame_file_name(number), frame_text(s, f));
    }
    if (!written.contains("fps.txt")) put("fps.txt", python_repr(s.info.fps) + "\n");
    if (s.side_files.empty()) put("metadata.json", metadata_text(s.info));
}

}  // namespace nightshift::jobs
