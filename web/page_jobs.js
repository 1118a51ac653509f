// Jobs: find, filter, select, act on many.
import { html, nothing } from "/vendor/lit-html.js";
import { repeat } from "/vendor/directives/repeat.js";
import { idempotencyKey, mayOperate, post } from "/api.js";
import { duration, gib, NONE, num, secondsSince, stamp } from "/format.js";
import { t } from "/i18n.js";
import { icon } from "/icons.js";
import { ask, classMark, copyButton, elapsed, etaOf, isOver, outcomeText, progressText, refusal, stateMark,
  Steady, timeOf } from "/parts.js";
import { overview } from "/model.js";
import { refresh, use } from "/store.js";
import { reasonLine } from "/why.js";

const PAGE = 50, WHYS_SHOWN = 12;
const CLASSES = ["inference", "training", "evaluation", "synthesis"];
const GROUPS = {
  all: [], live: ["starting", "running", "yielding", "parked", "stopping"], waiting: ["waiting"],
  succeeded: ["succeeded"], failed: ["failed"], other: ["cancelled", "skipped", "expired"],
};
const filter = { group: "all", text: "", classes: new Set(CLASSES) };
const rowsHeld = new Steady();
let cursors = [""], picked = new Map(), typing = 0, redraw = () => {}, problem = null, lastRows = [];
let at = 0;

function readQuery(query) {
  filter.group = GROUPS[query.get("state")] ? query.get("state") : "all";
  filter.text = query.get("q") ?? "";
  const classes = (query.get("class") ?? "").split(",").filter((c) => CLASSES.includes(c));
  filter.classes = new Set(classes.length ? classes : CLASSES);
}

function hashOf() {
  const q = new URLSearchParams();
  if (filter.group !== "all") q.set("state", filter.group);
  if (filter.text) q.set("q", filter.text);
  if (filter.classes.size < CLASSES.length) q.set("class", [...filter.classes].join(","));
  const text = q.toString();
  return `#/jobs${text ? `?${text}` : ""}`;
}

function changed() {
  cursors = [""];
  history.replaceState(null, "", hashOf());
  redraw();
}

/** "state:failed" and a bare number are understood in the search field, everything else is part of a name. */
function apiPath() {
  const q = new URLSearchParams();
  let states = GROUPS[filter.group];
  const words = [];
  for (const word of filter.text.split(/\s+/).filter(Boolean)) {
    const [key, value] = word.split(":");
    if (key === "state" && value) states = value.split(",");
    else if (key === "kind" && value) q.set("kind", value);
    else words.push(word);
  }
  if (states.length) q.set("state", states.join(","));
  if (words.length) q.set("q", words.join(" "));
  if (filter.classes.size < CLASSES.length) q.set("class", [...filter.classes].join(","));
  q.set("limit", PAGE);
  if (cursors.at(-1)) q.set("cursor", cursors.at(-1));
  return `/jobs?${q.toString().replaceAll("%2C", ",")}`;
}

function clearAll() {
  Object.assign(filter, { group: "all", text: "", classes: new Set(CLASSES) });
  changed();
}

function bar(counts) {
  const of = (group) => (group === "all" ? counts.total : GROUPS[group].reduce((sum, s) => sum +
    (counts.counts[s] ?? 0), 0));
  const onText = (event) => {
    filter.text = event.target.value;
    clearTimeout(typing);
    typing = setTimeout(changed, 250);
  };
  const toggle = (jobClass) => () => {
    if (filter.classes.has(jobClass)) filter.classes.delete(jobClass); else filter.classes.add(jobClass);
    if (!filter.classes.size) filter.classes = new Set(CLASSES);
    changed();
  };
  return html`<div class="row filters"><input type="search" size="36" aria-label=${t("jobs.search")}
    placeholder=${t("jobs.search")}
      .value=${filter.text} @input=${onText}>
    <div class="seg" role="group" aria-label=${t("jobs.states")}>${Object.keys(GROUPS).map((group) =>
    html`<button type="button"
      aria-pressed=${filter.group === group}
        @click=${() => { filter.group = group; changed(); }}>${t(`group.${group}`)}
      ${num(of(group))}</button>`)}</div>
    ${CLASSES.map((c) => html`<label class="check"><input type="checkbox" .checked=${filter.classes.has(c)}
      @change=${toggle(c)}>
      ${classMark(c)}</label>`)}</div>`;
}

function outcomeOrReason(job) {
  if (job.state === "waiting") return reasonLine(job, whyOf(job));
  if (!isOver(job)) return progressText(job);
  const text = outcomeText(job);
  return html`<span class=${job.state === "failed" ? "bad" : job.state === "succeeded" ? "" :
    "muted"}>${text || NONE}</span>`;
}

