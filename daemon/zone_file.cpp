#include "daemon/zone_file.h"

#include <algorithm>
#include <string>

namespace nightshift::daemon {

namespace {

constexpr std::size_t kHeaderBytes = 44;
/// No clock was ever further from UTC, nor changed by more.
constexpr std::int64_t kFar_s = 48 * 3600;

/// Big-endian numbers one after the other; whoever reads beyond the end gets zeros and is_short().
class Reader {
  public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}
    std::int64_t number(std::size_t width) {
        if (!has(width)) return 0;
        std::uint64_t value = (bytes_[at_] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
        for (std::size_t i = 0; i < width; ++i) {
            value = value << 8 | static_cast<unsigned char>(bytes_[at_ + i]);
        }
        at_ += width;
        return static_cast<std::int64_t>(value);
    }
    int byte() { return static_cast<int>(number(1) & 0xff); }
    void skip(std::int64_t bytes) {
        if (bytes < 0 || !has(static_cast<std::size_t>(bytes))) return;
        at_ += static_cast<std::size_t>(bytes);
    }
    std::string_view rest() const { return bytes_.substr(at_); }
    bool is_short() const { return is_short_; }

  private:
    bool has(std::size_t bytes) {
        is_short_ = is_short_ || bytes > bytes_.size() - at_;
        return !is_short_;
    }
    std::string_view bytes_;
    std::size_t at_ = 0;
    bool is_short_ = false;
};

struct Header {
    int version = 0;
    std::int64_t universal = 0, standard = 0, leaps = 0, times = 0, types = 0, characters = 0;

    std::int64_t body_bytes(std::int64_t time_width) const {
        return times * (time_width + 1) + types * 6 + characters + leaps * (time_width + 4) + standard +
               universal;
    }
};

bool read_header(Reader& in, Header& header) {
    if (in.rest().size() < kHeaderBytes || in.rest().substr(0, 4) != "TZif") return false;
    in.skip(4);
    header.version = in.byte() - '0';
    in.skip(15);
    for (std::int64_t* count : {&header.universal, &header.standard, &header.leaps, &header.times,
                                &header.types, &header.characters}) {
        *count = in.number(4);
        if (*count < 0) return false;
    }
    return header.types > 0;
}

/// "\nEST5EDT,M3.2.0,M11.1.0\n"; nothing between the line breaks means that nobody knows.
std::string read_footer(std::string_view rest) {
    if (rest.size() < 2 || rest.front() != '\n') return "";
    const std::size_t end = rest.find('\n', 1);
    return end == std::string_view::npos ? "" : std::string(rest.substr(1, end - 1));
}

}  // namespace

std::shared_ptr<const ZoneFile> ZoneFile::parse(std::string_view content) {
    Reader in(content);
    Header header;
    if (!read_header(in, header) || header.version < 2) return nullptr;
    in.skip(header.body_bytes(4));  // the same once more for readers with 32 bits
    if (in.is_short() || !read_header(in, header)) return nullptr;
    auto zone = std::make_shared<ZoneFile>();
    if (header.body_bytes(8) > static_cast<std::int64_t>(in.rest().size())) return nullptr;
    for (std::int64_t i = 0; i < header.times; ++i) zone->change_at_s_.push_back(in.number(8));
    std::vector<int> type_of_change;
    for (std::int64_t i = 0; i < header.times; ++i) type_of_change.push_back(in.byte());
    std::vector<std::int64_t> offsets;
    for (std::int64_t i = 0; i < header.types; ++i) {
        offsets.push_back(in.number(4));
        in.skip(2);
    }
    in.skip(header.characters + header.leaps * 12 + header.standard + header.universal);
    zone->first_offset_s_ = offsets.front();
    for (const int type : type_of_change) {
        if (static_cast<std::size_t>(type) >= offsets.size()) return nullptr;
        zone->offset_s_.push_back(offsets[static_cast<std::size_t>(type)]);
    }
    if (in.is_short() || !std::is_sorted(zone->change_at_s_.begin(), zone->change_at_s_.end()))
        return nullptr;
    zone->footer_text_ = read_footer(in.rest());
    if (!zone->footer_text_.empty()) zone->footer_ = PosixZone::parse(zone->footer_text_);
    return zone;
}

bool operator==(const ZoneFile& a, const ZoneFile& b) {
    return a.first_offset_s_ == b.first_offset_s_ && a.change_at_s_ == b.change_at_s_ &&
           a.offset_s_ == b.offset_s_ && a.footer_text_ == b.footer_text_;
}

std::int64_t ZoneFile::offset_at(std::int64_t utc_s) const {
    const auto after = std::upper_bound(change_at_s_.begin(), change_at_s_.end(), utc_s);
    if (after == change_at_s_.end() && footer_) return footer_->offset_at(utc_s);
    if (after == change_at_s_.begin()) return first_offset_s_;
    return offset_s_[static_cast<std::size_t>(after - change_at_s_.begin()) - 1];
}

LocalOffset ZoneFile::at_local(std::int64_t local_s) const {
    if (footer_ && (change_at_s_.empty() || local_s > change_at_s_.back() + kFar_s))
        return footer_->at_local(local_s);
    LocalOffset answer;
    const auto near = std::lower_bound(change_at_s_.begin(), change_at_s_.end(), local_s - kFar_s);
    auto i = static_cast<std::size_t>(near - change_at_s_.begin());
    answer.offset_s = i == 0 ? first_offset_s_ : offset_s_[i - 1];
    for (; i < change_at_s_.size() && change_at_s_[i] <= local_s + kFar_s; ++i) {
        const std::int64_t before = i == 0 ? first_offset_s_ : offset_s_[i - 1];
        const std::int64_t at = change_at_s_[i], after = offset_s_[i];
        if (local_s < at + std::min(before, after)) break;
        if (local_s >= at + std::max(before, after)) {
            answer.offset_s = after;
            continue;
        }
        answer.offset_s = before;
        answer.kind = after > before ? LocalOffset::Kind::kGap : LocalOffset::Kind::kRepeated;
        if (after > before) answer.change_at_s = at;
        break;
    }
    return answer;
}

}  // namespace nightshift::daemon
