// One consistent evening, as data: Wednesday 18 November 2026, 18:48 in Seoul, one card of 24.0 GiB.
// 2.0 inference + 6.0 of its share unused + 7.0 training + 7.3 free + 1.2 other programs + 0.5 safety = 24.0.
export const NOW = "2026-11-18T18:48:00.000+09:00";
const GIB = 1024 ** 3;
export const gib = (n) => Math.round(n * GIB);
const at = (text) => new Date(`2026-11-${text}:00.000+09:00`).toISOString();

const base = (id, name, kind, jobClass, state, more) => ({
  id, name, kind, class: jobClass, state, held: false, priority: 0, params: {}, command: null, cwd: null,
    gpu: null, vram: 0, ram: gib(2), cpu: 1,
  window: null, not_before: null, start_deadline: null, time_limit: null, preemptible: jobClass !==
    "inference", checkpoint: "worker",
  created_at: at("18T10:00"), started_at: null, ended_at: null, attempt: state === "waiting" ? 0 : 1,
    preemptions: 0, retries: 0, retries_left: 0, progress: null,
  outcome: null, after: [], labels: {}, waiting: null, schedule: null, rerun_of: null, run_time: 0,
    peak_vram: 0, version: 3, ...more,
});
const ok = (message) => ({ code: "ok", message, exit_code: 0, signal: null, cached: false });
const wait = (code, text) => ({ code, text });

export const jobs = [
  base(814, "sonar-aug", "command", "training", "waiting", { vram: gib(3), held: true, created_at:
    at("18T17:20"), command: ["python3", "sonar_aug.py"],
    waiting: wait("held", "Held by a person.") }),
  base(813, "patchcore-l5-retry", "train.patchcore", "training", "waiting", { vram: gib(4), created_at:
    at("18T17:12"), rerun_of: 796,
    waiting: wait("outside_window", "The window night is closed; it opens at 22:00.") }),
  base(812, "dream-v7-large", "train.dream", "training", "waiting", { vram: gib(14), created_at:
    at("18T16:43"), priority: 1, window: "night",
    params: { features: "job:802", epochs: 120 }, waiting:
      wait("vram_budget", "14.0 GiB wanted, 7.3 GiB can be given now.") }),
  base(811, "seg-try", "command", "training", "cancelled", { vram: gib(2), peak_vram: gib(1.1), created_at:
    at("18T15:55"), started_at: at("18T15:55"), ended_at: at("18T15:58"),
    run_time: 190, outcome: { code: "cancelled", message: "", exit_code: null, signal: null }, command:
      ["python3", "seg.py"] }),
  base(810, "score-lot-5522", "score", "inference", "succeeded", { vram: gib(2), peak_vram: gib(1.7),
    created_at: at("18T17:02"), started_at: at("18T17:02"), ended_at: at("18T17:09"),
    run_time: 422, outcome: ok("1,204 panels, 3 suspects") }),
  base(809, "eval-dream-e120", "evaluate", "evaluation", "waiting", { vram: gib(4), created_at:
    at("18T17:54"), after: [{ job: 790, on: "success" }],
    waiting: wait("dep_waiting", "Waits for job 790 to succeed.") }),
  base(808, "analyze-lot-5520", "analyze", "evaluation", "running", { cpu: 4, created_at: at("18T18:31"),
    started_at: at("18T18:31"),
    progress: { phase: "sequences", step: 224, steps: 640, eta_s: 1920, metrics: {} } }),
  base(805, "dream-smoke", "train.dream", "training", "expired", { vram: gib(6), created_at:
    at("18T09:00"), ended_at: at("18T11:00"),
    outcome: { code: "expired", message: "Start deadline 11:00 passed.", exit_code: null, signal: null } }),
  base(804, "eval-quick", "evaluate", "evaluation", "succeeded", { vram: gib(4), peak_vram: gib(3.2),
    created_at: at("18T09:10"), started_at: at("18T09:10"), ended_at: at("18T09:32"), run_time: 1324,
    outcome: ok("ROC AUC 0.981") }),
  base(802, "features-1117", "extract", "training", "succeeded", { created_at: at("18T04:00"), started_at:
    at("18T04:00"), ended_at: at("18T04:22"), run_time: 1330, outcome: ok("128,400 rows") }),
  base(801, "synth-1117", "generate", "synthesis", "waiting", { vram: gib(3), created_at: at("17T20:15"),
    waiting: wait("only_when_idle", "No synthesis while training is live.") }),
  base(799, "score-lot-5519", "score", "inference", "succeeded", { vram: gib(15), peak_vram: gib(14.1),
    created_at: at("18T00:41"), started_at: at("18T00:41"), ended_at: at("18T01:33"), run_time: 3128,
    outcome: ok("9,416 panels, 27 suspects") }),
  base(796, "patchcore-l5", "train.patchcore", "training", "failed", { vram: gib(3), peak_vram: gib(2.9),
    created_at: at("17T22:00"), started_at: at("17T23:12"), ended_at: at("17T23:19"), run_time: 432,
    outcome: { code: "over_budget", message: "3.4 GiB asked, budget 3.0 GiB", exit_code: 1, signal: null } }),
  base(795, "patchcore-l3", "train.patchcore", "training", "succeeded", { vram: gib(3), peak_vram:
    gib(2.7), created_at: at("17T22:00"), started_at: at("17T22:00"), ended_at: at("17T23:12"), run_time:
      4320,
    outcome: ok("bank 12,840 rows") }),
  base(790, "dream-flex-e120", "train.dream", "training", "running", { vram: gib(7), peak_vram: gib(6.6),
    created_at: at("17T21:58"), started_at: at("17T22:02"), preemptions: 2, attempt: 3, run_time: 54660,
      running_since: at("18T14:22"),
    params: { features: "job:788", epochs: 120, batch: 256, lr: 0.001 }, time_limit: 108000,
    progress: { phase: "epoch", step: 86, steps: 120, eta_s: 28320, metrics: { loss: 0.113, grad: 0.69 } } }),
  base(781, "line3-infer", "command", "inference", "running", { vram: gib(2), peak_vram: gib(1.8),
    created_at: at("12T14:48"), started_at: at("12T14:48"), command: ["./line3", "--serve"],
    progress: { phase: "0.8 panels/s", step: 0, steps: 0, eta_s: null, metrics: {} } }),
];

