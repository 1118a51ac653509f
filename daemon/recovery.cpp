#include "daemon/recovery.h"

#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "daemon/worker/attempt_record.h"
#include "scheduler/crash_point.h"
#include "scheduler/defect.h"

namespace nightshift::daemon {

namespace {

struct Finding {
    LiveJob live;
    std::unique_ptr<Process> process;
    std::optional<AttemptFacts> facts;  ///< set: the attempt has ended
    bool is_identity_new = false;
};

/// The worker's process, if it is there. A stored identity is believed; without one the command lines
/// of all processes are looked through.
std::unique_ptr<Process> find_process(Crew& crew, Finding& finding) {
    auto& worker = finding.live.attempt.worker;
    if (!worker) {
        worker =
            crew.workplace().processes->find_worker(finding.live.attempt.id, crew.workplace().data_folder);
        finding.is_identity_new = worker.has_value();
    }
    if (!worker) return nullptr;
    auto process = crew.workplace().processes->adopt(*worker);
    if (!process) return nullptr;
    return std::move(*process);
}

std::vector<FamilyMember> kill_family_of(Crew& crew, const Attempt& attempt) {
    const Family family{*attempt.worker, attempt.command, crew.workplace().output_folder(attempt.id)};
    return crew.workplace().processes->kill_family(family, false);
}

/// The worker is gone; what it started may not be, and the attempt ends when nothing of it is left. Kills
/// it, and gives one that is still there to be watched.
std::unique_ptr<Process> adopt_what_is_left(Crew& crew, const Attempt& attempt) {
    for (const FamilyMember& member : kill_family_of(crew, attempt)) {
        auto process = crew.workplace().processes->adopt(member.identity);
        if (process) return std::move(*process);
    }
    return nullptr;
}

Finding look_at(Crew& crew, LiveJob live, const std::string& boot_before, RecoveryCounts& counts) {
    Processes& processes = *crew.workplace().processes;
    Finding finding;
    finding.live = std::move(live);
    const AttemptId id = finding.live.attempt.id;
    const bool had_worker = finding.live.attempt.worker.has_value();
    // The process first: one that ends in between has written its result by then.
    finding.process = find_process(crew, finding);
    const std::string folder = crew.workplace().attempt_folder(id);
    if (const auto result = NIGHTSHIFT_RULE(103, read_result(folder, id), std::nullopt)) {
        finding.facts = facts_of(*result);
        ++counts.ended;
    } else if (finding.process) {
        ++counts.adopted;
    } else if (!had_worker) {
        // A worker is told to start only after its identity was stored: this one never was.
        finding.facts = never_started_facts();
        ++counts.never_started;
    } else if ((finding.process = adopt_what_is_left(crew, finding.live.attempt))) {
        ++counts.adopted;
    } else {
        const std::string boot = processes.boot_id();
        const bool is_reboot = finding.live.attempt.worker->boot_id != boot || boot_before != boot;
        finding.facts = is_reboot ? reboot_facts() : lost_facts({});
        ++counts.lost;
    }
    crash_point("recover.looked");
    return finding;
}

Status store_findings(db::Store& store, const std::string& boot, std::vector<Finding>& findings,
                      const RecoveryCounts& counts, const std::function<Bytes(const JobSpec&)>& vram_max,
                      UnixMs now) {
    NIGHTSHIFT_TRY(store.begin());
    for (Finding& finding : findings) {
        const AttemptId id = finding.live.attempt.id;
        if (finding.is_identity_new && finding.process) {
            NIGHTSHIFT_TRY(store.set_worker(id, finding.process->identity()));
        }
        if (!finding.facts) continue;
        finding.facts->peak = std::max(finding.facts->peak, finding.live.lease.peak);
        finding.facts->report.vram_max = vram_max(finding.live.job.spec);
        NIGHTSHIFT_TRY(store_end(store, id, *finding.facts, false, now));
    }
    NIGHTSHIFT_TRY(store.set_setting("boot_id", boot));
    const nlohmann::json data{{"adopted", counts.adopted},
                              {"ended", counts.ended},
                              {"lost", counts.lost},
                              {"never_started", counts.never_started}};
    const auto event = store.append_event({"queue", "daemon_started", "daemon", data.dump()}, {}, 0, now);
    if (!event) return event.error();
    crash_point("recover.ends_stored");
    NIGHTSHIFT_TRY(store.commit());
    crash_point("recover.committed");
    return {};
}

}  // namespace

Result<RecoveryCounts> recover(Loop& loop, Crew& crew, UnixMs now) {
    RecoveryCounts counts;
    db::Store& store = loop.store();
    Processes& processes = *crew.workplace().processes;
    const std::string boot = processes.boot_id();
    Snapshot snapshot;
    NIGHTSHIFT_TRY(store.load_planning(snapshot, now));
    const auto boot_before = store.setting("boot_id");
    if (!boot_before) return boot_before.error();
    std::vector<Finding> findings;
    for (LiveJob& live : snapshot.live) {
        findings.push_back(look_at(crew, std::move(live), boot_before->value_or(boot), counts));
    }
    const auto& vram_max = crew.workplace().vram_max;
    if (Status stored = store_findings(store, boot, findings, counts, vram_max, now); !stored) {
        store.rollback();
        return stored.error();
    }
    for (Finding& finding : findings) {
        if (finding.process) {
            crew.adopt(finding.live, std::move(finding.process), finding.facts.has_value());
        } else {
            crew.expect_release(finding.live.lease);
        }
        crash_point("recover.adopted");
    }
    // Ended before, but not yet seen to be free: a worker may still sit on its memory.
    for (const Lease& lease : snapshot.reclaiming) {
        const auto attempt = store.attempt(lease.attempt);
        if (!attempt) return attempt.error();
        if (*attempt && (*attempt)->worker) kill_family_of(crew, **attempt);
        crew.expect_release(lease);
    }
    crash_point("recover.done");
    spdlog::info("recovered adopted={} ended={} lost={} never_started={}", counts.adopted, counts.ended,
                 counts.lost, counts.never_started);
    return counts;
}

}  // namespace nightshift::daemon
