// Schedules: what runs by the clock, when next, and a form for a new one.
import { html, nothing } from "/vendor/lit-html.js";
import { del, mayOperate, post, put } from "/api.js";
import { near, NONE, size, stamp, weekday } from "/format.js";
import { t } from "/i18n.js";
import { icon } from "/icons.js";
import { ask, copyButton, curlPost, refusal, timeOf } from "/parts.js";
import { refresh, use } from "/store.js";

let problem = null, editing = null, redraw = () => {};
const example = () => ({ name: "", cron: "0 22 * * mon-fri", timezone:
  Intl.DateTimeFormat().resolvedOptions().timeZone, missed: "once", overlap: "skip",
  enabled: true, jobs: JSON.stringify([{ kind: "generate", params: { preset: "small" } },
    { kind: "extract", params: { dataset: "job:#0" } }], null, 2) });

export function leave() {
  problem = null;
  editing = null;
}

const jobsOf = (s) => s.jobs ?? (s.job ? [s.job] : []);
const nextOf = (s) => s.next_fire_at ?? s.next ?? null;
const nameOf = (s) => encodeURIComponent(s.name);

async function run(work) {
  try {
    await work();
    problem = null;
    refresh();
  } catch (error) {
    problem = error;
  }
  redraw();
}

function actions(s) {
  if (!mayOperate()) return nothing;
  return html`${s.enabled ? html`<button type="button" class="btn"
    @click=${() => runNow(s)}>${t("sched.run")}…</button>`
    : html`<button type="button" class="btn"
    @click=${() => run(() => post(`/schedules/${nameOf(s)}/resume`))}>${t("sched.resume")}</button>`}`;
}

const runNow = (s) => ask({
  title: t("sched.runTitle", { name: s.name }), lines: [t("sched.runEffect", { n: jobsOf(s).length }),
    t("sched.runKeeps")],
  safe: t("close"), go: t("sched.runGo"), act: async () =>
    { await post(`/schedules/${nameOf(s)}/run`); refresh(); },
});
const remove = (s) => ask({
  title: t("sched.deleteTitle", { name: s.name }), lines: [t("sched.deleteEffect")], safe: t("close"), go:
    t("sched.deleteGo"), danger: true,
  act: async () => { await del(`/schedules/${nameOf(s)}`); refresh(); location.hash = "#/schedules"; },
});

function table(list, chosen) {
  return html`<table class="stack sched"><thead><tr><th scope="col">${t("sched.name")}</th><th
    scope="col">${t("sched.when")}</th><th scope="col">${t("sched.what")}</th>
      <th scope="col">${t("sched.next")}</th><th scope="col">${t("sched.last")}</th><th
      scope="col">${t("sched.missed")}</th><th scope="col">${t("sched.overlap")}</th>
      <th scope="col">${t("col.state")}</th><th><span class="sr">${t("col.actions")}</span></th></tr></thead>
    <tbody>${list.map((s) => html`<tr class="pick ${s.name === chosen?.name ? "on" : ""}"
    @click=${(e) => { if (!e.target.closest("a,button")) location.hash = `#/schedules/${nameOf(s)}`; }}>
      <td class="t"><a class="name" href="#/schedules/${nameOf(s)}">${s.name}</a></td><td
      class="p"><code>${s.cron}</code><div class="muted small">${s.timezone}</div></td>
      <td class="p">${jobsOf(s).map((job) => job.name ?? job.kind).join(" → ")}</td>
      <td class="s">${s.enabled && nextOf(s) ? html`<b>${timeOf(nextOf(s), stamp(nextOf(s)))}</b><div
      class="muted small">${near(nextOf(s))}</div>` : NONE}</td>
      <td class="e">${s.last_fire_at ? timeOf(s.last_fire_at, stamp(s.last_fire_at)) : NONE}</td>
      <td class="e">${t(`missed.${s.missed}`)}</td><td class="e">${t(`overlap.${s.overlap}`)}</td>
      <td class="c"><span class="state ${s.enabled ? "ok" : "muted"}">${icon(s.enabled ? "check" :
      "pause")}${t(s.enabled ? "sched.on" : "sched.off")}</span></td>
      <td class="n m">${actions(s)}</td></tr>`)}</tbody></table>`;
}

function details(s) {
  const next = use(`/schedules/${nameOf(s)}/next?count=10`);
  const clean = { name: s.name, cron: s.cron, timezone: s.timezone, missed: s.missed, overlap: s.overlap,
    enabled: s.enabled, jobs: jobsOf(s) };
  const curl = curlPost(`/schedules/${nameOf(s)}`, clean, "-X PUT ");
  return html`<div class="three"><section><h2>${t("sched.nextTitle", { name: s.name })}</h2>
      ${next.data ? html`<table><thead><tr><th>${s.timezone}</th><th>UTC</th>
        <th>${t("sched.note")}</th></tr></thead>
        <tbody>${(next.data.next ?? []).map((fire) => html`<tr>
        <td>${localText(fire)}</td><td class="muted">${fire.utc?.slice(5, 16).replace("T", " ")}Z</td><td
        class="muted">${fire.note}</td></tr>`)}</tbody></table>`
      : next.problem ? refusal(next.problem) : html`<p class="muted">${t("loading")}</p>`}</section>
    <section><h2>${t("sched.chain")} <span class="muted small">${t("sched.chainText")}</span></h2>
      <table><tbody>${jobsOf(s).map((job, i) => html`<tr><td class="n">${i}</td><td><b>${job.name ??
      job.kind}</b><div class="muted small">${job.kind}${job.params ? `, ${JSON.stringify(job.params)}` : ""}
        ${job.command ? job.command.join(" ") : ""}</div></td><td class="n">${job.vram == null ? "" :
          typeof job.vram === "number" ? size(job.vram) : job.vram}</td></tr>`)}</tbody></table>
      ${mayOperate() ? html`<div class="row foot"><button type="button" class="btn"
        @click=${() => edit(s)}>${t("edit")}…</button>
        ${s.enabled ? html`<button type="button" class="btn"
          @click=${() => run(() => post(`/schedules/${nameOf(s)}/pause`))}>${icon("pause")}${
            t("sched.pause")}</button>` : nothing}
        ${copyButton(curl, "", "curl")}<button type="button" class="btn danger"
          @click=${() => remove(s)}>${t("delete")}…</button></div>` : nothing}</section>
    <section><h2>${t("sched.runs")}</h2>${runsOf(s)}</section></div>`;
}

