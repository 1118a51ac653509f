#include "daemon/upkeep.h"

namespace nightshift::daemon {

namespace {

constexpr auto kFirst = std::chrono::minutes(5);
constexpr auto kStep = std::chrono::hours(1);
constexpr int kRowsPerRun = 2000;

}  // namespace

Upkeep::Upkeep(Loop& loop, std::function<Policy()> policy, std::string data_folder)
    : loop_(loop), policy_(std::move(policy)), data_folder_(std::move(data_folder)), timer_(loop.io()) {}

void Upkeep::start() {
    timer_.expires_after(kFirst);
    arm();
}

void Upkeep::arm() {
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        run();
        timer_.expires_after(kStep);
        arm();
    });
}

void Upkeep::run() {
    const Millis kept = policy_().retain_jobs;
    loop_.change({[kept](db::Store& store, UnixMs now) { return store.prune(now - kept, now - kept, kRowsPerRun); },
                  {},
                  false});
}

}  // namespace nightshift::daemon
