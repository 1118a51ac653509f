#include "daemon/worker/release_watch.h"

#include <algorithm>

namespace nightshift::daemon {

namespace {

/// A sample may have been under way when the process ended; the next one tells the truth.
constexpr int kSamplesToTrust = 2;
/// Less than this is noise of other programs.
constexpr Bytes kNoise = mebibytes(64);

}  // namespace

void ReleaseWatch::add(const AttemptId& id, std::string device, Bytes budget, Bytes seen, Millis now) {
    Watched watched;
    watched.device = std::move(device);
    watched.most = std::max(budget, seen);
    watched.seen = seen;
    watched.left = watched.most;
    watched.gone_at = now;
    watched_[id] = std::move(watched);
}

Bytes ReleaseWatch::share(const std::string& device, Bytes unexplained) {
    Bytes sum;
    for (auto& [id, watched] : watched_) {
        if (watched.device != device) continue;
        watched.left = std::min(watched.most, unexplained - sum);
        sum += watched.left;
        ++watched.samples;
    }
    return sum;
}

std::vector<ReleaseWatch::Over> ReleaseWatch::take_over(Millis now) {
    std::vector<Over> over;
    for (auto at = watched_.begin(); at != watched_.end();) {
        const Watched& watched = at->second;
        // Nine parts of ten are enough: the rest may be a neighbour's that grew meanwhile.
        const bool is_free = watched.samples >= kSamplesToTrust &&
                             watched.left <= std::max(kNoise, Bytes{watched.seen.value / 10});
        const bool is_overdue = !is_free && now - watched.gone_at > kBound;
        if (!is_free && !is_overdue) {
            ++at;
            continue;
        }
        over.push_back({at->first, watched.device, watched.left, is_overdue});
        at = watched_.erase(at);
    }
    return over;
}

Bytes ReleaseWatch::left(const AttemptId& id) const {
    const auto found = watched_.find(id);
    return found == watched_.end() ? Bytes{} : found->second.left;
}

}  // namespace nightshift::daemon
