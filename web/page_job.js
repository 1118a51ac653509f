// One job: what it is, why it waits, its log, curves, artifacts and events.
import { html, nothing } from "/vendor/lit-html.js";
import { authorization, mayOperate, post } from "/api.js";
import { perform, verbLabel, verbsOf } from "/actions.js";
import { Chart, classToken, smooth } from "/curves.js";
import { ago, clock, duration, full, gib, metric, near, NONE, now, num, secondsSince, size, stamp } from "/format.js";
import { has, t } from "/i18n.js";
import { glyph, icon } from "/icons.js";
import { life, lifeStrip } from "/life.js";
import { LogView } from "/logview.js";
import { curveColumns, deviceOf } from "/model.js";
import { classMark, copyButton, elapsed, isLive, isOver, outcomeText, progressBar, progressText, refusal, share, stateMark,
  timeOf } from "/parts.js";
import { use } from "/store.js";
import { gateWords, whyBody, windowName } from "/why.js";

const TABS = ["summary", "why", "log", "curves", "artifacts", "events"];
let log = null, charts = new Map(), byStep = false, isLog = false, asTable = false, problem = null, id = 0, curves = null;
let redraw = () => {};

export function enter(ctx) {
  id = Number(ctx.args[0]);
  redraw = ctx.redraw;
  problem = null;
  charts = new Map();
}

export function leave() {
  log?.close();
  log = null;
  for (const chart of charts.values()) chart.destroy();
  charts = new Map();
}

export function themed() {
  for (const chart of charts.values()) chart.key = "";
}

const tabOf = (ctx) => (TABS.includes(ctx.query.get("tab")) ? ctx.query.get("tab") : "summary");

export function view(ctx) {
  const entry = use(`/jobs/${id}`);
  const job = entry.data;
  if (!job) return entry.problem ? html`${refusal(entry.problem)}<p><a href="#/jobs">${t("nav.jobs")}</a></p>` : html`<p class="muted">${t("loading")}</p>`;
  const tab = tabOf(ctx);
  const artifacts = use(`/jobs/${id}/artifacts`).data?.artifacts ?? [];
  const counts = { artifacts: artifacts.length || "" };
  if (tab === "log" && !log) {
    log = new LogView(ctx.redraw);
    log.open(id);
  }
  if (log) log.live = !isOver(job);
  return html`<p class="crumb"><a href="#/jobs">${t("nav.jobs")}</a> / ${job.id}</p>${head(job)}
    <nav class="tabs" aria-label=${job.name}>${TABS.map((name) => html`<a href="#/jobs/${id}?tab=${name}"
      aria-current=${name === tab ? "page" : nothing}>${t(`tab.${name}`)} ${counts[name] ?? ""}</a>`)}</nav>
    ${refusal(problem)}${outcomeLine(job)}${pages[tab](job, artifacts)}`;
}

function head(job) {
  const facts = [job.kind, job.vram > 0 ? t("job.budget", { gib: gib(job.vram) }) : t("job.noGpu"),
    job.window ? t("job.window", { w: windowName(job.window) }) : "", job.priority ? t("job.priority", { p: job.priority }) : "",
    job.attempt ? t("job.attempt", { n: job.attempt, p: job.preemptions ?? 0 }) : ""].filter(Boolean);
  const verbs = verbsOf(job);
  return html`<header class="pagehead job"><h1>${job.name}</h1>${stateMark(job)}
    <span class="muted">${job.id} · ${glyph(job.class)} ${t(`class.${job.class}`)} · ${facts.join(" · ")}</span><span class="grow"></span>
    <div class="row">${copyButton(() => curlOf(job), "", "curl")}${verbs.map((verb) => html`<button type="button"
      class="btn ${verb === "cancel" ? "danger" : ""}" @click=${() => perform(job, verb)}>${verb === "preempt" ? icon("scissors")
        : verb === "hold" ? icon("lock") : nothing}${verbLabel(job, verb)}</button>`)}</div></header>`;
}

function curlOf(job) {
  const body = { kind: job.kind, name: job.name };
  if (job.params && Object.keys(job.params).length) body.params = job.params;
  for (const key of ["command", "cwd", "vram", "window", "priority"]) {
    const value = job[key];
    if (value != null && value !== "" && !(Array.isArray(value) && !value.length) && value !== 0) body[key] = value;
  }
  return `curl -sS -H @auth.hdr ${location.origin}/api/v1/jobs --json '${JSON.stringify(body).replaceAll("'", "'\\''")}'`;
}

