// Built as C++17 (see CMakeLists.txt): date/ptz.h of Debian's 3.0.1 uses names that C++20's <chrono> took.
#include "daemon/posix_zone.h"

#include <date/ptz.h>
#include <date/tz.h>

namespace nightshift::daemon {

namespace {

class Rule final : public PosixZone {
  public:
    explicit Rule(const std::string& rule) : zone_(rule) {}

    std::int64_t offset_at(std::int64_t unix_s) const override {
        return zone_.get_info(date::sys_seconds{std::chrono::seconds(unix_s)}).offset.count();
    }

    LocalOffset at_local(std::int64_t local_s) const override {
        const date::local_info info = zone_.get_info(date::local_seconds{std::chrono::seconds(local_s)});
        LocalOffset answer;
        answer.offset_s = info.first.offset.count();
        if (info.result == date::local_info::nonexistent) {
            answer.kind = LocalOffset::Kind::kGap;
            answer.change_at_s = info.second.begin.time_since_epoch().count();
        } else if (info.result == date::local_info::ambiguous) {
            answer.kind = LocalOffset::Kind::kRepeated;
        }
        return answer;
    }

  private:
    Posix::time_zone zone_;
};

}  // namespace

std::shared_ptr<const PosixZone> PosixZone::parse(const std::string& rule) {
    try {
        return std::make_shared<Rule>(rule);
    } catch (const std::exception&) {
        return nullptr;
    }
}

}  // namespace nightshift::daemon
