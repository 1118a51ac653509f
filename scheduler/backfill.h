#pragma once

#include <optional>
#include <vector>

#include "scheduler/admission.h"

namespace nightshift {

/// What is kept for the first job of a class that waits for VRAM: nobody behind it may push its start.
struct Reservation {
    JobId job;
    int rank = 0;
    Bytes needed;
    VramTerms terms;           ///< once things have settled, as they stood when it was made
    std::optional<UnixMs> at;  ///< earliest time its VRAM can be there; nothing when unknown
    std::vector<std::pair<JobId, UnixMs>> askable;  ///< running jobs that could leave for it from then on
    bool is_imminent = false;  ///< the bytes are on their way, or will be as soon as victims may be asked
};

/// The reservation of a job that does not fit, on the device where it is closest to fitting. Its time
/// comes from the expected ends of the holders and from the steps of the headroom.
Reservation reserve(const Scene& scene, const Ledger& ledger, const Job& job, const Outlook& outlook);

/// The first reservation that starting `job` on `fit` would push, if any. EASY backfill in VRAM: it may
/// start if it is over in time, if it fits beside, or if it can be preempted before it hurts. A job that
/// does not fit yet cannot push those for whom room was set aside: they start first.
const Reservation* pushed_by(const Scene& scene, const Ledger& ledger, const Job& job, const Fit& fit,
                             const std::vector<Reservation>& reservations);

/// The last instant at which a preemptible job may start ahead of a reservation whose time is known:
/// it has to be old enough to be preempted, and gone, by then.
UnixMs last_backfill(const Scene& scene, const Reservation& head);

/// The gate of a job that fits but would push a reservation.
Gate reserved_gate(const Scene& scene, const Fit& fit, const Reservation& reservation);

}  // namespace nightshift
