#include "tests/support/night.h"

#include <algorithm>

namespace nightshift::tests {

Night::Night() {
    DeviceState gpu;
    gpu.device.uuid = "GPU-a";
    gpu.device.name = "Test GPU";
    gpu.device.total = gibibytes(24);
    s.devices.push_back(gpu);
    s.ram_total = gibibytes(64);
    s.cpu_total = 16;
}

Job& Night::wait(int id, JobClass job_class, Bytes vram) {
    Job job;
    job.id = JobId{id};
    job.order_key = id;
    job.spec.kind = "burn";
    job.spec.name = "job " + std::to_string(id);
    job.spec.job_class = job_class;
    job.spec.vram = vram;
    job.spec.preemptible = job_class != JobClass::kInference;
    job.spec.checkpoint = CheckpointMode::kWorker;
    auto& jobs = s.candidates[static_cast<std::size_t>(job_class)];
    jobs.push_back(job);
    ++s.waiting_count[static_cast<std::size_t>(job_class)];
    return jobs.back();
}

LiveJob& Night::run(int id, JobClass job_class, Bytes vram, Millis ago) {
    LiveJob live;
    live.job = wait(id, job_class, vram);
    s.candidates[static_cast<std::size_t>(job_class)].pop_back();
    --s.waiting_count[static_cast<std::size_t>(job_class)];
    live.job.state = JobState::kRunning;
    live.job.attempt = 1;
    live.attempt.id = {JobId{id}, 1};
    live.attempt.granted_at = now - ago;
    live.attempt.running_at = now - ago;
    live.lease.attempt = live.attempt.id;
    live.lease.budget = vram;
    live.lease.device = vram.value > 0 ? s.devices.front().device.uuid : "";
    live.attempt.device = live.lease.device;
    s.live.push_back(live);
    return s.live.back();
}

void Night::add_window(const std::string& name, const std::string& rule, const std::string& zone) {
    Window window;
    window.name = name;
    window.timezone = zone;
    window.rules.push_back(parse_window_rule(rule).value());
    s.policy.windows.push_back(window);
}

bool starts(const Plan& plan, int id) {
    return std::any_of(plan.starts.begin(), plan.starts.end(),
                       [id](const Start& s) { return s.job.value == id; });
}

bool yields(const Plan& plan, int id) {
    return std::any_of(plan.yields.begin(), plan.yields.end(),
                       [id](const Yield& y) { return y.job.value == id; });
}

const Gate* gate_of(const Explanation& explanation, const std::string& code) {
    for (const Gate& gate : explanation.gates) {
        if (gate.code == code) return &gate;
    }
    return nullptr;
}

const Gate* gate_of(const Plan& plan, int id, const std::string& code) {
    for (const Explanation& waiting : plan.waiting) {
        if (waiting.job.value == id) return gate_of(waiting, code);
    }
    return nullptr;
}

std::string gates_text(const Plan& plan) {
    std::string text;
    for (const Explanation& waiting : plan.waiting) {
        text += (text.empty() ? "" : " | ") + std::to_string(waiting.job.value) + ":";
        for (const Gate& gate : waiting.gates) text += " " + gate.code;
    }
    return text;
}

}  // namespace nightshift::tests