export const gpu = { devices: [{
  uuid: "GPU-3f1c9a20", index: 0, name: "NVIDIA RTX A5000", total: gib(24), driver: "580.95", is_simulated:
    false, is_host: false, is_healthy: true, fault: "",
  used: gib(9.4), safety: gib(0.5), foreign: gib(1.2), headroom: gib(8), headroom_until: at("18T19:00"),
    headroom_next: 0,
  foreign_programs: [{ name: "Xorg", bytes: gib(0.7), pid: 1204 }, { name: "chrome", bytes: gib(0.5), pid:
    8831 }],
  utilization: 0.91, temperature_c: 71, power_w: 188, power_limit_w: 230, throttle: null,
  leases: [
    { job: 781, attempt: 1, name: "line3-infer", class: "inference", budget: gib(2), used: gib(1.8), peak:
      gib(1.8), grade: "allocator", is_reclaiming: false },
    { job: 790, attempt: 3, name: "dream-flex-e120", class: "training", budget: gib(7), used: gib(6.4),
      peak: gib(6.6), grade: "allocator", is_reclaiming: false },
  ],
}] };

const counts = {};
for (const job of jobs) counts[job.state] = (counts[job.state] ?? 0) + 1;
export const status = (role) => ({
  version: "0.1.0", now: NOW, started_at: at("12T09:00"), ready: true, simulated: false, role, data_folder:
    "/var/lib/nightshift", last_commit_ms: 1.4, plan_seq: 4411,
  queue: { paused: false, reason: "", until: null }, counts,
  windows: [{ name: "night", open: false, changes_at: at("18T22:00") }],
});

const vram = (needed) => ({ needed: gib(needed), capacity: gib(24), safety: gib(0.5), foreign: gib(1.2),
  held: gib(7), headroom: gib(8), available: gib(7.3),
  device: "GPU-3f1c9a20", held_by: [{ job: 790, bytes: gib(7) }], headroom_window: "office",
    headroom_until: at("18T19:00") });
const closed = { code: "outside_window", since: at("18T16:43"), text: "The window night opens at 22:00.",
  detail: { window: "night", opens_at: at("18T22:00") } };
const why = (job, gates, p50, p90, basis, more = []) => ({ job, state: "waiting", head_of_class: job ===
  812, gates, eta: { p50, p90, basis }, would_start_if: more,
  history: gates.map((g) => ({ code: g.code, from: at("18T16:43"), to: null })), plan_seq: 4411 });