const localText = (fire) => (fire.local ? fire.local.slice(0, 16).replace("T", " ") :
  `${weekday(fire.utc)} ${stamp(fire.utc)}`);

function runsOf(s) {
  const jobs = (use(`/jobs?schedule=${nameOf(s)}&limit=10`).data?.jobs ?? []).filter((job) =>
    job.schedule === s.name);
  if (!jobs.length) return html`<p class="muted">${t("sched.noRuns")}</p>`;
  return html`<table><tbody>${jobs.map((job) => html`<tr><td><a href="#/jobs/${job.id}">${job.id}</a>
    ${job.name}</td><td>${t(`state.${job.state}`)}</td>
    <td class="n muted">${stamp(job.created_at)}</td></tr>`)}</tbody></table>`;
}

function edit(s) {
  problem = null;
  editing = s ? { ...example(), ...s, jobs: JSON.stringify(jobsOf(s), null, 2), old: s } : example();
  redraw();
}

async function save(event) {
  event.preventDefault();
  let jobs;
  try {
    jobs = JSON.parse(editing.jobs);
  } catch (error) {
    problem = { title: t("settings.notJson"), detail: error.message, errors: [] };
    return redraw();
  }
  const { name, cron, timezone, missed, overlap, enabled, old } = editing;
  const body = { name, cron, timezone, missed, overlap, enabled, jobs: Array.isArray(jobs) ? jobs : [jobs] };
  await run(async () => {
    if (old) await put(`/schedules/${nameOf(old)}`, body, { "If-Match": `"${old.version}"` });
    else await post("/schedules", body);
    editing = null;
    location.hash = `#/schedules/${encodeURIComponent(name)}`;
  });
}

function form() {
  const input = (key, more = {}) => html`<div class="frow"><label
    for="s-${key}">${t(`sched.f.${key}`)}<span class="code">${key}</span></label><div class="fctl">
    <input id="s-${key}" type="text" class="wide" required .value=${editing[key]} ?readonly=${more.fixed}
    @input=${(e) => { editing[key] = e.target.value; }}>
    <span class="muted small">${t(`sched.n.${key}`)}</span></div></div>`;
  const select = (key, values) => html`<div class="frow"><label for="s-${key}">${t(`sched.f.${key}`)}<span
    class="code">${key}</span></label><div class="fctl">
    <select id="s-${key}" @change=${(e) => { editing[key] = e.target.value; }}>${values.map((v) =>
    html`<option value=${v} ?selected=${editing[key] ===
      v}>${t(`${key}.${v}`)}</option>`)}</select></div></div>`;
  return html`<form class="panel schedform" @submit=${save}><h2>${editing.old ?
    t("sched.edit", { name: editing.old.name }) : t("sched.new")}</h2>
    ${input("name", { fixed: Boolean(editing.old) })}${input("cron")}${input("timezone")}${select("missed",
      ["once", "skip", "all"])}${select("overlap", ["skip", "queue", "replace"])}
    <div class="frow"><label for="s-jobs">${t("sched.f.jobs")}<span class="code">jobs</span></label><div
    class="fctl"><textarea id="s-jobs" rows="10" spellcheck="false"
      .value=${editing.jobs} @input=${(e) => { editing.jobs = e.target.value; }}></textarea><span
        class="muted small">${t("sched.n.jobs")}</span></div></div>
    ${refusal(problem)}<div class="row foot"><span class="grow"></span><button type="button" class="btn"
      @click=${() => { editing = null; problem = null; redraw(); }}>${t("close")}</button>
      <button class="btn primary">${t("sched.save")}</button></div></form>`;
}

export function view(ctx) {
  redraw = ctx.redraw;
  const entry = use("/schedules");
  const list = entry.data?.schedules ?? (Array.isArray(entry.data) ? entry.data : null);
  if (!list) return entry.problem ? refusal(entry.problem) : html`<p class="muted">${t("loading")}</p>`;
  const wanted = ctx.args[0] ? decodeURIComponent(ctx.args[0]) : "";
  const chosen = list.find((s) => s.name === wanted) ?? list[0];
  const on = list.filter((s) => s.enabled);
  const next = on.map(nextOf).filter(Boolean).sort()[0];
  return html`<header class="pagehead"><h1>${t("nav.schedules")}</h1><span
    class="muted">${t("sched.sum", { on: on.length, off: list.length - on.length })}
      ${next ? t("sched.sumNext", { at: stamp(next) }) : ""}</span><span class="grow"></span>
      ${mayOperate() ? html`<button type="button" class="btn primary"
        @click=${() => edit(null)}>${icon("plus")}${t("sched.new")}</button>` : nothing}</header>
    ${editing ? form() : refusal(problem)}
    ${list.length ? html`${table(list, chosen)}${chosen ? details(chosen) : nothing}` : editing ? nothing :
      html`<p class="empty">${t("sched.none")}</p>`}`;
}
