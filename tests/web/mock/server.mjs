// A stand-in for the daemon: the dashboard's files from the source tree, answers from a scene of data.
// It knows enough of the routes to test the pages alone; what the real daemon does is tested in e2e.mjs.
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as evening from "./evening.mjs";

const web = fileURLToPath(new URL("../../../web/", import.meta.url));
const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
export const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
  + "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The bytes of a request path as the daemon would serve them, or null. */
export function asset(name) {
  const modules = path.join(web, "node_modules");
  const vendor = {
    "/vendor/lit-html.js": "lit-html/lit-html.js", "/vendor/directive.js": "lit-html/directive.js",
      "/vendor/directive-helpers.js": "lit-html/directive-helpers.js",
    "/vendor/directives/repeat.js": "lit-html/directives/repeat.js", "/vendor/uplot.css":
      "uplot/dist/uPlot.min.css",
  };
  if (name === "/vendor/uplot.js") return `${fs.readFileSync(path.join(modules,
    "uplot/dist/uPlot.iife.min.js"))}\nexport default uPlot;\n`;
  const file = vendor[name] ? path.join(modules, vendor[name]) : path.join(web, name === "/" ? "index.html"
    : path.basename(name));
  if (!fs.existsSync(file) || !fs.statSync(file).isFile()) return null;
  return /\.(js|css)$/.test(file) && !vendor[name] ? withoutComments(fs.readFileSync(file, "utf8"))
    : fs.readFileSync(file);
}

/** As packaging/cmake/embed_assets.cmake leaves them out. */
function withoutComments(text) {
  const block = /\n *\/\*[^\n]*\*\/\n/g;
  return `\n${text}`.replace(/\n *\/\/[^\n]*/g, "").replace(block, "\n").replace(block, "\n").slice(1);
}