export const whys = {
  812: why(812, [{ code: "vram_budget", since: at("18T16:43"), text:
    "14.0 GiB wanted, 7.3 GiB can be given to training now.", detail: vram(14) }, closed],
    at("19T02:40"), at("19T03:10"), "when job 790 ends", [
      { action: "job 790 yields", effect: "starts at 22:00", cost: "790 ends 05:34, redoes about 4 min",
        verb: "preempt", job: 790 },
      { action: "budget <= 13.1 GiB", effect: "starts at 22:00", cost: "peak of the last 9 runs: 12.6 GiB",
        verb: "set_vram", job: 812, vram: gib(13.1) }]),
  813: why(813, [closed, { code: "order_behind", since: null, text:
    "Goes after 812 unless it does not delay it.", detail: { jobs: [812] } }], at("18T22:00"),
      at("18T22:00"), "window opens"),
  809: why(809, [{ code: "dep_waiting", since: at("18T17:54"), text: "Waits for job 790 to succeed.",
    detail: { jobs: [790] } }], at("19T02:40"), at("19T03:10"), "when job 790 ends"),
  801: why(801, [{ code: "only_when_idle", since: at("17T20:15"), text:
    "No synthesis while training is live.", detail: { jobs: [790, 812, 813] } }], at("19T05:30"),
      at("19T06:10"), "after 812"),
  814: why(814, [{ code: "held", since: at("18T17:20"), text: "Held by a person.", detail: {} }], null,
    null, "", [{ action: "release job 814", effect: "can be planned again", cost: "", verb: "release", job:
      814 }]),
};

export const policy = {
  vram: { safety: "512MiB" },
  windows: { night: { timezone: "Asia/Seoul", open: ["mon-fri 22:00-06:00", "sat-sun 00:00-24:00"] },
    office: { timezone: "Asia/Seoul", open: ["mon-fri 08:00-19:00"] } },
  classes: { inference: { headroom: [{ window: "office", vram: "8GiB" }, { vram: "2GiB" }] }, training:
    { window: "night" }, synthesis: { only_when_idle: ["training"] } } };

const job = (kind, params) => ({ kind, params });
export const schedules = { schedules: [
  { name: "train-nightly", cron: "0 22 * * mon-fri", timezone: "Asia/Seoul", missed: "once", overlap:
    "skip", enabled: true, next_fire_at: at("18T22:00"), last_fire_at: at("17T22:00"), version: 2,
    jobs: [{ name: "patchcore-l3", kind: "train.patchcore", vram: gib(3), params:
      { features: "/data/l3.feather", bank: 0.1, seed: 7 } }, { name: "publish-l3", kind: "command",
        command: ["publish", "job:#0"] }] },
  { name: "eval-nightly", cron: "20 23 * * *", timezone: "Asia/Seoul", missed: "skip", overlap: "skip",
    enabled: true, next_fire_at: at("18T23:20"), last_fire_at: at("17T23:20"), version: 1, jobs:
      [job("evaluate", { goal: 2 })] },
  { name: "sonar-weekly", cron: "0 3 * * sun", timezone: "Asia/Seoul", missed: "skip", overlap: "skip",
    enabled: false, next_fire_at: null, last_fire_at: at("08T03:00"), version: 5, jobs:
      [{ kind: "command", command: ["sonar-aug"] }] },
] };

export const kinds = { kinds: [
  { name: "train.dream", class: "training", summary: { en: "Trains the DREAM sequence model", ko:
    "DREAM 시퀀스 모델 학습" }, vram: gib(6), ram: gib(4), cpu: 2, checkpoint: "worker", artifacts:
      ["model/", "curves.csv"],
    params: { type: "object", required: ["features"], properties: {
      features: { type: "string", "x-artifact": "table", description: "Features to train on", "x-ko":
        "학습할 특징" },
      epochs: { type: "integer", minimum: 1, maximum: 10000, default: 40, "x-unit": "epoch" },
      batch: { type: "integer", minimum: 1, maximum: 65536, default: 256 },
      lr: { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1, default: 0.001 },
      engine: { type: "string", enum: ["auto", "native", "torch"], default: "auto" },
      amp: { type: "boolean", default: true, description: "Mixed precision" },
      seed: { type: "integer", minimum: 0, default: 0 } } } },
  { name: "extract", class: "training", summary: { en: "Computes features", ko: "특징 계산" }, vram: 0, ram:
    gib(4), cpu: 2, checkpoint: "worker", artifacts: ["features.feather"],
    params: { type: "object", required: ["dataset"], properties:
      { dataset: { type: "string", "x-artifact": "dataset" } } } },
  { name: "sleep", class: "synthesis", summary: { en: "Sleeps", ko: "기다리기" }, vram: 0, ram: 0, cpu: 1,
    checkpoint: "worker", artifacts: [],
    params: { type: "object", properties: { seconds: { type: "number", minimum: 0, default: 1, "x-unit":
      "s" } } } },
  { name: "command", class: "training", summary: { en: "Runs your own program", ko: "직접 만든 프로그램 실행" },
    vram: 0, ram: 0, cpu: 1, checkpoint: "none", artifacts: [], params: { type: "object", properties: {} } },
] };

