#include "jobs/fpcb/bundle_tree.h"

#include <algorithm>

#include "jobs/fpcb/text_bundle.h"
#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/sha256.h"

namespace nightshift::jobs {

namespace {

std::string utf8(const std::filesystem::path& path) {
    const auto text = path.generic_u8string();
    return {reinterpret_cast<const char*>(text.data()), text.size()};
}

/// SHA-256 over what read() gives, so that any change of a file that matters changes the key.
void hash_sequence(Sha256& hash, const Sequence& s) {
    hash.update(s.info.name + "\n" + std::to_string(s.info.points) + " " + std::to_string(s.info.frames) +
                "\n");
    hash.update(std::as_bytes(std::span(s.x)));
    hash.update(std::as_bytes(std::span(s.y)));
    hash.update(std::as_bytes(std::span(s.present)));
    hash.update(std::as_bytes(std::span(s.point_index)));
    hash.update(std::as_bytes(std::span(s.frame_number)));
    for (const SideFile& side : s.side_files) hash.update(side.name + "\n" + side.bytes + "\n");
}

/// Of text that was parsed once; the rest is parsed again when it is read.
constexpr std::size_t kKeptBytesMax = std::size_t{64} << 20;

std::size_t bytes_of(const Sequence& s) {
    std::size_t bytes = sizeof s + (s.x.size() + s.y.size()) * sizeof(std::int16_t) + s.present.size() +
                        (s.point_index.size() + s.frame_number.size()) * sizeof(std::int32_t);
    for (const SideFile& side : s.side_files) bytes += side.name.size() + side.bytes.size();
    return bytes;
}

class BundleSet final : public Dataset {
  public:
    explicit BundleSet(const std::filesystem::path& root) : places_(find_bundles(root)) {
        Sha256 hash;
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < places_.size(); ++i) {
            Sequence sequence = load(i);
            hash_sequence(hash, sequence);
            infos_.push_back(sequence.info);
            bytes += bytes_of(sequence);
            if (bytes <= kKeptBytesMax) kept_.push_back(std::move(sequence));
        }
        hash_ = hash.hex();
    }

    std::size_t size() const override { return infos_.size(); }
    const SequenceInfo& info(std::size_t i) const override { return infos_.at(i); }
    Sequence read(std::size_t i) const override { return i < kept_.size() ? kept_[i] : load(i); }
    const std::string& content_hash() const override { return hash_; }

  private:
    Sequence load(std::size_t i) const {
        Sequence sequence = read_bundle(places_.at(i).folder).sequence;
        sequence.info.id = static_cast<std::int64_t>(i);
        sequence.info.name = places_[i].name;
        return sequence;
    }

    std::vector<BundlePlace> places_;
    std::vector<SequenceInfo> infos_;
    std::vector<Sequence> kept_;  ///< the first ones, which were read for the hash anyway
    std::string hash_;
};

void collect(const std::filesystem::path& root, const std::filesystem::path& folder, int depth,
             std::vector<BundlePlace>& out) {
    if (is_bundle(folder)) {
        if (out.size() >= kBundlesMax)
            throw JobError("not_a_dataset", root.string() + " holds more than a million bundles");
        out.push_back({folder, utf8(folder.lexically_relative(root))});
        return;
    }
    if (depth >= kBundleTreeDepthMax) return;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.is_directory() && !entry.is_symlink()) collect(root, entry.path(), depth + 1, out);
    }
}

}  // namespace

std::vector<BundlePlace> find_bundles(const std::filesystem::path& root) {
    std::error_code error;
    if (!std::filesystem::is_directory(root, error)) {
        throw JobError("no_such_input",
                       root.string() + ": no such folder. Give a folder of text bundles, or one bundle.");
    }
    if (is_bundle(root)) {
        const auto whole = std::filesystem::weakly_canonical(root, error);
        return {{root, utf8(whole.filename())}};
    }
    std::vector<BundlePlace> places;
    collect(root, root, 0, places);
    if (places.empty()) {
        throw JobError("not_a_dataset", root.string() +
                                            ": no dataset.json, and no folder below it has fps.txt or "
                                            "frame_00000.txt, so there is no data set here");
    }
    std::sort(places.begin(), places.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return places;
}

bool is_bundle_name(std::string_view name) {
    constexpr std::size_t kPartBytesMax = 200;
    int depth = 0;
    while (true) {
        const std::size_t end = name.find('/');
        const std::string_view part = name.substr(0, end);
        if (part.empty() || part.size() > kPartBytesMax || part == "." || part == ".." ||
            ++depth > kBundleTreeDepthMax || part.find('\\') != std::string_view::npos ||
            part.find('\0') != std::string_view::npos) {
            return false;
        }
        if (end == std::string_view::npos) return true;
        name.remove_prefix(end + 1);
    }
}

std::unique_ptr<Dataset> open_bundles(const std::filesystem::path& root) {
    return std::make_unique<BundleSet>(root);
}

}  // namespace nightshift::jobs
