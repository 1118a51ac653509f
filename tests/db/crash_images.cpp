#include "tests/db/crash_images.h"

#include <algorithm>

namespace nightshift::tests {

namespace {

constexpr std::int64_t kSector = 512;

void put(std::string& content, std::int64_t offset, std::string_view bytes) {
    const auto end = static_cast<std::size_t>(offset) + bytes.size();
    if (content.size() < end) content.resize(end, '\0');
    content.replace(static_cast<std::size_t>(offset), bytes.size(), bytes);
}

void put(std::string& content, const DiskStep& step) {
    if (step.kind == DiskStep::Kind::kWrite) put(content, step.offset, step.bytes);
    if (step.kind == DiskStep::Kind::kTruncate) content.resize(static_cast<std::size_t>(step.offset), '\0');
}

bool coin(std::mt19937_64& random) {
    return (random() & 1) != 0;
}

/// A write cut at the borders of sectors.
std::vector<DiskStep> sectors_of(const DiskStep& step) {
    if (step.kind != DiskStep::Kind::kWrite) return {step};
    std::vector<DiskStep> pieces;
    const auto end = step.offset + static_cast<std::int64_t>(step.bytes.size());
    for (std::int64_t from = step.offset; from < end;) {
        const std::int64_t to = std::min(end, (from / kSector + 1) * kSector);
        DiskStep piece = step;
        piece.offset = from;
        piece.bytes = step.bytes.substr(static_cast<std::size_t>(from - step.offset),
                                        static_cast<std::size_t>(to - from));
        pieces.push_back(std::move(piece));
        from = to;
    }
    return pieces;
}

}  // namespace

const char* to_string(Loss loss) {
    switch (loss) {
        case Loss::kNone:
            return "nothing lost";
        case Loss::kAll:
            return "all lost";
        case Loss::kPrefix:
            return "cut short";
        case Loss::kSubset:
            return "some writes lost";
        case Loss::kSectors:
            return "some sectors lost";
        case Loss::kScrambled:
            return "sectors in any order";
    }
    return "";
}

bool CrashImages::next_sync() {
    if (is_before_sync_) {
        apply(steps_[at_], at_);
        ++at_;
        is_before_sync_ = false;
    }
    for (; at_ < steps_.size(); ++at_) {
        if (steps_[at_].kind == DiskStep::Kind::kSync) {
            is_before_sync_ = true;
            return true;
        }
        apply(steps_[at_], at_);
    }
    return false;
}

void CrashImages::apply(const DiskStep& step, std::size_t index) {
    File& file = files_[step.file];
    switch (step.kind) {
        case DiskStep::Kind::kCreate:
            file = File{};
            break;
        case DiskStep::Kind::kWrite:
        case DiskStep::Kind::kTruncate:
            file.pending.push_back(index);
            break;
        case DiskStep::Kind::kSync:
            for (const std::size_t earlier : file.pending) put(file.durable, steps_[earlier]);
            file.pending.clear();
            if (step.covers_folder) sync_folder();
            break;
        case DiskStep::Kind::kDelete:
            if (!step.covers_folder) {
                file.is_deleted = true;
                break;
            }
            files_.erase(step.file);
            sync_folder();
            break;
    }
}

void CrashImages::sync_folder() {
    std::erase_if(files_, [](const auto& entry) { return entry.second.is_deleted; });
    for (auto& [name, file] : files_) file.is_name_durable = true;
}

DiskImage CrashImages::image(Loss loss, std::mt19937_64& random) const {
    DiskImage image;
    // One moment for all files: what was written before it is there, what came later is not.
    std::size_t first = at_;
    for (const auto& [name, file] : files_) {
        if (!file.pending.empty()) first = std::min(first, file.pending.front());
    }
    const std::size_t cut = first + random() % (at_ - first + 1);
    for (const auto& [name, file] : files_) {
        const bool is_there = loss == Loss::kNone    ? !file.is_deleted
                              : file.is_deleted      ? coin(random)
                              : file.is_name_durable ? true
                                                     : loss != Loss::kAll && coin(random);
        if (!is_there) continue;
        std::string content = file.durable;
        std::vector<DiskStep> pieces;
        for (const std::size_t index : file.pending) {
            const DiskStep& step = steps_[index];
            const bool is_last = index == file.pending.back();
            switch (loss) {
                case Loss::kNone:
                    pieces.push_back(step);
                    break;
                case Loss::kAll:
                    break;
                case Loss::kPrefix:
                    if (index < cut) pieces.push_back(step);
                    break;
                case Loss::kSubset:
                    if (coin(random)) pieces.push_back(step);
                    break;
                case Loss::kSectors:
                case Loss::kScrambled:
                    for (DiskStep& piece : sectors_of(step)) {
                        // The end of a log is where tearing hurts: keep most of what is before it.
                        if (is_last ? coin(random) : random() % 8 != 0) pieces.push_back(std::move(piece));
                    }
                    break;
            }
        }
        if (loss == Loss::kPrefix && !pieces.empty()) {
            auto torn = sectors_of(pieces.back());
            pieces.pop_back();
            torn.resize(random() % (torn.size() + 1));
            pieces.insert(pieces.end(), torn.begin(), torn.end());
        }
        if (loss == Loss::kScrambled) std::shuffle(pieces.begin(), pieces.end(), random);
        for (const DiskStep& piece : pieces) put(content, piece);
        image[name] = std::move(content);
    }
    return image;
}

}  // namespace nightshift::tests
