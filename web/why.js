// Why a job waits: each closed gate with its code, the VRAM sum that adds up, what would start it sooner.
import { html, nothing } from "/vendor/lit-html.js";
import { mayOperate } from "/api.js";
import { applyChange, cancel, preempt } from "/actions.js";
import { ahead, clock, num, stamp, tenths, timeSpan } from "/format.js";
import { has, t } from "/i18n.js";
import { icon } from "/icons.js";
import { refusal, timeOf } from "/parts.js";
import { LIVE_QUERY } from "/model.js";
import { peek } from "/store.js";

export const windowName = (name) => (has(`window.${name}`) ? t(`window.${name}`) : name);

/** The numbers of a VRAM gate, or null. */
export function vramOf(gate) {
  const d = gate.detail;
  return d && d.capacity != null && d.needed != null ? d : null;
}

/** Terms rounded to 0.1 GiB first; the sum is of the rounded ones, so that it adds up on the screen. */
export function vramTerms(detail) {
  const terms = [
    { key: "safety", value: tenths(detail.safety), label: t("term.safety") },
    { key: "foreign", value: tenths(detail.foreign), label: t("term.foreign") },
  ];
  const byJob = detail.held_by ?? [];
  let heldShown = 0;
  for (const { job, bytes, vram } of byJob.slice(0, 3)) {
    const value = tenths(bytes ?? vram ?? 0);
    heldShown += value;
    terms.push({ key: "held", value, label: t("term.job", { job }) });
  }
  const rest = Math.round((tenths(detail.held) - heldShown) * 10) / 10;
  if (!byJob.length || Math.abs(rest) >= 0.1) {
    terms.push({ key: "held", value: rest, label: byJob.length ? t("term.otherJobs") : t("term.jobs") });
  }
  terms.push({ key: "headroom", value: tenths(detail.headroom),
    label: detail.headroom_until ? t("term.headroomUntil", { at: clock(detail.headroom_until) }) :
      t("term.headroom") });
  const capacity = tenths(detail.capacity);
  const sum = terms.reduce((left, term) => left - Math.round(term.value * 10),
    Math.round(capacity * 10)) / 10;
  const needed = tenths(detail.needed);
  const shown = terms.filter((term) => term.value !== 0 || term.key === "safety");
  return { capacity, terms: shown, sum, needed, short: Math.round((needed - sum) * 10) / 10,
    fits: detail.needed <= detail.available };
}

/** {title, fact, short} of a gate in the reader's language; the daemon's sentence where we have no phrase. */
export function gateWords(gate) {
  const d = gate.detail ?? {};
  const vram = vramOf(gate);
  if (vram) {
    const sum = vramTerms(vram);
    const fact = sum.fits ? t("gate.vram.enough") :
      t("gate.vram.short", { gib: Math.max(0.1, sum.short).toFixed(1) });
    return { title: "VRAM", fact, short: `VRAM ${fact}` };
  }
  const opens = d.opens_at ?? gate.opens_at;
  const at = opens ? clock(opens) : "";
  const values = {
    window: windowName(d.window ?? ""), jobs: (d.jobs ?? []).slice(0, 4).join(", "), at,
    limit: d.limit != null ? num(d.limit) : "", value: d.value != null ? num(d.value) : "",
    since: gate.since ? stamp(gate.since) : "", reason: d.reason ?? "",
  };
  const key = `gate.${gate.code}`;
  if (!has(`${key}.title`)) return { title: gate.code, fact: gate.text ?? "", short: gate.text ?? gate.code };
  const variant = !values.jobs && has(`${key}.fact0`) ? "fact0" : "fact";
  let fact = t(`${key}.${variant}`, values);
  if (opens && gate.code === "outside_window") fact = `${fact} · ${ahead(opens)}`;
  return { title: t(`${key}.title`, values), fact, short: t(`${key}.short`, values) };
}

