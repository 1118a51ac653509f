// Now: one verdict, what needs a person, the card, what runs, what waits and why.
import { html, nothing } from "/vendor/lit-html.js";
import { repeat } from "/vendor/directives/repeat.js";
import { mayOperate } from "/api.js";
import { pauseQueue, perform, resumeQueue, verbLabel, verbsOf } from "/actions.js";
import { ahead, clock, duration, NONE, num, secondsSince, size, tenths } from "/format.js";
import { has, t } from "/i18n.js";
import { icon } from "/icons.js";
import { classMark, copyButton, curlPost, elapsed, etaOf, jobLink, needs, outcomeText, progressBar,
  progressText,
  refusal, stateIcon,
  stateMark, Steady, timeOf } from "/parts.js";
import { byPlan, deviceOf, devicesOf, LIVE_QUERY, overview, windowHours } from "/model.js";
import { use } from "/store.js";
import { sparkline } from "/sparkline.js";
import { reasonLine, whyPanel } from "/why.js";
import { vramBar } from "/vrambar.js";

const WHYS_SHOWN = 12;
const liveRows = new Steady(), waitingRows = new Steady();
let selected = 0;
let redraw = () => {};

function data() {
  const status = use("/status"), gpu = use("/gpu");
  const live = use(LIVE_QUERY), waiting = use("/jobs?state=waiting&limit=50");
  const recent = use("/jobs?state=succeeded,failed,cancelled,skipped,expired&limit=100");
  const waitingJobs = byPlan(waiting.data?.jobs ?? []);
  const whys = new Map(waitingJobs.slice(0, WHYS_SHOWN).map((job) => [job.id, use(`/jobs/${job.id}/why`)]));
  return { status, gpu, live, waiting, recent, whys, waitingJobs, over: overview(status.data) };
}

function verdict(d) {
  const { over } = d;
  const running = over.counts.live, waiting = over.counts.waiting;
  const fault = devicesOf(d.gpu.data).find((device) => device.is_healthy === false);
  const counts = html`${countWords(running, waiting)}`;
  if (fault) {
    return line("cross", "bad", t("verdict.fault"),
      html`${fault.name}: ${fault.fault || t("verdict.faultUnknown")}. ${counts}`,
      html`<a class="btn" href="#/gpu">${t("verdict.openGpu")}</a>`);
  }
  if (over.paused) {
    const until = over.pauseUntil ? ` ${t("verdict.until", { at: clock(over.pauseUntil) })}` : "";
    return line("pause", "", t("verdict.paused"), html`${counts} · ${t("verdict.noStarts")}
      <span class="muted">${over.pauseReason ? `“${over.pauseReason}”` : ""}${until}</span>`, nothing);
  }
  const blocked = d.waitingJobs.filter((job) =>
    ["unsatisfiable", "dep_impossible"].includes(job.waiting?.code));
  if (blocked.length) {
    const why = d.whys.get(blocked[0].id)?.data;
    return line("warn", "warn", t("verdict.blocked", { n: blocked.length }), html`<b>${blocked[0].id}</b>
      ${reasonLine(blocked[0], why)}`, html`<a class="btn"
        href="#/jobs/${blocked[0].id}?tab=why">${t("verdict.show",
      { job: blocked[0].id })}</a>`);
  }
  if (running === 0 && waiting === 0) {
    const none = d.recent.data && d.recent.data.jobs.length === 0;
    return line("check", "ok", t("verdict.ready"), t(none ? "verdict.readyNone" : "verdict.readyIdle"),
      nothing);
  }
  const next = d.waitingJobs.map((job) => ({ job, at: d.whys.get(job.id)?.data?.eta?.p50 })).filter((x) =>
    x.at)
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at))[0];
  const words = next ? html` · ${t("verdict.next")} <b>${timeOf(next.at)}</b>
    <span class="muted">${ahead(next.at)}, ${next.job.id} ${next.job.name}</span>` : nothing;
  return line("check", "ok", t("verdict.well"), html`${counts}${words}`, nothing);
}

function countWords(running, waiting) {
  return html`${t("count.running")} <b>${num(running)}</b> · ${t("count.waiting")} <b>${num(waiting)}</b>`;
}

