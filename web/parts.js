// What several pages show in the same way: states, classes, refusals, dialogs, tables that keep still.
import { html, nothing, render } from "/vendor/lit-html.js";
import { copyText, mayOperate } from "/api.js";
import { duration, full, gib, near, NONE, now, num, secondsSince, clock } from "/format.js";
import { has, t } from "/i18n.js";
import { glyph, icon, stateLook } from "/icons.js";

export const LIVE_STATES = ["starting", "running", "yielding", "parked", "stopping"];
export const isLive = (job) => LIVE_STATES.includes(job.state);
export const isOver = (job) => ["succeeded", "failed", "cancelled", "skipped", "expired"].includes(job.state);

export const shownState = (job) => (job.held && job.state === "waiting" ? "held" : job.state);
export function stateIcon(job) {
  const state = shownState(job);
  const [name] = stateLook[state] ?? stateLook.waiting;
  const chained = state === "waiting" && job.waiting?.code === "dep_waiting";
  return icon(chained ? "link" : name);
}
export function stateMark(job) {
  const state = shownState(job);
  const [, tone] = stateLook[state] ?? stateLook.waiting;
  return html`<span class="state ${tone}">${stateIcon(job)}${t(`state.${state}`)}</span>`;
}
export const classMark = (jobClass) => html`<span
  class="cls">${glyph(jobClass)}${t(`class.${jobClass}`)}</span>`;
export const jobLink = (job, text) => html`<a class="name" href="#/jobs/${job.id}">${text ?? job.name}</a>
  <span class="muted small">${job.id}</span>`;
export const timeOf = (iso, text) => html`<time datetime=${full(iso)} title="${full(iso)} · ${iso ?
  near(iso) : ""}"
  >${text ?? clock(iso)}</time>`;

/** Share done, 0..1, or null while it is not known. */
export function share(job) {
  const p = job.progress;
  return p && p.steps > 0 ? Math.min(1, p.step / p.steps) : null;
}

/** Metrics that only count: the progress says the same. */
export const isCounter = (name) => name === "epoch" || name === "step";

/** Its process survives SIGKILL: it stays, with its memory, until the kernel lets go of it. */
export const isStuck = (job) => isLive(job) && job.waiting?.code === "unkillable";

export function progressText(job) {
  if (isStuck(job)) return html`<b class="bad" title=${job.waiting.text}>${t("gate.unkillable.short")}</b>`;
  const p = job.progress;
  if (!p) return job.state === "running" ? t("progress.none") : t(`state.${shownState(job)}`);
  const words = [];
  if (p.steps > 0) words.push(`${num(p.step)}/${num(p.steps)} ${p.phase ?? ""}`.trim());
  else if (p.phase) words.push(p.phase);
  else if (p.step > 0) words.push(`${num(p.step)}`);
  const values = Object.entries(p.metrics ?? {}).filter(([name]) => !isCounter(name));
  const first = values.find(([name]) => /loss/.test(name)) ?? values[0];
  if (first) words.push(`${first[0]} ${typeof first[1] === "number" ? +first[1].toPrecision(3) : first[1]}`);
  return words.join(" · ") || t("progress.none");
}

export const progressBar = (job) => {
  const done = share(job);
  if (done == null) return nothing;
  return html`<div class="bar c-${job.class}" role="progressbar" aria-valuemin="0" aria-valuemax="100"
    aria-valuenow=${Math.round(done * 100)} aria-label="${job.name}"><i
      .style=${`width:${(done * 100).toFixed(1)}%`}></i></div>`;
};

/** Run time: of the attempts that ended and of the one that runs. */
export function elapsed(job) {
  if (!job.started_at) return NONE;
  if (isOver(job)) return duration(job.run_time ||
    (Date.parse(job.ended_at) - Date.parse(job.started_at)) / 1000);
  const current = secondsSince(job.running_since ?? job.started_at);
  return duration(job.running_since ? (job.run_time ?? 0) + current : current);
}

/** When the running job expects to end, as ISO time, or null. */
export const etaOf = (job) => (job.progress?.eta_s != null && !isOver(job)
  ? new Date(now() + job.progress.eta_s * 1000).toISOString() : null);

export const needs = (job) => (job.vram > 0 ? `${gib(job.vram)} GiB` : `0 · CPU ${job.cpu ?? 1}`);

