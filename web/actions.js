// What a person can do to a job, with the dialog that says what it will cost.
import { html } from "/vendor/lit-html.js";
import { get, idempotencyKey, mayOperate, post, send } from "/api.js";
import { ago, duration, gib, secondsSince } from "/format.js";
import { t } from "/i18n.js";
import { ask, elapsed, isLive, isOver, progressText } from "/parts.js";
import { refresh } from "/store.js";

const act = (job, verb, body) => async () => {
  await post(`/jobs/${job.id}/${verb}`, body, { headers: { "Idempotency-Key": idempotencyKey() } });
  refresh();
};

/** The verbs that make sense for this job now and that this role may use. */
export function verbsOf(job) {
  if (!mayOperate()) return [];
  if (isOver(job)) return ["retry"];
  if (isLive(job)) return job.state === "running" && job.preemptible !== false ? ["preempt", "cancel"] :
    ["cancel"];
  return [job.held ? "release" : "hold", "front", "cancel"];
}

export function cancel(job) {
  const running = isLive(job);
  return ask({
    title: t(running ? "cancel.titleLive" : "cancel.title", { job: `${job.id} ${job.name}` }),
    lines: running
      ? [t("cancel.ran", { run: elapsed(job), progress: progressText(job) }), checkpointLine(job),
        t("cancel.effect", { vram: gib(job.vram) })]
      : [t("cancel.waiting", { wait: duration(secondsSince(job.created_at)) })],
    safe: t(running ? "cancel.safeLive" : "cancel.safe"),
    go: t(running ? "cancel.goLive" : "cancel.go"), danger: true, act: act(job, "cancel"),
  });
}

const checkpointLine = (job) => (job.checkpoint_at ? t("checkpoint.last", { ago: ago(job.checkpoint_at) })
  : t(job.checkpoint === "none" ? "checkpoint.never" : "checkpoint.unknown"));

export function preempt(job) {
  return ask({
    title: t("preempt.title", { job: `${job.id} ${job.name}` }),
    lines: [t("cancel.ran", { run: elapsed(job), progress: progressText(job) }), checkpointLine(job),
      t("preempt.effect", { vram: gib(job.vram) })],
    safe: t("cancel.safeLive"), go: t("preempt.go"), act: act(job, "preempt"),
  });
}

export function retry(job) {
  return ask({
    title: t("retry.title", { job: `${job.id} ${job.name}` }),
    lines: [t("retry.effect"), t("retry.budget", { vram: gib(job.vram) })],
    body: html`<p><label class="check"><input type="checkbox" name="dependents"
      value="1">${t("retry.dependents")}</label></p>`,
    safe: t("close"), go: t("retry.go"),
    act: async (values) => {
      const made = await post(`/jobs/${job.id}/retry${values.dependents ? "?dependents=1" : ""}`, undefined,
        { headers: { "Idempotency-Key": idempotencyKey() } });
      refresh();
      if (made.id) location.hash = `#/jobs/${made.id}`;
    },
  });
}

const patch = (job, body) => send("PATCH", `/api/v1/jobs/${job.id}`, {
  body, headers: { "If-Match": `"${job.version}"`, "Content-Type": "application/merge-patch+json" },
});

const steps = {
  release: (job) => post(`/jobs/${job.id}/release`),
  resume_queue: () => post("/queue/resume"),
  preempt: (job, c) => post(`/jobs/${c.job}/preempt`),
  cancel: (job, c) => post(`/jobs/${c.job}/cancel`),
  clear_not_before: (job) => patch(job, { not_before: null }),
  set_priority: (job) => patch(job, { priority: 100 }),
  set_vram: (job, c) => patch(job, { vram: c.vram }),
};

/** Does what a "would start if" says, after a dialog with its effect and its cost to others. */
export function applyChange(job, c, { title, lines }) {
  return ask({
    title: `${job.id} ${job.name}: ${title}`, lines, safe: t("close"), go: t("change.go"),
    act: async () => {
      for (const verb of c.verb.split("+")) {
        // A step before may have changed the job: its newest version goes with the next one.
        const fresh = await get(`/jobs/${job.id}`);
        await steps[verb](fresh, c);
      }
      refresh();
    },
  });
}

export function pauseQueue() {
  return ask({
    title: t("pause.title"),
    lines: [t("pause.effect")],
    body: html`<p><label>${t("pause.reason")}<br><input type="text" name="reason" maxlength="200"
      size="40"></label></p>
      <p><label>${t("pause.until")}<br><select name="until"><option value="">${t("pause.open")}</option>
        ${[1, 2, 4, 8].map((h) => html`<option
          value=${h}>${duration(h * 3600)}</option>`)}</select></label></p>`,
    safe: t("close"), go: t("pause.go"),
    act: async ({ reason, until }) => {
      const body = { reason };
      if (until) body.until = new Date(Date.now() + Number(until) * 3600e3).toISOString();
      await post("/queue/pause", body);
      refresh();
    },
  });
}

export async function resumeQueue() {
  await post("/queue/resume");
  refresh();
}

export const hold = (job) => act(job, "hold")();
export const release = (job) => act(job, "release")();
export const front = (job) => act(job, "move", { to: "front" })();

const all = { cancel, preempt, retry, hold, release, front };
const asks = { cancel: true, preempt: true, retry: true };

/** Runs a verb; a refusal of the ones without a dialog opens one that says why. */
export async function perform(job, verb) {
  try {
    return await all[verb](job);
  } catch (problem) {
    return ask({ title: problem.title, lines: [problem.detail, problem.hint, problem.code], safe: t("close"),
      go: t("retryNow"), act: () => all[verb](job) });
  }
}

export const verbLabel = (job, verb) =>
  t(`verb.${verb === "cancel" && isLive(job) ? "stop" : verb}`) + (asks[verb] ? "…" : "");
