// From the daemon's answers to what pages show. The one place that knows where a field lies.

export const LIVE_QUERY = "/jobs?state=starting,running,yielding,parked,stopping&limit=50";
const LIVE = ["starting", "running", "yielding", "parked", "stopping"];
const RANK = { inference: 0, training: 1, evaluation: 1, synthesis: 2 };

/** Planning order: rank of the class, priority, then submit order. */
export function byPlan(jobs) {
  return [...jobs].sort((a, b) => RANK[a.class] - RANK[b.class] || (b.priority ?? 0) - (a.priority ?? 0)
    || (a.order_key ?? a.id) - (b.order_key ?? b.id));
}

/** The parts of /status that the shell and the Now page read. */
export function overview(status) {
  const counts = status?.counts ?? status?.jobs ?? {};
  const of = (state) => counts[state] ?? 0;
  const queue = status?.queue ?? {};
  return {
    counts: { ...counts, waiting: of("waiting"), live: LIVE.reduce((sum, state) => sum + of(state), 0) },
    total: Object.values(counts).reduce((sum, n) => sum + (typeof n === "number" ? n : 0), 0),
    paused: Boolean(queue.paused), pauseReason: queue.reason ?? "", pauseUntil: queue.until ?? null,
    windows: (status?.windows ?? []).map(({ name, open, changes_at }) => ({ name, open, changes_at })),
    simulated: Boolean(status?.simulated ?? status?.is_simulated), version: status?.version ?? "",
    data: status?.data_folder ?? status?.data ?? "", ready: status?.ready ?? true,
  };
}

/** "22:00–06:00" of a window's first rule, for the line above the memory bar. */
export function windowHours(policy, name) {
  const rule = policy?.windows?.[name]?.open?.[0] ?? "";
  const hours = /(\d\d:\d\d)-(\d\d:\d\d)/.exec(rule);
  return hours ? `${hours[1]}–${hours[2]}` : "";
}

export const devicesOf = (gpu) => (gpu?.devices ?? gpu?.gpus ?? []).map(deviceModel);

function deviceModel(raw) {
  return {
    ...raw,
    is_host: raw.is_host ?? raw.host ?? raw.uuid === "host",
    is_simulated: raw.is_simulated ?? raw.simulated ?? false,
    is_healthy: raw.is_healthy ?? raw.healthy ?? true,
    foreign_programs: (raw.foreign_programs ?? []).map((p) => ({ name: p.name, bytes: p.bytes ?? p.used ??
      0, pid: p.pid })),
    leases: (raw.leases ?? []).map((l) => ({ ...l, job: l.job ?? l.job_id, is_reclaiming: l.is_reclaiming
      ?? l.reclaiming ?? false })),
  };
}

/** The lease of a job on any device, or undefined. */
export function deviceOf(gpu, job) {
  for (const device of devicesOf(gpu)) {
    const lease = device.leases.find((l) => l.job === job);
    if (lease) return lease;
  }
  return undefined;
}

/** Samples of /gpu/history as columns: {at: [s], used: [bytes], utilization: […], …}; empty when unknown. */
export function historyColumns(history) {
  const samples = history?.samples ?? history?.points ?? [];
  const columns = { at: [], used: [], utilization: [], temperature_c: [], power_w: [] };
  for (const s of samples) {
    columns.at.push(Date.parse(s.at) / 1000);
    for (const key of ["used", "utilization", "temperature_c", "power_w"]) columns[key].push(s[key] ?? null);
  }
  return columns;
}

/** Curves of /jobs/ID/metrics: {name: {step: [], at: [s], value: []}}. */
export function curveColumns(metrics) {
  const series = {};
  const add = (name, step, at, value) => {
    const s = (series[name] ??= { step: [], at: [], value: [] });
    s.step.push(step);
    s.at.push(at ? Date.parse(at) / 1000 : null);
    s.value.push(typeof value === "number" ? value : NaN);
  };
  if (Array.isArray(metrics?.points)) {
    for (const p of metrics.points) {
      for (const [name, value] of Object.entries(p.metrics ?? {})) add(name, p.step, p.at, value);
    }
  } else {
    for (const [name, rows] of Object.entries(metrics?.series ?? {})) {
      for (const row of rows) {
        if (Array.isArray(row)) add(name, row[0], row.length > 2 ? row[1] : null, row.at(-1));
        else add(name, row.step, row.at, row.value);
      }
    }
  }
  return series;
}
