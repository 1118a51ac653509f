#include "daemon/time_zones.h"

#include <date/tz.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <unordered_map>

#include "daemon/paths.h"
#include "daemon/zone_file.h"

namespace nightshift::daemon {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* kDatabase = "/usr/share/zoneinfo";
constexpr std::size_t kZoneFileMax = 1 << 20;

std::string path_of(const std::string& zone) {
    return std::string(kDatabase) + "/" + zone;
}

/// What changes when a package manager or an administrator puts another file in its place.
struct FileStamp {
    std::filesystem::file_time_type written;
    std::uintmax_t bytes = 0;
    friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// Nothing while there is no such file, as in the middle of an update.
std::optional<FileStamp> stamp_of(const std::string& path) {
    std::error_code code;
    const auto written = std::filesystem::last_write_time(path, code);
    if (code) return std::nullopt;
    const auto bytes = std::filesystem::file_size(path, code);
    if (code) return std::nullopt;
    return FileStamp{written, bytes};
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

}  // namespace

struct SystemTimeZones::Zone {
    std::shared_ptr<const ZoneFile> rules;  ///< null = UTC
    std::optional<FileStamp> stamp;

    seconds offset_at(date::sys_seconds at) const {
        return seconds(rules ? rules->offset_at(at.time_since_epoch().count()) : 0);
    }
    LocalOffset at_local(date::local_seconds local) const {
        return rules ? rules->at_local(local.time_since_epoch().count()) : LocalOffset{};
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
    return find(zone).rules != nullptr;
}

SystemTimeZones::Zone SystemTimeZones::read_zone(const std::string& name) {
    Zone zone;
    // Names come from users: nothing that could leave the database's folder.
    if (name.empty() || name.find("..") != std::string::npos || name.find('\0') != std::string::npos ||
        name.front() == '/')
        return zone;
    try {
        date::locate_zone(name);  // throws for what is no zone
    } catch (const std::exception&) {
        return zone;
    }
    zone.stamp = stamp_of(path_of(name));
    if (const auto content = read_file(path_of(name), kZoneFileMax)) zone.rules = ZoneFile::parse(*content);
    return zone;
}

const SystemTimeZones::Zone& SystemTimeZones::find(const std::string& name) const {
    const std::string& real = name.empty() ? system_zone_ : name;
    if (const auto known = cache_->zones.find(real); known != cache_->zones.end()) return known->second;
    const Zone zone = read_zone(real);
    // Unknown names are not kept: a client could fill the table with them.
    if (!zone.rules) {
        static const Zone kUtc;
        return kUtc;
    }
    return cache_->zones.emplace(real, zone).first->second;
}

std::vector<std::string> SystemTimeZones::refresh() {
    std::vector<std::string> changed;
    for (auto& [name, zone] : cache_->zones) {
        const auto stamp = stamp_of(path_of(name));
        if (!stamp || stamp == zone.stamp) continue;
        // A file in the middle of an update: what was known of it goes on until it is whole.
        Zone fresh = read_zone(name);
        if (!fresh.rules) continue;
        // Most files of an update are written anew without a change.
        if (*fresh.rules != *zone.rules) changed.push_back(name);
        zone = std::move(fresh);
    }
    std::string chosen = find_system_zone();
    if (chosen != system_zone_ && knows(chosen)) {
        system_zone_ = std::move(chosen);
        changed.push_back(system_zone_);
    }
    return changed;
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
