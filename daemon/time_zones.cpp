#include "daemon/time_zones.h"

#include <date/tz.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <unordered_map>

#include "daemon/paths.h"
#include "daemon/posix_zone.h"

namespace nightshift::daemon {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* kDatabase = "/usr/share/zoneinfo";
constexpr std::size_t kZoneFileMax = 1 << 20;
/// Compiled zone files list every change up to 2037 (zic -b fat) or fewer; the footer speaks after that.
constexpr int kFooterFromYear = 2037;

/// The POSIX rule in the last line of a zone file (RFC 8536, 3.3), or nothing.
std::shared_ptr<const PosixZone> read_footer(const std::string& name) {
    const auto content = read_file(std::string(kDatabase) + "/" + name, kZoneFileMax);
    if (!content || content->size() < 2 || content->back() != '\n') return nullptr;
    const std::size_t start = content->rfind('\n', content->size() - 2);
    if (start == std::string::npos) return nullptr;
    const std::string rule = content->substr(start + 1, content->size() - start - 2);
    return rule.empty() ? nullptr : PosixZone::parse(rule);
}

std::string find_system_zone() {
    if (const char* name = std::getenv("TZ"); name != nullptr && *name != '\0') {
        return *name == ':' ? name + 1 : name;
    }
    std::error_code code;
    const std::string target = std::filesystem::read_symlink("/etc/localtime", code).string();
    const std::size_t at = target.find("zoneinfo/");
    if (!code && at != std::string::npos) return target.substr(at + 9);
    const auto text = read_file("/etc/timezone", 256);
    if (text) return text->substr(0, text->find_first_of(" \t\n"));
    return "UTC";
}

date::local_seconds local_of(const LocalTime& local) {
    const date::year_month_day day{date::year(local.year), date::month(static_cast<unsigned>(local.month)),
                                   date::day(static_cast<unsigned>(local.day))};
    return date::local_days(day) + minutes(local.minute) + seconds(local.second);
}

int year_of(date::local_seconds local) {
    return static_cast<int>(date::year_month_day(date::floor<date::days>(local)).year());
}

int year_of(date::sys_seconds at) {
    return static_cast<int>(date::year_month_day(date::floor<date::days>(at)).year());
}

}  // namespace

struct SystemTimeZones::Zone {
    const date::time_zone* table = nullptr;
    std::shared_ptr<const PosixZone> footer;

    seconds offset_at(date::sys_seconds at) const {
        if (footer && year_of(at) >= kFooterFromYear) {
            return seconds(footer->offset_at(at.time_since_epoch().count()));
        }
        return table != nullptr ? table->get_info(at).offset : seconds{};
    }
    LocalOffset at_local(date::local_seconds local) const {
        if (footer && year_of(local) >= kFooterFromYear)
            return footer->at_local(local.time_since_epoch().count());
        LocalOffset answer;
        if (table == nullptr) return answer;
        const date::local_info info = table->get_info(local);
        answer.offset_s = info.first.offset.count();
        if (info.result == date::local_info::nonexistent) {
            answer.kind = LocalOffset::Kind::kGap;
            answer.change_at_s = info.second.begin.time_since_epoch().count();
        } else if (info.result == date::local_info::ambiguous) {
            answer.kind = LocalOffset::Kind::kRepeated;
        }
        return answer;
    }
};

struct SystemTimeZones::Cache {
    std::unordered_map<std::string, Zone> zones;
};

SystemTimeZones::SystemTimeZones() : cache_(std::make_unique<Cache>()), system_zone_(find_system_zone()) {
    if (!knows(system_zone_)) system_zone_ = "UTC";
}

SystemTimeZones::~SystemTimeZones() = default;

bool SystemTimeZones::knows(const std::string& zone) const {
    return find(zone).table != nullptr;
}

const SystemTimeZones::Zone& SystemTimeZones::find(const std::string& name) const {
    const std::string& real = name.empty() ? system_zone_ : name;
    if (const auto known = cache_->zones.find(real); known != cache_->zones.end()) return known->second;
    Zone zone;
    try {
        // Names come from users: nothing that could leave the database's folder.
        if (!real.empty() && real.find("..") == std::string::npos && real.find('\0') == std::string::npos &&
            real.front() != '/') {
            zone.table = date::locate_zone(real);
            zone.footer = read_footer(real);
        }
    } catch (const std::exception&) {
        zone.table = nullptr;
    }
    // Unknown names are not kept: a client could fill the table with them.
    if (zone.table == nullptr) {
        static const Zone kUtc;
        return kUtc;
    }
    return cache_->zones.emplace(real, zone).first->second;
}

LocalTime SystemTimeZones::to_local(const std::string& zone, UnixMs at) const {
    const date::sys_seconds instant{date::floor<seconds>(std::chrono::milliseconds(at.value))};
    const date::local_seconds local{instant.time_since_epoch() + find(zone).offset_at(instant)};
    const auto day = date::floor<date::days>(local);
    const date::year_month_day ymd(day);
    LocalTime result;
    result.year = static_cast<int>(ymd.year());
    result.month = static_cast<int>(static_cast<unsigned>(ymd.month()));
    result.day = static_cast<int>(static_cast<unsigned>(ymd.day()));
    const seconds of_day = local - day;
    result.minute = static_cast<int>(of_day.count() / 60);
    result.second = static_cast<int>(of_day.count() % 60);
    result.weekday = static_cast<int>(date::weekday(day).iso_encoding()) - 1;
    return result;
}

UnixMs SystemTimeZones::to_instant(const std::string& zone, const LocalTime& local) const {
    const date::local_seconds wanted = local_of(local);
    const LocalOffset found = find(zone).at_local(wanted);
    // In a gap: the instant at which the clocks are put forward.
    const std::int64_t at_s = found.kind == LocalOffset::Kind::kGap
                                  ? found.change_at_s
                                  : wanted.time_since_epoch().count() - found.offset_s;
    return {at_s * 1000};
}

bool SystemTimeZones::is_in_gap(const std::string& zone, const LocalTime& local) const {
    return find(zone).at_local(local_of(local)).kind == LocalOffset::Kind::kGap;
}

bool SystemTimeZones::is_repeated(const std::string& zone, const LocalTime& local) const {
    return find(zone).at_local(local_of(local)).kind == LocalOffset::Kind::kRepeated;
}

}  // namespace nightshift::daemon