function outcomeLine(job) {
  if (!job.outcome || job.state === "succeeded") return nothing;
  const tone = job.state === "failed" ? "bad" : "warn";
  const code = [job.outcome.code, job.outcome.exit_code != null ? `exit ${job.outcome.exit_code}` : "",
    job.outcome.signal ? `signal ${job.outcome.signal}` : ""].filter(Boolean).join(" · ");
  return html`<div class="line ${tone}"><span class="lead">${icon(tone === "bad" ? "cross" : "ban")}${has(`outcome.${job.outcome.code}`)
    ? t(`outcome.${job.outcome.code}`) : t(`state.${job.state}`)}</span><span>${job.outcome.message ?? ""}</span><span class="grow"></span>
    <span class="code">${code}</span>${copyButton(`${job.id} ${code} ${job.outcome.message ?? ""}`, "plain tiny")}</div>`;
}

const pages = { summary, why, log: logTab, curves: curvesTab, artifacts: artifactsTab, events: eventsTab };

function summary(job, artifacts) {
  const events = use(`/jobs/${id}/events?limit=500`).data?.events ?? [];
  const spans = life(job, events);
  const lease = deviceOf(use("/gpu").data, job.id);
  const done = share(job);
  const eta = job.progress?.eta_s != null ? new Date(Date.now() + job.progress.eta_s * 1000).toISOString() : null;
  const rows = [
    [t("col.progress"), progressText(job)],
    eta && [t("job.ends"), html`<b>${timeOf(eta)}</b> <span class="muted">${near(eta)}</span>`],
    job.started_at && [t("job.run"), html`${elapsed(job)} <span class="muted">${job.time_limit ? t("job.limit", { d: limitText(job.time_limit) }) : ""}</span>`],
    job.vram > 0 && ["VRAM", html`${lease?.used != null ? t("job.used", { gib: gib(lease.used) }) : ""} ${job.peak_vram
      ? t("job.peak", { gib: gib(job.peak_vram) }) : ""} <b>${t("job.budget", { gib: gib(job.vram) })}</b>
      <span class="muted">${lease?.grade ? t("job.grade", { grade: lease.grade }) : ""}</span>`],
    [t("job.submitted"), html`${timeOf(job.created_at, stamp(job.created_at))} <span class="muted">${ago(job.created_at)}</span>`],
    job.ended_at && [t("job.ended"), html`${timeOf(job.ended_at, stamp(job.ended_at))} <span class="muted">${outcomeText(job)}</span>`],
    job.retries_left ? [t("job.retries"), num(job.retries_left)] : null,
    job.after?.length ? [t("job.after"), job.after.map((a) => html`<a href="#/jobs/${a.job ?? a}">${a.job ?? a}</a> <span class="muted">${a.on ?? ""}</span> `)] : null,
    job.schedule ? [t("job.schedule"), html`<a href="#/schedules/${encodeURIComponent(job.schedule)}">${job.schedule}</a>`] : null,
    job.rerun_of ? [t("job.rerunOf"), html`<a href="#/jobs/${job.rerun_of}">${job.rerun_of}</a>`] : null,
  ].filter(Boolean);
  const input = job.command?.length ? job.command.map(quote).join(" ") : JSON.stringify(job.params ?? {}, null, 2);
  return html`${spans.length ? lifeStrip(job, spans) : nothing}
    <div class="split"><div>${curvesBlock(job, 230)}
      <h2>${t(job.command?.length ? "job.command" : "job.params")}</h2><pre class="box">${input}</pre>
      ${job.cwd ? html`<p class="muted small">${t("job.cwd")} <code>${job.cwd}</code></p>` : nothing}</div>
    <aside><h2>${t("job.progress")}</h2>${done == null ? nothing : html`<div class="row nw bigbar"><div class="grow">${progressBar(job)}</div><b>${Math.round(done * 100)} %</b></div>`}
      <dl class="facts">${rows.map(([label, value]) => html`<dt>${label}</dt><dd>${value}</dd>`)}</dl>
      ${Object.keys(job.progress?.metrics ?? {}).length ? html`<h2>${t("job.metrics")}</h2><dl class="facts">${Object.entries(job.progress.metrics).map(([k, v]) => html`<dt>${k}</dt><dd>${metric(v)}</dd>`)}</dl>` : nothing}
      ${waitedFor(spans)}${artifacts.length ? html`<h2>${t("tab.artifacts")}</h2>${artifactTable(job, artifacts.slice(0, 8))}` : nothing}
      ${Object.keys(job.labels ?? {}).length ? html`<h2>${t("job.labels")}</h2><dl class="facts">${Object.entries(job.labels).map(([k, v]) => html`<dt>${k}</dt><dd>${v}</dd>`)}</dl>` : nothing}</aside></div>`;
}

