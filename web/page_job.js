// One job: what it is, why it waits, its log, curves, artifacts and events.
import { html, nothing } from "/vendor/lit-html.js";
import { mayOperate } from "/api.js";
import { perform, verbLabel, verbsOf } from "/actions.js";
import { ago, duration, gib, metric, near, NONE, now, num, stamp } from "/format.js";
import { gateName, has, t } from "/i18n.js";
import { glyph, icon } from "/icons.js";
import { curvesBlock, drawCurves, leaveCurves, recolour } from "/job_curves.js";
import { artifactsTab, artifactTable, enterFiles, eventsTab, fileProblem } from "/job_files.js";
import { life, lifeStrip } from "/life.js";
import { LogView } from "/logview.js";
import { deviceOf } from "/model.js";
import { copyButton, curlPost, elapsed, etaOf, isLive, isOver, isStuck, outcomeText, progressBar,
  progressText, refusal,
  share, stateMark,
  timeOf } from "/parts.js";
import { use } from "/store.js";
import { gateWords, whyBody, windowName } from "/why.js";

const TABS = ["summary", "why", "log", "curves", "artifacts", "events"];
let log = null, id = 0;
let redraw = () => {};

export function enter(ctx) {
  id = Number(ctx.args[0]);
  redraw = ctx.redraw;
  enterFiles(ctx);
}

export function leave() {
  log?.close();
  log = null;
  leaveCurves();
}

export const themed = recolour;

const tabOf = (ctx) => (TABS.includes(ctx.query.get("tab")) ? ctx.query.get("tab") : "summary");

export function view(ctx) {
  const entry = use(`/jobs/${id}`);
  const job = entry.data;
  if (!job) return entry.problem ? html`${refusal(entry.problem)}<p><a
    href="#/jobs">${t("nav.jobs")}</a></p>` : html`<p class="muted">${t("loading")}</p>`;
  const tab = tabOf(ctx);
  const artifacts = use(`/jobs/${id}/artifacts`).data?.artifacts ?? [];
  const counts = { artifacts: artifacts.length || "" };
  if (job.attempt > 0 && !log && (tab === "log" || tab === "summary")) {
    log = new LogView(ctx.redraw);
    log.open(id);
  }
  if (log) log.over = isOver(job);
  return html`<p class="crumb"><a href="#/jobs">${t("nav.jobs")}</a> / ${job.id}</p>${head(job)}
    <nav class="tabs" aria-label=${job.name}>${TABS.map((name) => html`<a href="#/jobs/${id}?tab=${name}"
      aria-current=${name === tab ? "page" : nothing}>${t(`tab.${name}`)} ${counts[name] ?? ""}</a>`)}</nav>
    ${refusal(fileProblem())}${outcomeLine(job)}${pages[tab](job, artifacts)}`;
}

function head(job) {
  const facts = [job.kind, job.vram > 0 ? t("job.budget", { gib: gib(job.vram) }) : t("job.noGpu"),
    job.window ? t("job.window", { w: windowName(job.window) }) : "", job.priority ?
      t("job.priority", { p: job.priority }) : "",
    job.attempt > 1 || job.preemptions ? t("job.attempt", { n: job.attempt, p: job.preemptions ?? 0 }) :
      ""].filter(Boolean);
  const verbs = verbsOf(job);
  return html`<header class="pagehead job"><h1>${job.name}</h1>${stateMark(job)}
    <span class="muted">${job.id} · ${glyph(job.class)} ${t(`class.${job.class}`)} ·
    ${facts.join(" · ")}</span><span class="grow"></span>
    <div class="row">${copyButton(() => curlOf(job), "", "curl")}${verbs.map((verb) =>
    html`<button type="button"
      class="btn ${verb === "cancel" ? "danger" : ""}" @click=${() => perform(job, verb)}>${verb ===
        "preempt" ? icon("scissors")
        : verb === "hold" ? icon("lock") : nothing}${verbLabel(job, verb)}</button>`)}</div></header>`;
}

function curlOf(job) {
  const body = { kind: job.kind, name: job.name };
  if (job.params && Object.keys(job.params).length) body.params = job.params;
  for (const key of ["command", "cwd", "vram", "window", "priority"]) {
    const value = job[key];
    if (value != null && value !== "" && !(Array.isArray(value) && !value.length) && value !==
      0) body[key] = value;
  }
  return curlPost("/jobs", body);
}

