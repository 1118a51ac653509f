// The life of a job as stretches: waiting, running, preempted; from its events, up to now.
import { html, nothing } from "/vendor/lit-html.js";
import { clock, duration, now, stamp } from "/format.js";
import { t } from "/i18n.js";
import { icon } from "/icons.js";
import { isOver } from "/parts.js";

const RUNS = new Set(["started"]);
const LEAVES = new Set(["preempted", "retrying"]);

/** [{kind: wait|run|preempted, from, to, text}] in milliseconds. */
export function life(job, events) {
  const spans = [];
  const end = job.ended_at ? Date.parse(job.ended_at) : now();
  let kind = "wait", from = Date.parse(job.created_at), text = "", by = 0;
  const close = (at, next, nextText = "") => {
    if (at > from || kind !== "wait") spans.push({ kind, from, to: Math.max(at, from), text });
    kind = next;
    from = at;
    text = nextText;
  };
  for (const event of events) {
    const at = Date.parse(event.at);
    if (event.kind === "yielding") by = event.data?.beneficiary ?? 0;
    if (RUNS.has(event.kind) && kind !== "run") close(at, "run",
      t("life.attempt", { n: event.attempt || 1 }));
    else if (LEAVES.has(event.kind) && kind === "run") {
      const preempted = event.kind === "preempted";
      const words = preempted ? (by ? t("life.for", { job: by }) : t("life.preempted")) : t("life.again");
      close(at, preempted ? "preempted" : "wait", words);
      by = 0;
    }
  }
  if (!events.length && job.started_at) close(Date.parse(job.started_at), "run");
  if (end > from) spans.push({ kind, from, to: end, text });
  return spans;
}

/** Widths follow the square root of time: a four-minute wait stays readable beside a night. */
export function lifeStrip(job, spans) {
  const eta = job.progress?.eta_s;
  const shown = spans.slice(-8);
  const rest = !isOver(job) && eta > 0 ? [{ kind: "rest", from: now(), to: now() + eta * 1000, text: "" }]
    : [];
  const words = { wait: t("life.wait"), run: t("life.run"), preempted: t("life.preemptedWord"), rest:
    t("life.rest") };
  return html`<ol class="life">${[...shown, ...rest].map((span) =>
    html`<li class="l-${span.kind} c-${job.class}"
      .style=${`flex:${Math.max(0.06, Math.sqrt((span.to - span.from) / 1000)).toFixed(2)} 1 108px`}><i></i>
      <b>${span.kind === "preempted" ? icon("scissors") : nothing} ${words[span.kind]}
      ${duration((span.to - span.from) / 1000)}</b>
      <span>${span.kind === "rest" ? t("life.ends", { at: clock(span.to) }) :
      t("life.since", { at: stamp(span.from) })}</span>
      <span class="muted">${span.text}</span></li>`)}</ol>`;
}