const limitText = (limit) => (typeof limit === "number" ? duration(limit) : limit);
const quote = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

function waitedFor(spans) {
  const waits = spans.filter((span) => span.kind === "wait" || span.kind === "preempted");
  if (!waits.length) return nothing;
  const sum = waits.reduce((total, span) => total + (span.to - span.from) / 1000, 0);
  return html`<h2>${t("job.waits")} <span class="muted small">${t("job.waitSum", { d: duration(sum) })}</span></h2>
    <table class="waits"><tbody>${waits.map((span) => html`<tr><td class="nowrap">${stamp(span.from)}</td><td class="n">${duration((span.to - span.from) / 1000)}</td>
      <td>${span.kind === "preempted" ? icon("scissors") : nothing} ${span.text}</td></tr>`)}</tbody></table>`;
}

function why(job) {
  if (isOver(job)) return html`<p class="empty muted">${t("why.over")}</p>`;
  if (isLive(job)) return html`<p class="empty muted">${t("why.runs")}</p>`;
  const entry = use(`/jobs/${id}/why`);
  const answer = entry.data;
  if (!answer) return entry.problem ? refusal(entry.problem) : html`<p class="muted">${t("loading")}</p>`;
  const history = waitSums(answer.history ?? []);
  return html`<div class="split"><div><h2>${t("why.headline")}</h2>
      <table><thead><tr><th>${t("why.gate")}</th><th class="n">${t("why.since")}</th><th>${t("why.code")}</th></tr></thead>
      <tbody>${answer.gates.map((gate) => html`<tr><td><b>${gateWords(gate).title}</b> ${gateWords(gate).fact}<div class="muted small">${gate.text}</div></td>
        <td class="n">${gate.since ? html`${stamp(gate.since)}<div class="muted small">${ago(gate.since)}</div>` : NONE}</td><td class="code">${gate.code}</td></tr>`)}</tbody></table>
      ${history.length ? html`<h2>${t("why.soFar")} <span class="muted small">${t("why.overlap")}</span></h2>
      <table><thead><tr><th>${t("why.gate")}</th><th class="n">${t("why.total")}</th></tr></thead><tbody>${history.map((h) => html`<tr>
        <td>${has(`gate.${h.code}.title`) ? gateWords({ code: h.code }).title : h.code} <span class="code">${h.code}</span></td><td class="n">${duration(h.seconds)}</td></tr>`)}</tbody></table>` : nothing}
      <p class="muted small">${t(answer.head_of_class ? "why.head" : "why.notHead", { c: t(`class.${job.class}`) })}</p></div>
    <aside><section class="panel why"><div class="row"><h2>${t("why.title")}</h2><span class="grow"></span>
      <span class="muted small">${answer.gates.length ? t("why.count", { n: answer.gates.length }) : ""}</span></div>${whyBody(job, answer)}</section></aside></div>`;
}

/** Seconds by reason out of the stretches; an open stretch counts up to now. */
function waitSums(spans) {
  const sums = new Map();
  for (const span of spans) {
    const to = span.to ? Date.parse(span.to) : now();
    sums.set(span.code, (sums.get(span.code) ?? 0) + (to - Date.parse(span.from)) / 1000);
  }
  return [...sums].map(([code, seconds]) => ({ code, seconds })).sort((a, b) => b.seconds - a.seconds);
}

function logTab() {
  return log ? html`${refusal(log.problem)}${log.view()}` : nothing;
}

// --- curves ------------------------------------------------------------------------------------