/** Whole reasons for the first waiting rows of a page; the others show the daemon's one sentence. */
function whyOf(job) {
  const index = lastRows.filter((j) => j.state === "waiting").findIndex((j) => j.id === job.id);
  return index >= 0 && index < WHYS_SHOWN ? use(`/jobs/${job.id}/why`).data : undefined;
}

function endOf(job) {
  if (job.ended_at) return timeOf(job.ended_at, stamp(job.ended_at));
  const starts = job.state === "waiting" ? whyOf(job)?.eta?.p50 : null;
  if (starts) return html`<b>${timeOf(starts)} ${t("short.starts")}</b>`;
  const ends = etaOf(job);
  return ends ? html`<b>${timeOf(ends)} ${t("short.ends")}</b>` : NONE;
}

function waited(job) {
  const end = job.started_at ?? job.ended_at;
  return duration(end ? (Date.parse(end) - Date.parse(job.created_at)) / 1000 : secondsSince(job.created_at));
}

function row(job) {
  const pick = () => {
    if (picked.has(job.id)) picked.delete(job.id); else picked.set(job.id, job);
    redraw();
  };
  const peak = job.peak_vram ? gib(job.peak_vram) : NONE;
  return html`<tr class="${picked.has(job.id) ? "on" : ""} ${job.gone ? "gone" : ""}" data-id=${job.id}>
    ${mayOperate() ? html`<td class="x"><input type="checkbox" aria-label="${job.id} ${job.name}"
      .checked=${picked.has(job.id)} @change=${pick}></td>` : nothing}
    <td class="muted i">${job.id}</td><td class="t"><a class="name"
    href="#/jobs/${job.id}">${job.name}</a></td>
    <td class="muted k">${job.kind}</td><td class="c">${classMark(job.class)}</td><td
    class="st">${stateMark(job)}</td>
    <td class="n v">${job.vram > 0 ? `${peak} / ${gib(job.vram)}` : NONE}</td><td
    class="n e">${waited(job)}</td>
    <td class="n e">${elapsed(job)}</td><td class="n s">${endOf(job)}</td>
    <td class="p">${outcomeOrReason(job)}</td></tr>`;
}

async function each(jobs, verb) {
  const failures = [];
  for (const job of jobs) {
    try {
      await post(`/jobs/${job.id}/${verb}`, undefined, { headers: { "Idempotency-Key": idempotencyKey() } });
    } catch (error) {
      failures.push({ job, error });
    }
  }
  refresh();
  const [first] = failures;
  problem = first ? Object.assign(first.error,
    { title: t("jobs.someRefused", { n: failures.length, of: jobs.length }),
    detail: `${first.job.id}: ${first.error.detail || first.error.title}` }) : null;
  picked = new Map(failures.map(({ job }) => [job.id, job]));
  redraw();
}

function cancelPicked() {
  const jobs = [...picked.values()].filter((job) => !isOver(job));
  const live = jobs.filter((job) => job.state !== "waiting");
  const ran = live.reduce((sum, job) => sum + (secondsSince(job.started_at) ?? 0), 0);
  return ask({
    title: t("bulk.cancelTitle", { n: jobs.length }),
    lines: [t("bulk.cancelEffect", { waiting: jobs.length - live.length, live: live.length, run:
      duration(ran) }),
      jobs.slice(0, 8).map((job) => `${job.id} ${job.name}`).join(", ") + (jobs.length > 8 ? " …" : "")],
    safe: t("cancel.safe"), go: t("bulk.cancelGo", { n: jobs.length }), danger: true, act: () =>
      each(jobs, "cancel"),
  });
}

/** Takes the place of the chip line, so that nothing below moves. */
function bulkBar() {
  const jobs = [...picked.values()];
  const waiting = jobs.filter((job) => job.state === "waiting");
  const open = jobs.filter((job) => !isOver(job));
  const vram = open.reduce((sum, job) => sum + (job.vram ?? 0), 0);
  return html`<div class="bulk"><b>${t("bulk.picked", { n: jobs.length })}</b>
    <span class="muted">${t("bulk.sum", { waiting: waiting.length, gib: gib(vram) })}</span>
    <button type="button" class="btn" ?disabled=${!waiting.length}
    @click=${() => each(waiting, "hold")}>${icon("lock")}${t("verb.hold")}</button>
    <button type="button" class="btn" ?disabled=${!waiting.some((j) => j.held)}
    @click=${() => each(waiting.filter((j) => j.held), "release")}>${t("verb.release")}</button>
    <button type="button" class="btn danger" ?disabled=${!open.length}
    @click=${cancelPicked}>${t("verb.cancel")}…</button>
    <span class="grow"></span><button type="button" class="linkish"
    @click=${unpick}>${t("bulk.none")}</button> <kbd>Esc</kbd></div>`;
}

function unpick() {
  picked = new Map();
  redraw();
}