/** Starts it on a free port. scene: {role, empty, paused}; requests: what was asked, for the tests. */
export async function startMock(scene = {}) {
  const state = { role: "operator", paused: false, requests: [], streams: new Set(), ...scene };
  const server = http.createServer((request, response) => {
    const url = new URL(request.url, "http://localhost");
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => answer(state, request, response, url, Buffer.concat(chunks).toString()));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  state.url = `http://127.0.0.1:${server.address().port}`;
  state.stop = () => {
    for (const stream of state.streams) stream.destroy();
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return state;
}

function answer(state, request, response, url, body) {
  const send = (status, value, headers = {}) => {
    response.writeHead(status, { "Content-Type": status >= 400 ? "application/problem+json" :
      "application/json", ...headers });
    response.end(typeof value === "string" ? value : JSON.stringify(value));
  };
  if (!url.pathname.startsWith("/api/")) {
    const bytes = asset(url.pathname);
    if (bytes === null) return send(404, { title: "Not found", code: "not_found" });
    response.writeHead(200, { "Content-Type":
      `${types[path.extname(url.pathname)] ?? "text/html"}; charset=utf-8`, "Content-Security-Policy": CSP });
    return response.end(bytes);
  }
  const route = url.pathname.replace("/api/v1", "");
  state.requests.push({ method: request.method, route, query: url.search, body, headers: request.headers });
  if (route === "/session" && request.method === "POST") {
    if (JSON.parse(body).code !== "good-code") return send(401, { title: "The code is not known", code:
      "bad_code", hint: "Run nightshift open again." });
    return send(200, { token: "t0ken", role: state.role, expires_at: "2026-12-01T00:00:00Z" });
  }
  if (request.headers.authorization !== "Bearer t0ken") return send(401, { title: "A credential is needed",
    code: "no_credential", hint: "nightshift open" });
  if (route === "/events") return stream(state, response);
  const value = request.method === "GET" ? read(state, route, url) : write(state, request.method, route,
    url, body);
  if (value === undefined) return send(404, { title: "There is no such thing", code: "no_such_job", detail:
    route });
  if (value.problem) return send(value.problem.status, value.problem);
  if (typeof value === "string") {
    response.writeHead(200, { "Content-Type": "text/plain" });
    return response.end(value);
  }
  return send(value.status_code ?? 200, value);
}

function stream(state, response) {
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  response.write(": hello\n\n");
  state.streams.add(response);
  response.on("close", () => state.streams.delete(response));
}

export function emit(state, topic, data, id) {
  for (const stream of state.streams) stream.write(`${id ? `id: ${id}\n` :
    ""}event: ${topic}\ndata: ${JSON.stringify(data)}\n\n`);
}

function read(state, route, url) {
  const jobs = state.empty ? [] : state.jobs ?? evening.jobs;
  const job = /^\/jobs\/(\d+)(?:\/(\w+))?/.exec(route);
  if (job) {
    const [, id, part] = job;
    if (part === "why") return evening.whys[id] ?? { job: +id, state: "waiting", head_of_class: false,
      gates: [], eta: { p50: null, p90: null, basis: "" }, would_start_if: [], history: [] };
    if (part === "log") {
      const log = state.logs?.[id] ?? evening.logs[id] ?? "";
      return log.slice(Number(url.searchParams.get("from") ?? 0));
    }
    if (part === "metrics") return evening.metrics[id] ?? { points: [] };
    if (part === "events") return evening.events[id] ?? { events: [] };
    if (part === "artifacts") return evening.artifacts[id] ?? { artifacts: [] };
    return jobs.find((j) => j.id === Number(id));
  }
  if (route === "/jobs") {
    const list = (name) => (url.searchParams.get(name) ?? "").split(",").filter(Boolean);
    const states = list("state"), classes = list("class"), q = url.searchParams.get("q") ?? "";
    return { jobs: jobs.filter((j) => (!states.length || states.includes(j.state)) &&
      (!classes.length || classes.includes(j.class)) && j.name.includes(q)), next: null };
  }
  if (route.startsWith("/schedules/") && route.endsWith("/next")) {
    return { next: Array.from({ length: 10 }, (_, i) =>
      ({ utc: new Date(Date.parse("2026-11-18T13:00:00Z") + i * 86400e3).toISOString(), local:
        `2026-11-${18 + i}T22:00:00+09:00`, note: "" })) };
  }
  const emptyGpu = { devices: [{ ...evening.gpu.devices[0], leases: [], headroom: 0, headroom_until: null,
    utilization: 0.02, temperature_c: 41, power_w: 24 }] };
  return {
    "/status": () => ({ ...evening.status(state.role), ...(state.empty ? { counts: {}, windows: [] } : {}),
      ...(state.paused ? { queue: { paused: true, reason: "장비 점검", until: null } } : {}) }),
    "/plan": () => ({ until: "2026-11-18T22:00:00Z", done: 2, known: 4, unknown: 0, left_out: 1, jobs:
      [{}, {}, {}, {}], assumes: "no further job comes" }),
    "/gpu": () => (state.empty ? emptyGpu : state.gpu ?? evening.gpu), "/gpu/history": () =>
      evening.history(), "/kinds": () => evening.kinds, "/policy": () => evening.policy, "/schedules":
        () => evening.schedules,
  }[route]?.();
}

function write(state, method, route, url, body) {
  if (route === "/jobs" && method === "POST") {
    const submit = JSON.parse(body);
    const job = { ...evening.jobs[2], ...submit, id: url.searchParams.has("dry_run") ? null : 815, class:
      "training", vram: evening.gib(6), state: "waiting" };
    if (submit.name === "refuse-me") return { problem: { status: 422, title: "Unknown field", code:
      "unknown_field", detail: "epocs", hint: "Did you mean epochs?", errors:
        [{ pointer: "/name", detail: "not this one" }], request_id: "7f3a91c2" } };
    return url.searchParams.has("dry_run") ? { ...job, why: { ...evening.whys[813], job: null } } :
      { ...job, status_code: 201 };
  }
  if (route === "/queue/pause") state.paused = true;
  if (route === "/queue/resume") state.paused = false;
  return { ok: true };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const state = await startMock({ empty: process.argv.includes("--empty") });
  console.log(`${state.url}/#code=good-code`);
}
