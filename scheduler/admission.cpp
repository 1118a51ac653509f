#include "scheduler/admission.h"

#include <algorithm>

#include "scheduler/runtime.h"

namespace nightshift {
namespace {

std::string choose_code(const VramTerms& terms) {
    const Bytes missing = shortfall_of(terms);
    // The largest of the terms that would cover the shortfall alone; budgets of jobs otherwise.
    std::string code = "vram_budget";
    Bytes most = terms.held >= missing ? terms.held : Bytes{};
    if (terms.headroom >= missing && terms.headroom > most) {
        code = "vram_headroom";
        most = terms.headroom;
    }
    if (terms.foreign >= missing && terms.foreign > most) code = "vram_foreign";
    if (code != "vram_budget" || terms.held.value > 0) return code;
    if (terms.headroom.value > 0 && terms.headroom >= terms.foreign) return "vram_headroom";
    return terms.foreign.value > 0 ? "vram_foreign" : code;
}

std::string sum_text(const Scene& scene, const VramTerms& terms) {
    constexpr std::size_t kNamed = 4;
    const bool is_host = terms.device == "host";
    std::string text = format_bytes(terms.capacity) + (is_host ? " host memory - " : " card - ") +
                       format_bytes(terms.safety) + " safety";
    if (terms.foreign.value > 0) {
        text += " - " + format_bytes(terms.foreign) + " other programs";
        for (const DeviceState& device : scene.snapshot.devices) {
            if (device.device.uuid != terms.device || device.foreign_programs.empty()) continue;
            const auto& [name, bytes] = device.foreign_programs.front();
            text += " (" + name + " " + format_bytes(bytes) + ")";
        }
    }
    Bytes rest = terms.held;
    for (std::size_t i = 0; i < terms.held_by.size() && i < kNamed; ++i) {
        const auto& [job, bytes] = terms.held_by[i];
        text += " - " + format_bytes(bytes) + " job " + std::to_string(job.value);
        rest -= bytes;
    }
    if (rest.value > 0) text += " - " + format_bytes(rest) + " other jobs";
    if (terms.headroom.value > 0) {
        text += " - " + format_bytes(terms.headroom) + " kept for inference";
        if (!terms.headroom_window.empty()) text += " (" + terms.headroom_window + ")";
    }
    return text + " = " + format_bytes(terms.available);
}

/// When the headroom alone steps down far enough.
std::optional<UnixMs> headroom_drop(const Scene& scene, const VramTerms& terms) {
    const Bytes missing = shortfall_of(terms);
    const auto& steps = scene.windows.headroom_steps();
    for (const HeadroomStep& step : steps) {
        if (step.from > scene.now && steps.front().vram - step.vram >= missing) return step.from;
    }
    return std::nullopt;
}

}  // namespace

std::vector<Fit> fits_of(const Scene& scene, const Ledger& ledger, const Job& job) {
    if (job.spec.vram.value <= 0) {
        Fit fit;
        fit.fits = true;
        return {fit};
    }
    const auto end = end_when_started(job, scene.snapshot, scene.now);
    std::vector<Fit> fits;
    for (const DeviceState& device : scene.snapshot.devices) {
        if (!may_use(job.spec, scene.policy(), device.device)) continue;
        if (device.sample && !device.sample->is_healthy) continue;
        Fit fit;
        fit.device = device.device.uuid;
        fit.terms = ledger.terms(job.spec, device, end);
        fit.fits = fit.terms.available >= fit.terms.needed;
        fits.push_back(std::move(fit));
    }
    std::stable_sort(fits.begin(), fits.end(), [](const Fit& a, const Fit& b) {
        if (a.fits != b.fits) return a.fits;
        return a.fits ? slack_of(a.terms) < slack_of(b.terms) : slack_of(a.terms) > slack_of(b.terms);
    });
    return fits;
}

VramTerms settled_terms(const Scene& scene, const Ledger& ledger, const Job& job, const Fit& fit) {
    const auto& devices = scene.snapshot.devices;
    const auto device = std::find_if(devices.begin(), devices.end(), [&fit](const DeviceState& state) {
        return state.device.uuid == fit.device;
    });
    return ledger.terms(job.spec, *device, end_when_started(job, scene.snapshot, scene.now),
                        Moment::kSettled);
}

Bytes shortfall_of(const VramTerms& terms) {
    return std::max(Bytes{}, terms.needed - slack_of(terms));
}

Gate vram_gate(const Scene& scene, const Ledger& ledger, const Job& job, const VramTerms& terms,
               const Outlook& outlook) {
    Gate gate;
    // What comes back to it does not count as lacking; with enough for it, who goes first is what it lacks.
    const VramTerms& lacking = outlook.terms.available < outlook.terms.needed ? outlook.terms : terms;
    gate.code = outlook.is_coming ? "vram_release_pending" : choose_code(lacking);
    gate.vram = terms;
    gate.limit = terms.available.value;
    gate.value = terms.needed.value;
    gate.text = scene.say([&] {
        return format_bytes(terms.needed) + " wanted, " + format_bytes(terms.available) +
               " can be given to " + std::string(to_string(job.spec.job_class)) +
               " now: " + sum_text(scene, terms) + ".";
    });
    if (outlook.is_coming) {
        for (const Hold& hold : ledger.holds()) {
            if (hold.device == terms.device && hold.is_leaving && hold.bytes.value > 0)
                gate.jobs.push_back(hold.job);
        }
        gate.text +=
            scene.say([&] { return " The memory of " + format_jobs(gate.jobs) + " is on its way back."; });
        return gate;
    }
    if (gate.code == "vram_budget") {
        for (const auto& [holder, bytes] : lacking.held_by) gate.jobs.push_back(holder);
    } else if (gate.code == "vram_headroom") {
        gate.opens_at = headroom_drop(scene, lacking);
        gate.window = terms.headroom_window;
    }
    if (outlook.ahead.empty()) return gate;
    gate.text += scene.say([&] {
        return " What is on its way back is for " + format_jobs(outlook.ahead) + ", which " +
               (outlook.ahead.size() == 1 ? "is" : "are") + " ahead.";
    });
    return gate;
}

}  // namespace nightshift