function chips(shown) {
  const parts = [];
  if (filter.group !== "all") parts.push([t(`group.${filter.group}`), () => { filter.group = "all"; }]);
  if (filter.text) parts.push([filter.text, () => { filter.text = ""; }]);
  if (filter.classes.size < CLASSES.length) {
    parts.push([[...filter.classes].map((c) => t(`class.${c}`)).join(", "), () =>
      { filter.classes = new Set(CLASSES); }]);
  }
  return html`<div class="chips">${parts.map(([text, drop]) => html`<span class="chip">${text}<button
    type="button"
      aria-label=${t("jobs.dropFilter", { text })} @click=${() => { drop(); changed(); }}>✕</button></span>`)}
    <span class="muted small">${shown}</span>
    ${parts.length ? html`<button type="button" class="linkish small"
      @click=${clearAll}>${t("jobs.clear")}</button>` : nothing}</div>`;
}

function curlOf() {
  return `curl -sS -H @auth.hdr '${location.origin}/api/v1${apiPath()}'`;
}

export function enter(ctx) {
  readQuery(ctx.query);
  cursors = [""];
  problem = null;
  at = 0;
}

export function view(ctx) {
  redraw = ctx.redraw;
  const counts = overview(use("/status").data);
  const list = use(apiPath());
  const rows = rowsHeld.rows(list.data?.jobs ?? lastRows);
  if (list.data) lastRows = list.data.jobs;
  const { enter: pin, leave } = rowsHeld.listeners;
  const all = rows.length > 0 && rows.every((job) => picked.has(job.id));
  const pickAll = () => {
    for (const job of rows) if (all) picked.delete(job.id); else picked.set(job.id, job);
    redraw();
  };
  const shown = t("jobs.shown", { n: rows.length, all: num(counts.total) });
  return html`<header class="pagehead"><h1>${t("nav.jobs")}</h1><span class="grow"></span>
      ${copyButton(curlOf, "", "curl")}${mayOperate() ? html`<a class="btn primary"
        href="#/new">${icon("plus")}${t("newJob")}</a>` : nothing}</header>
    ${bar(counts)}${refusal(problem)}${list.problem && !list.data ? refusal(list.problem) : nothing}
    ${picked.size ? bulkBar() : chips(shown)}
    ${rows.length ? html`<table class="stack jobs" @pointerenter=${pin} @pointerleave=${leave}
      @focusin=${pin} @focusout=${leave}>
      <thead><tr>${mayOperate() ? html`<th class="x"><input type="checkbox" aria-label=${t("bulk.all")}
      .checked=${all} @change=${pickAll}></th>` : nothing}
        <th scope="col">${t("col.id")} ↓</th><th scope="col">${t("col.name")}</th><th
        scope="col">${t("col.kind")}</th><th scope="col">${t("col.class")}</th>
        <th scope="col">${t("col.state")}</th><th scope="col" class="n">${t("col.peakBudget")}</th><th
        scope="col" class="n">${t("col.waited")}</th>
        <th scope="col" class="n">${t("col.ran")}</th><th scope="col" class="n">${t("col.ended")}</th><th
        scope="col">${t("col.result")}</th></tr></thead>
      <tbody>${repeat(rows, (job) => job.id, row)}</tbody></table>`
    : list.data ? empty(counts) : html`<p class="muted">${t("loading")}</p>`}
    ${pager(list.data, rows)}`;
}

function empty(counts) {
  if (counts.total > 0) {
    return html`<p class="empty">${t("jobs.noMatch")} <button type="button" class="btn"
      @click=${clearAll}>${t("jobs.clear")}</button>
      <span class="muted">${t("jobs.total", { n: num(counts.total) })}</span></p>`;
  }
  return html`<p class="empty">${t("jobs.none")} ${mayOperate() ? html`<a href="#/new">${t("newJob")}</a>`
    : nothing}</p>`;
}

function pager(data, rows) {
  if (!data || (!data.next && cursors.length === 1)) return nothing;
  return html`<div class="row pager"><span class="muted">${rows.length ?
    `${rows[0].id} – ${rows.at(-1).id}` : ""}</span><span class="grow"></span>
    <button type="button" class="btn" ?disabled=${cursors.length === 1}
    @click=${() => { cursors.pop(); redraw(); }}>${t("prev")}</button>
    <button type="button" class="btn" ?disabled=${!data.next}
    @click=${() => { cursors.push(data.next); redraw(); }}>${t("next")}</button></div>`;
}

function move(by) {
  const rows = [...document.querySelectorAll("table.jobs tbody tr")];
  if (!rows.length) return;
  at = Math.max(0, Math.min(rows.length - 1, at + by));
  rows[at].querySelector("a.name").focus();
}

export const keys = {
  KeyJ: () => move(1), KeyK: () => move(-1), Escape: unpick,
  KeyX: () => document.activeElement?.closest("tr")?.querySelector("input[type=checkbox]")?.click(),
};