/** One line for the end of a job: its own message, or the word for its code. */
export function outcomeText(job) {
  const o = job.outcome;
  if (!o) return "";
  const word = has(`outcome.${o.code}`) ? t(`outcome.${o.code}`) : "";
  if (o.code === "ok") return /^(ok|Done\.?)?$/.test(o.message ?? "") ? "" : o.message;
  return [word, o.message].filter(Boolean).join(": ") || o.code;
}

/** A refusal where the action was: problem, detail, hint, code and trace. */
export function refusal(problem, title) {
  if (!problem) return nothing;
  const line = [problem.code, problem.trace &&
    `${t("refusal.trace")} ${problem.trace}`].filter(Boolean).join(" · ");
  return html`<div class="refusal" role="alert">
    <div><span class="lead">${icon("cross")} ${title ?? problem.title}</span>
      <span class="muted">${problem.status || ""}</span></div>
    ${title && problem.title ? html`<div>${problem.title}</div>` : nothing}
    ${problem.detail ? html`<div>${problem.detail}</div>` : nothing}
    ${(problem.errors ?? []).map((e) => html`<div><code>${e.pointer ?? e.field ?? ""}</code>
      ${e.message ?? e.detail
      ?? e.code ?? ""}</div>`)}
    ${problem.hint ? html`<div class="muted">${t("refusal.hint")}: ${problem.hint}</div>` : nothing}
    ${line ? html`<div class="row"><span class="code">${line}</span>${copyButton(line,
      "plain tiny")}</div>` : nothing}
  </div>`;
}

/** The same request for a terminal; single quotes inside the JSON are escaped for sh. */
export const curlPost = (path, body, verb = "") =>
  `curl -sS ${verb}-H @auth.hdr ${location.origin}/api/v1${path} `
  + `--json '${JSON.stringify(body).replaceAll("'", "'\\''")}'`;

export function copyButton(text, tone = "", label) {
  const onClick = async (event) => {
    const button = event.currentTarget;
    await copyText(typeof text === "function" ? text() : text);
    button.dataset.done = "1";
    button.querySelector("span").textContent = t("copied");
    setTimeout(() => { button.querySelector("span").textContent = label ?? t("copy"); }, 1500);
  };
  return html`<button type="button" class="btn ${tone}" @click=${onClick}>${icon("copy")}<span>${label ??
    t("copy")}</span></button>`;
}

/**
 * Opens a dialog that states the effect. `safe` gets the focus. Resolves with false, or with the values
 * of the named fields when the person confirms. `act` may throw a Problem: it is shown inside.
 */
export function ask({ title, lines = [], body, safe, go, danger, act }) {
  const dialog = document.createElement("dialog");
  document.body.append(dialog);
  return new Promise((resolve) => {
    let problem = null, busy = false, answer = false;
    const close = () => dialog.close();
    const confirm = async (event) => {
      event.preventDefault();
      if (busy) return;
      busy = true;
      const values = Object.fromEntries(new FormData(dialog.querySelector("form")));
      try {
        if (act) await act(values);
        answer = values;
        close();
      } catch (error) {
        problem = error;
        busy = false;
        draw();
      }
    };
    const draw = () => render(html`<form @submit=${confirm} aria-labelledby="ask-title">
      <h2 id="ask-title">${title}</h2>
      ${lines.filter(Boolean).map((line, i) => html`<p class=${i ? "muted" : ""}>${line}</p>`)}
      ${body ?? nothing}
      ${refusal(problem)}
      <div class="foot"><button type="button" class="btn" autofocus @click=${close}>${safe ??
      t("close")}</button>
        <button class="btn ${danger ? "danger" : "primary"}" ?disabled=${busy}>${go}</button></div>
    </form>`, dialog);
    draw();
    dialog.addEventListener("close", () => { dialog.remove(); resolve(answer); });
    dialog.showModal();
  });
}

/** Rows keep their place while the pointer or the focus is inside: new ones go last, gone ones stay grey. */
export class Steady {
  constructor() { this.inside = false; this.order = []; }
  rows(fresh) {
    if (!this.inside) {
      this.order = fresh;
      return fresh;
    }
    const byId = new Map(fresh.map((row) => [row.id, row]));
    const kept = this.order.map((row) => byId.get(row.id) ?? { ...row, gone: true });
    const known = new Set(kept.map((row) => row.id));
    this.order = [...kept, ...fresh.filter((row) => !known.has(row.id))];
    return this.order;
  }
  get listeners() {
    return {
      enter: () => { this.inside = true; },
      leave: (event) => { this.inside = event.currentTarget.contains(document.activeElement); },
    };
  }
}

export const canAct = () => mayOperate();
