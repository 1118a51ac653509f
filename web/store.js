// Answers of the daemon by path. A page calls use(path) while it draws; what it used is kept fresh as
// long as it is on screen, and the last answer stays visible while a new one is on its way.
import { get, setRole, signedIn } from "/api.js";
import { setServerNow } from "/format.js";

const MIN_INTERVAL_MS = 400, FORECAST_INTERVAL_MS = 15_000;
const KEEP_ENTRIES = 120;
const entries = new Map();
let wanted = new Set();
let redraw = () => {};
let timer = 0;

/** Which events touch which paths; the first match counts. */
const topicsOf = [
  [/^\/kinds/, []],
  [/^\/status/, ["job", "queue", "schedule", "policy"]],
  [/^\/jobs\/\d+\/(metrics|artifacts|events)/, ["job"]],
  [/^\/jobs/, ["job", "queue", "policy"]],
  [/^\/gpu\/history/, []],
  [/^\/gpu/, ["gpu", "job", "policy"]],
  [/^\/schedules/, ["schedule", "job"]],
  [/^\/plan/, ["job", "queue", "policy"]],
  [/^\/policy/, ["policy"]],
];

export function onChange(draw) { redraw = draw; }

/** {data, problem, at}: data is undefined until the first answer came. */
export function use(path) {
  wanted.add(path);
  let entry = entries.get(path);
  if (!entry) {
    entry = { data: undefined, problem: null, at: 0, dirty: true, busy: false };
    entries.set(path, entry);
  }
  return entry;
}

export const peek = (path) => entries.get(path)?.data;

/** Called by the shell around each drawing: forgets what is no longer looked at, fetches what is new. */
export function beforeDraw() { wanted = new Set(); }
export function afterDraw() {
  if (entries.size > KEEP_ENTRIES) {
    for (const path of entries.keys()) {
      if (!wanted.has(path)) entries.delete(path);
    }
  }
  pump();
}

/** Marks everything, or what an event of this topic and job touches, as out of date. */
export function refresh(topic, job) {
  for (const [path, entry] of entries) {
    if (topic) {
      const topics = topicsOf.find(([pattern]) => pattern.test(path))?.[1] ?? [];
      if (!topics.includes(topic)) continue;
      const own = /^\/jobs\/(\d+)\/(metrics|artifacts|events)/.exec(path);
      if (own && job && Number(own[1]) !== Number(job)) continue;
    } else if (path === "/kinds") continue;
    entry.dirty = true;
  }
  pump();
}

/** Newest progress of a running job, straight from the stream: no request for each step. */
export function patchJob(id, fields) {
  for (const [path, entry] of entries) {
    if (!path.startsWith("/jobs") && path !== "/status") continue;
    const data = entry.data;
    if (!data) continue;
    if (data.id === id) Object.assign(data, fields);
    for (const list of [data.jobs, data.running]) {
      const job = Array.isArray(list) && list.find((j) => j.id === id);
      if (job) Object.assign(job, fields);
    }
  }
  redraw();
}

export function clear() {
  entries.clear();
  wanted = new Set();
}

function pump() {
  if (!signedIn()) return;
  let later = 0;
  for (const path of wanted) {
    const entry = entries.get(path);
    if (!entry?.dirty || entry.busy) continue;
    const rest = path.startsWith("/plan") ? FORECAST_INTERVAL_MS : MIN_INTERVAL_MS;
    const due = entry.at + rest - Date.now();
    if (due > 0 && entry.data !== undefined) later = later ? Math.min(later, due) : due;
    else load(path, entry);
  }
  if (later) {
    clearTimeout(timer);
    timer = setTimeout(pump, later);
  }
}

async function load(path, entry) {
  entry.busy = true;
  entry.dirty = false;
  try {
    const data = await get(path);
    if (path === "/status") {
      setRole(data.role);
      if (data.now) setServerNow(data.now);
    }
    entry.data = data;
    entry.problem = null;
  } catch (problem) {
    entry.problem = problem;
    if (entry.data === undefined && problem.unreachable) entry.dirty = true;
  }
  entry.busy = false;
  entry.at = Date.now();
  redraw();
  // What changed while the answer was under way is asked again.
  if (entry.dirty) pump();
}