/** All curves of a job on one x axis, with the preemptions as gaps and NaN as marks. */
function prepare(job) {
  const series = curveColumns(use(`/jobs/${id}/metrics`).data);
  const names = Object.keys(series);
  if (!names.length) return null;
  const useTime = !byStep && series[names[0]].at.every((at) => at != null);
  const spans = life(job, use(`/jobs/${id}/events?limit=500`).data?.events ?? []);
  const gaps = useTime ? spans.filter((s) => s.kind === "preempted").map((s) => ({ from: s.from / 1000, to: s.to / 1000,
    text: duration((s.to - s.from) / 1000) })) : [];
  const xs = new Set();
  for (const name of names) for (const x of series[name][useTime ? "at" : "step"]) xs.add(x);
  // A point inside each gap, with no value, keeps the line from crossing it.
  for (const gap of gaps) xs.add((gap.from + gap.to) / 2);
  const x = [...xs].sort((a, b) => a - b);
  const place = new Map(x.map((value, i) => [value, i]));
  const groups = new Map();
  const marks = [];
  for (const name of names) {
    const s = series[name];
    const values = new Array(x.length).fill(undefined);
    for (const gap of gaps) values[place.get((gap.from + gap.to) / 2)] = null;
    s.value.forEach((v, i) => {
      const at = s[useTime ? "at" : "step"][i];
      values[place.get(at)] = Number.isNaN(v) ? null : v;
      if (Number.isNaN(v)) marks.push({ x: at, text: `NaN, step ${num(s.step[i])}`, name });
    });
    const isCheck = /^(val|valid|validation|test)[_.]?/.test(name);
    const group = name.replace(/^(train|val|valid|validation|test)[_.]/, "");
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push({ name, values, isCheck });
  }
  return { x, useTime, gaps, marks, groups };
}

function curvesBlock(job, height) {
  curves = prepare(job);
  if (!curves) return nothing;
  const seg = (value, on, text, set) => html`<button type="button" aria-pressed=${on} @click=${() => { set(value); redraw(); }}>${text}</button>`;
  return html`<div class="row curvehead"><h2>${t("tab.curves")}</h2><span class="muted small">${t("curves.legend")}</span><span class="grow"></span>
      <div class="seg">${seg(false, !byStep, t("curves.time"), (v) => { byStep = v; })}${seg(true, byStep, t("curves.step"), (v) => { byStep = v; })}</div>
      <div class="seg">${seg(true, isLog, t("curves.log"), (v) => { isLog = v; })}${seg(false, !isLog, t("curves.linear"), (v) => { isLog = v; })}</div>
      <button type="button" class="linkish" @click=${() => { asTable = !asTable; redraw(); }}>${t(asTable ? "curves.asChart" : "curves.asTable")}</button></div>
    ${[...curves.groups].map(([group, list]) => html`<h3>${group}</h3>${asTable ? curveTable(list) : html`<div class="chart" data-chart=${group}
      data-height=${height} role="img" aria-label=${t("curves.alt", { name: group })}></div>`}`)}`;
}

function curveTable(list) {
  const rows = curves.x.map((x, i) => [x, ...list.map((s) => s.values[i])]).filter((row) => row.slice(1).some((v) => v !== undefined));
  const csv = () => [["x", ...list.map((s) => s.name)].join(","), ...rows.map((r) => r.map((v) => v ?? "").join(","))].join("\n");
  return html`<div class="scrolls"><table><thead><tr><th>${t(curves.useTime ? "curves.time" : "curves.step")}</th>${list.map((s) => html`<th class="n">${s.name}</th>`)}</tr></thead>
    <tbody>${rows.slice(-200).map((row) => html`<tr><td>${curves.useTime ? stamp(row[0] * 1000) : num(row[0])}</td>${row.slice(1).map((v) => html`<td class="n">${v === undefined ? "" : metric(v)}</td>`)}</tr>`)}</tbody></table></div>
    <p>${copyButton(csv, "", "CSV")} <span class="muted small">${rows.length > 200 ? t("curves.last", { n: 200, of: num(rows.length) }) : ""}</span></p>`;
}

function curvesTab(job) {
  const block = curvesBlock(job, 300);
  return block === nothing ? html`<p class="empty muted">${t("curves.none")}</p>` : block;
}

export function drawn(ctx) {
  log?.drawn();
  const job = use(`/jobs/${id}`).data;
  const hosts = document.querySelectorAll("[data-chart]");
  const seen = new Set();
  for (const host of hosts) {
    const group = host.dataset.chart;
    seen.add(host);
    if (!charts.has(host)) charts.set(host, new Chart(host));
    const list = curves?.groups.get(group);
    if (list && job) charts.get(host).show(specOf(job, list, Number(host.dataset.height), group));
  }
  for (const [host, chart] of charts) {
    if (!seen.has(host)) {
      chart.destroy();
      charts.delete(host);
    }
  }
}

function specOf(job, list, height, group) {
  const color = classToken[job.class];
  const series = [];
  for (const { name, values, isCheck } of list) {
    const end = (v) => `${name} ${metric(v)}`;
    const many = values.filter((v) => v != null).length > 20;
    if (isCheck) series.push({ label: name, values, color: "ink", width: 1.5, dash: [5, 3], end });
    else if (many) {
      series.push({ label: `${name} raw`, values, color, width: 1, alpha: 0.4 });
      series.push({ label: name, values: smoothKnown(values), color, width: 2, end });
    } else series.push({ label: name, values, color, width: 2, end });
  }
  const positive = list.every((s) => s.values.every((v) => v == null || v > 0));
  return { x: curves.x, time: curves.useTime, log: isLog && positive, series, gaps: curves.gaps, gapColor: color,
    marks: curves.marks.filter((m) => list.some((s) => s.name === m.name)), height, side: 110, group };
}