const line = (name, tone, word, text, action) => html`<header class="verdict">
  <h1><span class=${tone}>${icon(name)}</span>${word}</h1><p>${text}</p><span class="grow"></span>${action}
  <div class="row">${pauseButton()}${mayOperate() ? html`<a class="btn primary"
  href="#/new">${icon("plus")}${t("newJob")}</a>` : nothing}</div>
</header>`;

function pauseButton() {
  if (!mayOperate()) return nothing;
  const over = overview(use("/status").data);
  return over.paused
    ? html`<button type="button" class="btn primary"
    @click=${resumeQueue}>${icon("play")}${t("resume")}</button>`
    : html`<button type="button" class="btn pausebtn"
    @click=${pauseQueue}>${icon("pause")}${t("pauseQueue")}…</button>`;
}

/** What ended since yesterday evening, and what of it a person should look at. Stays until handled. */
function attention(d) {
  const recent = (d.recent.data?.jobs ?? []).filter((job) => secondsSince(job.ended_at) < 24 * 3600);
  if (!recent.length) return nothing;
  const handled = new Set(readHandled());
  const count = (state) => recent.filter((job) => job.state === state).length;
  const toCheck = recent.filter((job) => (job.state === "failed" || job.state === "expired") &&
    !handled.has(job.id));
  const preempted = recent.reduce((sum, job) => sum + (job.preemptions ?? 0), 0)
    + (d.live.data?.jobs ?? []).reduce((sum, job) => sum + (job.preemptions ?? 0), 0);
  if (!toCheck.length && !count("failed")) return nothing;
  const first = toCheck.find((job) => job.state === "failed") ?? toCheck[0];
  const notStarted = count("expired") + count("skipped");
  return html`<div class="line attention ${first ? "bad" : "ok"}" role="status"><span
    class="lead inkc">${t("night.title")}</span>
    <span class="ok">${icon("check")} ${t("state.succeeded")} <b>${count("succeeded")}</b></span>
    <span class=${count("failed") ? "bad" : ""}>${icon("cross")} ${t("state.failed")}
    <b>${count("failed")}</b></span>
    <span>${icon("scissors")} ${t("night.preempted")} <b>${preempted}</b></span>
    <span>${icon("clock")} ${t("night.notStarted")} <b>${notStarted}</b></span>
    ${first ? html`<span class="tocheck"><b>${t("night.check", { n: toCheck.length })}</b> ${first.id}
      ${first.name},
      ${outcomeText(first) || t(`state.${first.state}`)}</span><span class="grow"></span>
      <a href="#/jobs/${first.id}${first.started_at ? "?tab=log" : ""}">${t(first.started_at ? "tab.log" :
      "verdict.show", { job: first.id })}</a>
      <button type="button" class="linkish"
      @click=${() => { handle(toCheck); redraw(); }}>${t("night.done")}</button>` : nothing}
  </div>`;
}

const HANDLED = "handled-jobs";
function readHandled() {
  try { return JSON.parse(localStorage.getItem(HANDLED)) ?? []; } catch { return []; }
}
function handle(jobs) {
  const ids = [...readHandled(), ...jobs.map((job) => job.id)].slice(-500);
  try { localStorage.setItem(HANDLED, JSON.stringify(ids)); } catch { /* comes back after a reload */ }
}

function deviceLine(device, windows) {
  const history = use(`/gpu/history?device=${encodeURIComponent(device.uuid)}&since=1h`).data;
  const spark = (key) => sparkline(history, key);
  const value = (label, text, key) => (text == null ? nothing
    : html`<span>${label} <b>${text}</b> ${key ? spark(key) : nothing}</span>`);
  const percent = device.utilization == null ? null : `${Math.round(device.utilization * 100)} %`;
  const power = device.power_w == null ? null
    : `${Math.round(device.power_w)}${device.power_limit_w ? ` / ${Math.round(device.power_limit_w)}` :
    ""} W`;
  return html`<div class="device"><span><b>${device.is_host ? t("device.host") : `GPU ${device.index}`}</b>
      <span class="muted">${device.name}${device.is_simulated ? ` (${t("device.simulated")})` :
      ""}</span></span>
    ${value(t("device.load"), percent, "utilization")}
    ${value(t("device.temp"), device.temperature_c == null ? null :
      `${Math.round(device.temperature_c)} °C`, "temperature_c")}
    ${value(t("device.power"), power, "power_w")}
    ${device.is_host || device.temperature_c == null ? nothing : value(t("device.throttle"),
      device.throttle || t("none"))}
    ${windows.map((w) => html`<span>${t("device.window", { w: has(`window.${w.name}`) ?
      t(`window.${w.name}`) : w.name })}
      <b>${windowHours(use("/policy").data, w.name)}</b> <span class="muted">${w.changes_at ?
      t(w.open ? "window.closes" : "window.opens",
      { in: ahead(w.changes_at) }) : ""}</span></span>`)}
  </div>`;
}