function outcomeLine(job) {
  if (!job.outcome || job.state === "succeeded") return nothing;
  const tone = job.state === "failed" ? "bad" : "warn";
  const code = [job.outcome.code, job.outcome.exit_code != null ? `exit ${job.outcome.exit_code}` : "",
    job.outcome.signal ? `signal ${job.outcome.signal}` : ""].filter(Boolean).join(" · ");
  return html`<div class="line ${tone}"><span class="lead">${icon(tone === "bad" ? "cross" :
    "ban")}${has(`outcome.${job.outcome.code}`)
    ? t(`outcome.${job.outcome.code}`) : t(`state.${job.state}`)}</span><span>${job.outcome.message ??
    ""}</span><span class="grow"></span>
    <span class="code">${code}</span>${copyButton(`${job.id} ${code} ${job.outcome.message ?? ""}`,
    "plain tiny")}</div>`;
}

const pages = { summary, why, log: logTab, curves: curvesTab, artifacts: artifactsTab, events: eventsTab };

function summary(job, artifacts) {
  const events = use(`/jobs/${id}/events?limit=500`).data?.events ?? [];
  const spans = life(job, events);
  const lease = deviceOf(use("/gpu").data, job.id);
  const done = share(job);
  const eta = etaOf(job);
  const ran = spans.filter((span) => span.kind === "run").reduce((sum, span) => sum +
    (span.to - span.from) / 1000, 0);
  const rows = [
    [t("col.progress"), progressText(job)],
    eta && [t("job.ends"), html`<b>${timeOf(eta)}</b> <span class="muted">${near(eta)}</span>`],
    job.started_at && [t("job.run"), html`${ran ? duration(ran) : elapsed(job)} <span
      class="muted">${job.time_limit ? t("job.limit", { d: limitText(job.time_limit) }) : ""}</span>`],
    job.vram > 0 && ["VRAM", html`${lease?.used != null ? t("job.used", { gib: gib(lease.used) }) : ""}
      ${job.peak_vram
      ? t("job.peak", { gib: gib(job.peak_vram) }) : ""} <b>${t("job.budget", { gib: gib(job.vram) })}</b>
      <span class="muted">${lease?.grade ? t("job.grade", { grade: lease.grade }) : ""}</span>`],
    [t("job.submitted"), html`${timeOf(job.created_at, stamp(job.created_at))} <span
      class="muted">${ago(job.created_at)}</span>`],
    job.ended_at && [t("job.ended"), html`${timeOf(job.ended_at, stamp(job.ended_at))} <span
      class="muted">${outcomeText(job)}</span>`],
    job.retries_left ? [t("job.retries"), num(job.retries_left)] : null,
    job.after?.length ? [t("job.after"),
      job.after.map((a) => html`<a href="#/jobs/${a.job ?? a}">${a.job ?? a}</a> <span
        class="muted">${a.on ?? ""}</span> `)] : null,
    job.schedule ? [t("job.schedule"), html`<a
      href="#/schedules/${encodeURIComponent(job.schedule)}">${job.schedule}</a>`] : null,
    job.rerun_of ? [t("job.rerunOf"), html`<a href="#/jobs/${job.rerun_of}">${job.rerun_of}</a>`] : null,
  ].filter(Boolean);
  const input = job.command?.length ? job.command.map(quote).join(" ") : JSON.stringify(job.params ?? {},
    null, 2);
  return html`${spans.length ? lifeStrip(job, spans) : nothing}
    <div class="split"><div>${curvesBlock(job, 230, redraw, 1)}
      ${log ? html`<h2>${t("tab.log")} <span class="muted small">${t("log.lastLines")}</span> <a
        class="small" href="#/jobs/${id}?tab=log">${t("log.open")}</a></h2>${log.lastLines(7)}` : nothing}
      <h2>${t(job.command?.length ? "job.command" : "job.params")}</h2><pre class="box">${input}</pre>
      ${job.cwd ? html`<p class="muted small">${t("job.cwd")} <code>${job.cwd}</code></p>` : nothing}</div>
    <aside><h2>${t("job.progress")}</h2>${done == null ? nothing : html`<div class="row nw bigbar"><div
    class="grow">${progressBar(job)}</div><b>${Math.round(done * 100)} %</b></div>`}
      <dl class="facts">${rows.map(([label, value]) => html`<dt>${label}</dt><dd>${value}</dd>`)}</dl>
      ${Object.keys(job.progress?.metrics ?? {}).length ? html`<h2>${t("job.metrics")}</h2><dl
        class="facts">${Object.entries(job.progress.metrics).map(([k, v]) =>
          html`<dt>${k}</dt><dd>${metric(v)}</dd>`)}</dl>` : nothing}
      ${waitedFor(spans)}${artifacts.length ?
        html`<h2>${t("tab.artifacts")}</h2>${artifactTable(job, artifacts.slice(0, 8))}` : nothing}
      ${Object.keys(job.labels ?? {}).length ? html`<h2>${t("job.labels")}</h2><dl
        class="facts">${Object.entries(job.labels).map(([k, v]) => html`<dt>${k}</dt><dd>${v}</dd>`)}</dl>`
          : nothing}</aside></div>`;
}