/** Smooths over the points that exist; undefined stays undefined (no sample), null stays a gap. */
function smoothKnown(values) {
  const known = values.map((v, i) => [v, i]).filter(([v]) => v !== undefined);
  const flat = smooth(known.map(([v]) => v));
  const out = new Array(values.length).fill(undefined);
  known.forEach(([, i], k) => { out[i] = flat[k]; });
  return out;
}

// --- artifacts and events ------------------------------------------------------------------------

const pathOf = (name) => name.split("/").map(encodeURIComponent).join("/");

async function openReport(job, name) {
  // The tab opens with the click, so that no pop-up rule stops it; the ticket is its address.
  const tab = window.open("about:blank", "_blank");
  try {
    const ticket = await post(`/jobs/${job.id}/artifacts/${pathOf(name)}/ticket`);
    if (tab) {
      tab.opener = null;
      tab.location.replace(new URL(ticket.url, location.origin));
    } else location.assign(ticket.url);
    problem = null;
  } catch (error) {
    tab?.close();
    problem = error;
  }
  redraw();
}

async function download(job, name) {
  const response = await fetch(`/api/v1/jobs/${job.id}/artifacts/${pathOf(name)}`, { headers: authorization() });
  if (!response.ok) {
    problem = { title: t("artifacts.failed"), detail: `${name}: HTTP ${response.status}`, errors: [] };
    return redraw();
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = name.split("/").at(-1);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  return undefined;
}

function artifactTable(job, list) {
  return html`<table class="artifacts"><tbody>${list.map((a) => html`<tr><td>${icon(a.name.endsWith("/") ? "folder" : "file")} ${a.name}</td>
    <td class="muted small">${a.type ?? ""}</td><td class="n">${size(a.bytes)}</td>
    <td class="n nowrap">${/\.html?$/.test(a.name) ? html`<button type="button" class="btn tiny" @click=${() => openReport(job, a.name)}>${t("artifacts.open")}</button>` : nothing}
    ${a.name.endsWith("/") ? nothing : html`<button type="button" class="btn tiny" aria-label=${t("artifacts.get", { name: a.name })} @click=${() => download(job, a.name)}>${icon("down")}</button>`}</td></tr>`)}</tbody></table>`;
}

function artifactsTab(job, list) {
  if (!list.length) return html`<p class="empty muted">${t(isOver(job) ? "artifacts.none" : "artifacts.later")}</p>`;
  return html`<p class="muted small">${t("artifacts.sum", { n: list.length, size: size(list.reduce((sum, a) => sum + (a.bytes ?? 0), 0)) })}</p>${artifactTable(job, list)}`;
}

function eventsTab() {
  const entry = use(`/jobs/${id}/events?limit=500`);
  const events = entry.data?.events ?? [];
  if (!entry.data) return entry.problem ? refusal(entry.problem) : html`<p class="muted">${t("loading")}</p>`;
  return html`<table><thead><tr><th>${t("events.when")}</th><th>${t("events.what")}</th><th class="n">${t("events.attempt")}</th><th>${t("events.who")}</th><th>${t("events.data")}</th></tr></thead>
    <tbody>${[...events].reverse().map((e) => html`<tr><td class="nowrap" title=${full(e.at)}>${stamp(e.at)} <span class="muted small">${ago(e.at)}</span></td>
      <td><b>${has(`event.${e.kind}`) ? t(`event.${e.kind}`) : e.kind}</b> <span class="code">${e.kind}</span></td><td class="n">${e.attempt || NONE}</td>
      <td class="muted">${e.actor || "nightshiftd"}</td><td class="code wrap">${e.data && Object.keys(e.data).length ? JSON.stringify(e.data) : ""}</td></tr>`)}</tbody></table>`;
}

export const keys = {
  KeyF: () => { if (log) { log.follow = !log.follow; redraw(); } },
  KeyN: () => log?.nextError(1),
  "Shift+KeyN": () => log?.nextError(-1),
  KeyC: () => {
    const job = use(`/jobs/${id}`).data;
    if (job && mayOperate() && !isOver(job)) perform(job, "cancel");
  },
};
export { classMark, clock, secondsSince };