function menu(job) {
  const verbs = verbsOf(job);
  return html`<details class="menu"><summary
    aria-label=${t("menu", { job: `${job.id} ${job.name}` })}>⋯</summary><div>
    <a class="btn plain" href="#/jobs/${job.id}?tab=log">${t("tab.log")}</a>
    ${verbs.map((verb) => html`<button type="button"
      @click=${(e) => { e.currentTarget.closest("details").open = false;
      perform(job, verb); }}>${verbLabel(job, verb)}</button>`)}</div></details>`;
}

function runningTable(d) {
  const gpu = d.gpu.data;
  const rows = liveRows.rows(byPlan(d.live.data?.jobs ?? []));
  const { enter, leave } = liveRows.listeners;
  return html`<h2>${t("now.running")} ${num(d.over.counts.live)}</h2>
    ${rows.length ? html`<table class="stack now" @pointerenter=${enter} @pointerleave=${leave}
      @focusin=${enter} @focusout=${leave}>
    <thead><tr><th scope="col">${t("col.job")}</th><th scope="col">${t("col.class")}</th>
      <th scope="col" class="n">${t("col.usedBudget")}</th><th scope="col"
      class="wide">${t("col.progress")}</th>
      <th scope="col" class="n">${t("col.elapsed")}</th><th scope="col"
      class="n">${t("col.ends")}</th><th><span class="sr">${t("col.actions")}</span></th></tr></thead>
    <tbody>${repeat(rows, (job) => job.id, (job) => {
      const lease = deviceOf(gpu, job.id);
      const eta = etaOf(job);
      return html`<tr class=${job.gone ? "gone" : ""}>
        <td class="t"><span title=${t(`state.${job.state}`)}>${stateIcon(job)}</span> ${jobLink(job)}
          ${job.state === "running" ? nothing : html`<span class="small">${stateMark(job)}</span>`}</td>
        <td class="c">${classMark(job.class)}</td>
        <td class="n v">${job.vram > 0 ? `${lease?.used != null ? tenths(lease.used).toFixed(1) :
        NONE} / ${size(job.vram)}` : needs(job)}</td>
        <td class="p"><div class="prog">${progressBar(job)}<span>${progressText(job)}</span></div></td>
        <td class="n e">${elapsed(job)}</td>
        <td class="n s"><span class="lab">${t("short.ends")}</span> <b>${eta ? timeOf(eta) :
        NONE}</b></td><td class="n m">${menu(job)}</td></tr>`;
    })}</tbody></table>` : html`<p class="muted empty">${t("now.nothingRuns")}</p>`}`;
}