/** Short reasons in one line, for tables. */
export function reasonLine(job, why) {
  if (why?.gates?.length) return [...new Set(why.gates.slice(0, 3).map((gate) =>
    gateWords(gate).short))].join(", ");
  if (job.held) return t("gate.held.short", {});
  if (!job.waiting) return t("why.startsNow");
  const words = gateWords({ code: job.waiting.code, text: job.waiting.text, detail: job.waiting.detail });
  return /\{|\(\)|^\s|  /.test(words.short) || needsDetail(job.waiting.code) ? job.waiting.text : words.short;
}
const needsDetail = (code) => /^vram|dep_waiting|order_behind|outside_window/.test(code ?? "");

function strip(detail, jobClass) {
  const s = vramTerms(detail);
  const scale = Math.max(s.needed, s.sum, 0.1);
  const share = (v) => `${Math.max(0, Math.min(100, (v / scale) * 100)).toFixed(2)}%`;
  return html`<div class="strip">
      <div><b>${s.capacity.toFixed(1)}</b><span>${t("term.card")}</span></div>
      ${s.terms.map((term) => html`<div><b><i>−</i>${term.value.toFixed(1)}</b>
        <span>${term.label}</span></div>`)}
      <div class="sum"><b><i>=</i>${s.sum.toFixed(1)}</b><span>${t("term.available")}<br>GiB</span></div>
      <div><b class=${s.fits ? "ok" : "bad"}><i>${s.fits ? "≥" : "<"}</i>${s.needed.toFixed(1)}</b>
        <span>${t("term.needed")}<br>GiB</span></div>
    </div>
    <div class="shortfall">
      <span>${t("term.available")}</span>
      <div class="two"><i class="have" .style=${`width:${share(s.sum)}`}></i>${s.fits ? nothing
        : html`<i class="lack" .style=${`width:${share(s.short)}`}></i>`}</div>
      <span class=${s.fits ? "" : "bad"}>${s.fits ? `${s.sum.toFixed(1)} GiB` :
      `−${s.short.toFixed(1)} GiB`}</span>
      <span>${t("term.needed")}</span>
      <div class="two"><i class="need c-${jobClass}" .style=${`width:${share(s.needed)}`}></i></div>
      <span>${s.needed.toFixed(1)} GiB</span>
    </div>`;
}

export function gateList(why, jobClass) {
  return why.gates.map((gate, i) => {
    const words = gateWords(gate);
    const detail = vramOf(gate);
    return html`<div class="gate"><span class="no">${i + 1}</span><b>${words.title}</b>
      <span class="grow" title=${gate.text ?? ""}>${words.fact}</span><span
      class="code">${gate.code}</span></div>
      ${detail ? strip(detail, jobClass) : nothing}`;
  });
}

export function etaLine(eta) {
  if (!eta?.p50) return html`<p class="eta"><span class="muted">${t("eta.unknown")}</span>
    ${eta?.basis ?? ""}</p>`;
  const span = eta.p90 && eta.p90 !== eta.p50 ? timeSpan(eta.p50, eta.p90) : "";
  return html`<p class="eta"><span class="big">${timeOf(eta.p50)}</span> ${t("eta.start")}
    <span class="muted">${[span, eta.basis].filter(Boolean).join(" · ")}</span></p>`;
}

const jobOf = (id) => peek(`/jobs/${id}`) ?? (peek(LIVE_QUERY)?.jobs ?? []).find((j) => j.id === id)
  ?? { id, name: "", state: "running", vram: null };

/** A change may need several verbs: "release+set_vram". Each has its word. */
function changeLabel(c) {
  const verbs = (c.verb ?? "").split("+");
  if (!verbs.every((verb) => has(`change.${verb}`))) return c.action;
  return verbs.map((verb) => t(`change.${verb}`, { job: c.job, gib: c.vram != null ?
    tenths(c.vram).toFixed(1) : "" }))
    .join(", ");
}

const effectOf = (c) => (c.effect === "it starts now" ? t("change.now") : c.effect);
const costOf = (c) => (c.cost === "none" ? "" : c.cost);

function run(job, c) {
  if (c.verb === "preempt") return preempt(jobOf(c.job));
  if (c.verb === "cancel") return cancel(jobOf(c.job));
  return applyChange(job, c, { title: changeLabel(c), lines: [effectOf(c), costOf(c)] });
}

function change(job, c) {
  const label = changeLabel(c);
  const canRun = mayOperate() && job.id && c.verb;
  return html`<li>${canRun
    ? html`<button type="button" class="btn" title=${c.action} @click=${() => run(job, c)}>${label}…</button>`
    : html`<span class="change">${label}</span>`}
    <div><b>${effectOf(c)}</b>${costOf(c) ? html`<div class="muted small">${costOf(c)}</div>` :
    nothing}</div></li>`;
}

/** The panel beside the waiting table and on the job's page. `entry` is use(`/jobs/ID/why`). */
export function whyPanel(job, entry) {
  const why = entry.data;
  const count = why?.gates?.length ?? 0;
  return html`<section class="panel why" aria-labelledby="why-title">
    <div class="row"><h2 id="why-title">${t("why.title")}</h2>
      <a class="whylink" href="#/jobs/${job.id}?tab=why">${job.id} ${job.name}</a><span class="grow"></span>
      <span class="muted small">${count ? t("why.count", { n: count }) : ""}</span></div>
    ${why ? whyBody(job, why) : entry.problem ? refusal(entry.problem) :
      html`<p class="muted">${t("loading")}</p>`}
  </section>`;
}

export function whyBody(job, why) {
  return html`${why.gates.length ? gateList(why, job.class)
    : html`<div class="gate"><span class="ok">${icon("check")}</span><b>${t("why.startsNow")}</b></div>`}
    <hr>${why.gates.length ? etaLine(why.eta) : nothing}
    ${why.would_start_if?.length ? html`<h3>${t("why.sooner")}</h3>
      <ul class="changes">${why.would_start_if.map((c) => change(job, c))}</ul>` : nothing}`;
}
