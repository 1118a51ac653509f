#pragma once

#include <optional>
#include <vector>

#include "scheduler/ledger.h"
#include "scheduler/planner.h"
#include "scheduler/scene.h"

namespace nightshift {

/// How a job fares on one device.
struct Fit {
    std::string device;  ///< empty for a job without VRAM: it needs no GPU
    VramTerms terms;
    bool fits = false;
};

/// How a job that does not fit on a device will fare there when things have settled (Moment::kSettled).
struct Outlook {
    VramTerms terms;
    bool is_coming = false;    ///< then it fits and may start: its memory is on its way back
    std::vector<JobId> ahead;  ///< whose memory is on its way as well, and goes first
};

/// Every healthy device the job may use: first those it fits on, tightest first (large holes stay
/// whole), then the others, smallest shortfall first. One Fit without a device for a job of 0 VRAM.
std::vector<Fit> fits_of(const Scene& scene, const Ledger& ledger, const Job& job);

/// The numbers of the fit's device when things have settled.
VramTerms settled_terms(const Scene& scene, const Ledger& ledger, const Job& job, const Fit& fit);

/// What is missing on the device; more than needed - available when the device is overcommitted.
Bytes shortfall_of(const VramTerms& terms);

/// The VRAM gate of a job that does not fit, with the numbers of now. Its code names what makes the
/// shortfall: bytes already on their way back to it, the headroom, other programs, or the budgets of jobs.
Gate vram_gate(const Scene& scene, const Ledger& ledger, const Job& job, const VramTerms& terms,
               const Outlook& outlook);

}  // namespace nightshift