const limitText = (limit) => (typeof limit === "number" ? duration(limit) : limit);
const quote = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

function waitedFor(spans) {
  const waits = spans.filter((span) => span.kind === "wait" || span.kind === "preempted");
  if (!waits.length) return nothing;
  const sum = waits.reduce((total, span) => total + (span.to - span.from) / 1000, 0);
  return html`<h2>${t("job.waits")} <span
    class="muted small">${t("job.waitSum", { d: duration(sum) })}</span></h2>
    <table class="waits"><tbody>${waits.map((span) =>
    html`<tr><td class="nowrap">${stamp(span.from)}</td><td
      class="n">${duration((span.to - span.from) / 1000)}</td>
      <td>${span.kind === "preempted" ? icon("scissors") : nothing}
      ${span.text}</td></tr>`)}</tbody></table>`;
}

function why(job) {
  if (isOver(job)) return html`<p class="empty muted">${t("why.over")}</p>`;
  if (isStuck(job)) return html`<p class="empty bad">${job.waiting.text}</p>`;
  if (isLive(job)) return html`<p class="empty muted">${t("why.runs")}</p>`;
  const entry = use(`/jobs/${id}/why`);
  const answer = entry.data;
  if (!answer) return entry.problem ? refusal(entry.problem) : html`<p class="muted">${t("loading")}</p>`;
  const history = waitSums(answer.history ?? []);
  return html`<div class="split"><div><h2>${t("why.headline")}</h2>
      <table><thead><tr><th>${t("why.gate")}</th><th
      class="n">${t("why.since")}</th><th>${t("why.code")}</th></tr></thead>
      <tbody>${answer.gates.map((gate) => html`<tr><td><b>${gateWords(gate).title}</b>
      ${gateWords(gate).fact}<div class="muted small">${gate.text}</div></td>
        <td class="n">${gate.since ? html`${stamp(gate.since)}<div
        class="muted small">${ago(gate.since)}</div>` : NONE}</td><td
          class="code">${gate.code}</td></tr>`)}</tbody></table>
      ${history.length ? html`<h2>${t("why.soFar")} <span class="muted small">${t("why.overlap")}</span></h2>
      <table><thead><tr><th>${t("why.gate")}</th><th
      class="n">${t("why.total")}</th></tr></thead><tbody>${history.map((h) => html`<tr>
        <td>${gateName(h.code)} <span class="code">${h.code}</span></td><td
        class="n">${duration(h.seconds)}</td></tr>`)}</tbody></table>` : nothing}
      <p class="muted small">${t(answer.head_of_class ? "why.head" : "why.notHead",
      { c: t(`class.${job.class}`) })}</p></div>
    <aside><section class="panel why"><div class="row"><h2>${t("why.title")}</h2><span class="grow"></span>
      <span class="muted small">${answer.gates.length ? t("why.count", { n: answer.gates.length }) :
      ""}</span></div>${whyBody(job, answer)}</section></aside></div>`;
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
  return log ? html`${refusal(log.problem)}${log.view()}` :
    html`<p class="empty muted">${t("log.notStarted")}</p>`;
}

function curvesTab(job) {
  const block = curvesBlock(job, 300, redraw);
  return block === nothing ? html`<p class="empty muted">${t("curves.none")}</p>` : block;
}

export function drawn() {
  log?.drawn();
  const job = use(`/jobs/${id}`).data;
  if (job) drawCurves(job);
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