function waitingTable(d) {
  const rows = waitingRows.rows(d.waitingJobs);
  const { enter, leave } = waitingRows.listeners;
  if (!rows.length) return html`<h2>${t("now.waiting")} 0</h2><p
    class="muted empty">${t("now.nothingWaits")}</p>`;
  const pick = pickOf(rows);
  return html`<h2>${t("now.waiting")} ${num(d.over.counts.waiting)} <span
    class="muted small">${t("now.planOrder")}
      ${d.over.counts.waiting > rows.length ? t("now.firstOf", { n: rows.length }) : ""}
      ${byMorning()}</span></h2>
    <table class="stack now" @pointerenter=${enter} @pointerleave=${leave} @focusin=${enter}
    @focusout=${leave}>
    <thead><tr><th scope="col">${t("col.job")}</th><th scope="col">${t("col.class")}</th><th scope="col"
    class="n">${t("col.needs")}</th>
      <th scope="col" class="wide">${t("col.why")}</th><th scope="col" class="n">${t("col.waited")}</th>
      <th scope="col" class="n">${t("col.starts")}</th><th><span
      class="sr">${t("col.actions")}</span></th></tr></thead>
    <tbody>${repeat(rows, (job) => job.id, (job) => {
      const why = d.whys.get(job.id)?.data;
      const choose = (event) => { if (!event.target.closest("a,button,summary,details")) { selected =
        job.id; redraw(); } };
      return html`<tr class="pick ${job.id === pick.id ? "on" : ""} ${job.gone ? "gone" : ""}"
        @click=${choose}>
        <td class="t"><span title=${t("state.waiting")}>${stateIcon(job)}</span> ${jobLink(job)}</td>
        <td class="c">${classMark(job.class)}</td><td class="n v">${needs(job)}</td>
        <td class="p"><button type="button" class="reason" aria-pressed=${job.id === pick.id}
          @click=${() => { selected = job.id; redraw(); }}>${reasonLine(job, why)}</button></td>
        <td class="n e">${duration(secondsSince(job.created_at))}</td>
        <td class="n s"><span class="lab">${why?.eta?.p50 ? t("short.starts") : ""}</span>
        <b>${why?.eta?.p50 ? timeOf(why.eta.p50) : NONE}</b></td>
        <td class="n m">${menu(job)}</td></tr>`;
    })}</tbody></table>`;
}

/** The night contract: how much of the queue will be done when people come back. */
function byMorning() {
  const plan = use("/plan?until=07:00").data;
  return plan ? html`<b title=${plan.assumes}>${t("now.by", { at: clock(plan.until), done: plan.done,
    n: plan.jobs.length + plan.left_out })}</b>` : nothing;
}

const pickOf = (rows) => rows.find((job) => job.id === selected) ?? rows[0];

function firstJob(d) {
  const line_ = curlPost("/jobs", { kind: "generate", params: { preset: "small" } });
  return html`<section class="first"><h2>${t("first.title")}</h2><p>${t("first.text")}</p><pre
    class="box">${line_}</pre>
    <div class="row">${copyButton(line_)}<span
    class="muted">${t("first.auth", { file: d.over.data ? `${d.over.data}/auth.hdr` :
      "auth.hdr" })}</span></div>
    ${mayOperate() ? html`<h3>${t("first.noShell")}</h3><p class="row"><a class="btn"
      href="#/new">${t("first.pick")}</a>
      <span class="muted">${t("first.pickText")}</span></p>` : nothing}</section>`;
}

export function view(ctx) {
  redraw = ctx.redraw;
  const d = data();
  const problem = d.status.problem && !d.status.data ? d.status.problem : null;
  if (problem) return refusal(problem);
  if (!d.status.data || !d.live.data || !d.waiting.data) return html`<p class="muted">${t("loading")}</p>`;
  const devices = devicesOf(d.gpu.data);
  const isEmpty = !d.live.data.jobs.length && !d.waitingJobs.length && d.recent.data?.jobs.length === 0;
  const rows = waitingRows.inside ? waitingRows.order : d.waitingJobs;
  const pick = rows.length ? pickOf(rows) : null;
  return html`${verdict(d)}${attention(d)}
    ${devices.map((device, i) => html`${deviceLine(device, i ? [] : d.over.windows)}${vramBar(device)}`)}
    ${isEmpty ? firstJob(d) : html`<div class="split ${pick ? "" :
      "whole"}"><div>${runningTable(d)}${waitingTable(d)}</div>
      ${pick ? html`<aside>${whyPanel(pick, d.whys.get(pick.id) ?? use(`/jobs/${pick.id}/why`))}</aside>` :
        nothing}</div>`}`;
}

export const keys = {
  KeyJ: () => step(1), KeyK: () => step(-1),
  Enter: () => { if (selected) location.hash = `#/jobs/${selected}`; },
};
function step(by) {
  const rows = waitingRows.order;
  if (!rows.length) return;
  const at = rows.findIndex((job) => job.id === pickOf(rows).id);
  selected = rows[Math.max(0, Math.min(rows.length - 1, at + by))].id;
  redraw();
}