const step = (n) => new Date(Date.parse(at("17T22:02")) + n * 60_000).toISOString();
function curve() {
  const points = [];
  let seed = 7;
  const noise = () => { seed = (seed * 16807) % 2147483647; return seed / 2147483647 - 0.5; };
  for (let m = 0; m < 1240; m += 4) {
    if ((m > 159 && m < 211) || (m > 963 && m < 980)) continue;   // preempted
    const loss = 0.08 + 0.65 * Math.exp(-m / 190);
    points.push({ step: m * 9, at: step(m), metrics: { loss: m === 564 ? null : loss * (1 + noise() * 0.4),
      ...(m % 40 === 0 ? { val_loss: loss * 1.08 + 0.02 } : {}) } });
  }
  return { points };
}
export const metrics = { 790: curve() };
const event = (seq, time, kind, attempt, data = {}) => ({ seq, at: at(time), topic: "job", kind, job: 790,
  attempt, actor: "", data });
export const events = { 790: { events: [event(1, "17T21:58", "submitted", 0),
  event(2, "17T22:02", "started", 1), event(3, "18T00:41", "yielding", 1, { beneficiary: 799 }),
    event(3, "18T00:41", "preempted", 1),
    event(4, "18T01:33", "started", 2),
  event(5, "18T14:05", "yielding", 2, { beneficiary: 803 }), event(5, "18T14:05", "preempted", 2),
    event(6, "18T14:22", "started", 3)] } };
export const artifacts = { 790: { artifacts: [{ name: "curves.csv", type: "table", bytes: 1468006, attempt:
  3, sha256: "" }, { name: "config.json", type: "", bytes: 2048, attempt: 3, sha256: "" }] },
  804: { artifacts: [{ name: "report.html", type: "report", bytes: 48213, attempt: 1, sha256: "" },
    { name: "scores.csv", type: "table", bytes: 90210, attempt: 1, sha256: "" }] } };

const bank = (n) => `bank ${n.toLocaleString("en-US").padStart(6)}/12,840 `
  + `radius ${(6.2 - n / 4500).toFixed(3)} used 1.7${n > 1500 ? 2 : 1} GiB`;
export const logs = {
  796: ["attempt 1 kind=train.patchcore budget=3.00 GiB grade=allocator device=GPU-3f1c9a20",
    "features job:795 rows=128,400 columns=96 dtype=float32 (47.0 MiB)",
    "sampling=greedy start=0 bank=0.1 -> 12,840 rows, k=9, seed=7", ...Array.from({ length: 26 }, (_, i) =>
      bank((i + 1) * 490)),
    "warning: no anomalies in the validation split, threshold = 99.5 % quantile of normals",
      "threshold: distances of 29,696 validation rows to 12,840 bank rows",
    "alloc 1.42 GiB requested, 1.98 GiB held, budget 3.00 GiB: too much",
      "error vram_exceeded: distance matrix 12,840 x 29,696 float32 needs 1.42 GiB, 1.02 GiB left",
    "hint: vram >= 3.5 GiB, or bank <= 0.07", "wrote result.json outcome=failed code=vram_exceeded",
      "process 48213 exit 1, 0 children left, VRAM returned 1.98 GiB after 0.4 s", ""].join("\n"),
  790: ["epoch 85/120 train 0.0871 val 0.1128 lr 2.31e-04 13.6 min",
    "<script>alert(1)</script> <img src=x onerror=alert(1)>",
      "warning: 3 samples skipped, track shorter than window (32 frames)", ""].join("\n"),
};
export function history() {
  const samples = [];
  let seed = 3;
  const noise = () => { seed = (seed * 16807) % 2147483647; return seed / 2147483647 - 0.5; };
  for (let s = 3600; s >= 0; s -= 30) {
    samples.push({ at: new Date(Date.parse(NOW) - s * 1000).toISOString(), used: gib(9.4 + noise() * 0.2),
      utilization: 0.91 + noise() * 0.1, temperature_c: 71 + noise() * 3, power_w: 188 + noise() * 16 });
  }
  return { samples };
}
