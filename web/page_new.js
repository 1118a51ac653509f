// New job: a form from the daemon's schemas, what would happen if it were submitted, and the same as curl.
import { html, nothing } from "/vendor/lit-html.js";
import { idempotencyKey, mayOperate, post } from "/api.js";
import { gib } from "/format.js";
import { language, t } from "/i18n.js";
import { icon } from "/icons.js";
import { copyButton, refusal } from "/parts.js";
import { use, refresh } from "/store.js";
import { fieldRow, fieldsOf, labelOf, parseField, schemaField, splitWords } from "/schema_form.js";
import { etaLine, gateList, windowName } from "/why.js";

const DRY_RUN_DELAY_MS = 300;
const fresh = () => ({ kind: "", name: "", params: {}, run: {}, more: false });
let form = fresh(), preview = null, previewFor = "", problem = null, timer = 0, shell = "sh", busy = false,
  sequence = 0, seen = "";
let redraw = () => {};

export function enter(ctx) {
  redraw = ctx.redraw;
  problem = null;
  const kind = ctx.query.get("kind");
  if (kind) form = { ...fresh(), kind };
}

export function leave() {
  clearTimeout(timer);
  seen = "";
}

const RUN_FIELDS = [
  { key: "vram", unit: "GiB" }, { key: "window" }, { key: "time_limit" }, { key: "after" },
    { key: "preemptible" },
  { key: "class", more: true }, { key: "priority", more: true }, { key: "not_before", more: true },
    { key: "start_deadline", more: true },
  { key: "retries", more: true }, { key: "ram", more: true, unit: "GiB" }, { key: "cpu", more: true },
    { key: "checkpoint", more: true }, { key: "labels", more: true },
];

function set(part, key, value) {
  form[part][key] = value;
  changed();
}

function changed() {
  problem = null;
  redraw();
}

const GIB = 1024 ** 3;

/** Run conditions as the API takes them; {errors} by pointer. */
function runOf(errors) {
  const out = {};
  const r = form.run;
  const text = (key) => String(r[key] ?? "").trim();
  const number = (key, low, high, integer) => {
    if (!text(key)) return;
    const value = Number(text(key));
    if (!Number.isFinite(value) || value < low || value > high || (integer && !Number.isInteger(value))) {
      errors[`/${key}`] = t("form.range", { range: `${low}–${high}` });
    } else out[key] = value;
  };
  for (const key of ["vram", "ram"]) {
    number(key, 0, 4096, false);
    if (out[key] !== undefined) out[key] = Number.isInteger(out[key]) ?
      (out[key] === 0 ? 0 : `${out[key]}GiB`) : Math.round(out[key] * GIB);
  }
  number("priority", -100, 100, true);
  number("retries", 0, 100, true);
  number("cpu", 0, 4096, true);
  for (const key of ["window", "class", "not_before", "start_deadline", "checkpoint",
    "time_limit"]) if (text(key)) out[key] = text(key);
  if (text("after")) {
    const ids = text("after").split(/[\s,]+/).map(Number);
    if (ids.every((n) => Number.isInteger(n) && n > 0)) out.after = ids;
    else errors["/after"] = t("form.ids");
  }
  if (r.preemptible !== undefined) out.preemptible = r.preemptible;
  if (text("labels")) {
    out.labels = Object.fromEntries(text("labels").split(",").map((pair) => pair.split("=").map((w) =>
      w.trim())).filter(([k]) => k).map(([k, v]) => [k, v ?? ""]));
  }
  return out;
}

/** The submit body of the form, and what is wrong with it by JSON pointer. */
function bodyOf(kind) {
  const errors = {};
  const body = { kind: form.kind };
  if (form.name.trim()) body.name = form.name.trim();
  if (form.kind === "command") {
    const { words, error } = splitWords(form.run.command ?? "");
    if (error) errors["/command"] = error;
    else if (!words.length) errors["/command"] = t("form.required");
    else body.command = words;
    if (form.run.cwd?.trim()) body.cwd = form.run.cwd.trim();
  } else {
    const params = {};
    for (const field of fieldsOf(kind.params)) {
      const { value, error } = parseField(field, form.params[field.key]);
      if (error) errors[`/params/${field.key}`] = error;
      else if (value !== undefined) params[field.key] = value;
      else if (form.params[field.key]) params[field.key] = form.params[field.key];
    }
    if (Object.keys(params).length) body.params = params;
  }
  Object.assign(body, runOf(errors));
  return { body, errors };
}

/** Asks 300 ms after the last change; a late answer to an older form is dropped. */
function schedulePreview(body, errors) {
  const text = JSON.stringify(body);
  const state = text + JSON.stringify(errors);
  if (state === seen) return;
  seen = state;
  clearTimeout(timer);
  if (Object.keys(errors).length || !mayOperate()) return;
  const mine = ++sequence;
  timer = setTimeout(async () => {
    try {
      const answer = await post("/jobs?dry_run=1", body);
      if (mine !== sequence) return;
      preview = { answer, at: Date.now() };
      previewFor = text;
      problem = null;
    } catch (error) {
      if (mine !== sequence) return;
      problem = error;
    }
    redraw();
  }, DRY_RUN_DELAY_MS);
}

const serverErrors = () => Object.fromEntries((problem?.errors ?? []).filter((e) => e.pointer).map((e) =>
  [e.pointer, e.detail ?? e.message ?? e.code]));

async function submit(body, hold) {
  if (busy) return;
  busy = true;
  redraw();
  try {
    const made = await post("/jobs", hold ? { ...body, hold: true } : body,
      { headers: { "Idempotency-Key": idempotencyKey() } });
    form = fresh();
    preview = null;
    refresh();
    location.hash = `#/jobs/${made.id}`;
  } catch (error) {
    problem = error;
  }
  busy = false;
  redraw();
}

/** Earlier jobs whose result fits a parameter that takes a data set, a table or a model. */
function candidates(kinds, type) {
  const makers = new Set(kinds.filter((k) => (k.artifacts ?? []).some((a) =>
    (type === "dataset" ? /^dataset/ : type === "model" ? /^model/
    : /features|scores|\.csv|\.feather|\.parquet/).test(a))).map((k) => k.name));
  const jobs = use("/jobs?state=succeeded,running,waiting&limit=100").data?.jobs ?? [];
  return jobs.filter((job) => makers.has(job.kind)).slice(0, 30).map((job) =>
    [`job:${job.id}`, `${job.id} ${job.name} (${t(`state.${job.state}`)})`]);
}

function runRow(field, kind, errors) {
  const { key, unit } = field;
  const id = `r-${key}`;
  const raw = form.run[key];
  const error = errors[`/${key}`];
  const policy = use("/policy").data;
  const select = (options) => html`<select id=${id}
    @change=${(e) => set("run", key, e.target.value)}>${options.map(([value, text]) => html`<option
    value=${value} ?selected=${(raw ?? "") === value}>${text}</option>`)}</select>`;
  let control, note = "";
  if (key === "window") {
    const windows = Object.keys(policy?.windows ?? {});
    control = select([["", t("run.windowDefault")], ...windows.map((w) => [w, windowName(w) === w ? w :
      `${w} · ${windowName(w)}`])]);
  } else if (key === "class") {
    control = select([["", t("run.kindDefault", { d: t(`class.${kind.class}`) })],
      ...["inference", "training", "evaluation", "synthesis"].map((c) => [c, t(`class.${c}`)])]);
  } else if (key === "checkpoint") {
    control = select([["", t("run.kindDefault", { d: kind.checkpoint ?? "none" })], ...["worker", "signal",
      "none"].map((c) => [c, c])]);
  } else if (key === "preemptible") {
    const usual = kind.class !== "inference" && (kind.checkpoint ?? "none") !== "none";
    control = html`<label class="check"><input id=${id} type="checkbox" .checked=${raw ?? usual}
      @change=${(e) => set("run", key, e.target.checked)}>${t("run.preemptibleText")}</label>`;
  } else {
    const holder = { vram: gib(kind.vram ?? 0), ram: gib(kind.ram ?? 0), cpu: String(kind.cpu ?? 1),
      time_limit: "7h", priority: "0", retries: "0",
      not_before: "22:00", start_deadline: "06:00", after: "802, 805", labels: "line=3" }[key];
    control = html`<input id=${id} type="text" class="${error ? "field-bad" : ""} narrow"
      .value=${raw ?? ""} placeholder=${holder ?? ""} autocomplete="off"
      aria-invalid=${Boolean(error)} aria-describedby="${id}-note"
        @input=${(e) => set("run", key, e.target.value)}>`;
    note = t(`runNote.${key}`);
  }
  return fieldRow({ id, label: t(`run.${key}`), key, control, note, error, unit });
}

function kindRow(kinds, kind) {
  const words = (k) => `${k.name} · ${k.summary?.[language()] ?? k.summary?.en ?? ""}`;
  const pick = (e) => {
    form = { ...fresh(), kind: e.target.value, name: form.name };
    preview = null;
    changed();
  };
  return fieldRow({ id: "f-kind", label: t("new.kind"), key: "kind", note: kind ?
    t("new.kindNote", { c: t(`class.${kind.class}`), out: (kind.artifacts ?? []).join(", ") || "–" }) : "",
    control: html`<select id="f-kind" class="wide" @change=${pick}><option value="" ?selected=${!form.kind}
      disabled>${t("new.pick")}</option>
      ${kinds.map((k) => html`<option value=${k.name} ?selected=${k.name ===
        form.kind}>${words(k)}</option>`)}</select>` });
}

function fields(kinds, kind, errors) {
  const own = { ...serverErrors(), ...errors };
  const list = fieldsOf(kind.params);
  return html`${fieldRow({ id: "f-name", label: t("new.name"), key: "name", note: "", error: own["/name"],
      control: html`<input id="f-name" type="text" class="wide" maxlength="200" .value=${form.name}
        placeholder=${kind.name} @input=${(e) => { form.name = e.target.value; changed(); }}>` })}
    <hr><h2>${t("new.params")}</h2>
    ${kind.name === "command" ? commandRows(own) : list.length ?
      list.map((field) => schemaField(field, form.params[field.key], own[`/params/${field.key}`],
      (key, value) => set("params", key, value), field.schema["x-artifact"] ?
        candidates(kinds, field.schema["x-artifact"]) : []))
      : html`<p class="muted">${t("new.noParams")}</p>`}
    <hr><h2>${t("new.run")}</h2>${RUN_FIELDS.filter((f) => !f.more || form.more).map((f) =>
    runRow(f, kind, own))}
    <p><button type="button" class="linkish" aria-expanded=${form.more}
    @click=${() => { form.more = !form.more; redraw(); }}>${t(form.more ? "new.less" : "new.more", {
      n: RUN_FIELDS.filter((f) => f.more).length })}</button> <span class="muted">${form.more ? "" :
        t("new.moreText")}</span></p>`;
}

function commandRows(errors) {
  const { words = [] } = splitWords(form.run.command ?? "");
  return html`${fieldRow({ id: "r-command", label: t("run.command"), key: "command", error:
    errors["/command"],
      note: words.length ? html`argv: ${words.map((w) => html`<code class="arg">${w}</code> `)}` :
        t("run.commandNote"),
      control: html`<textarea id="r-command" rows="3" spellcheck="false" class=${errors["/command"] ?
        "field-bad" : ""} .value=${form.run.command ?? ""}
        @input=${(e) => set("run", "command", e.target.value)}></textarea>` })}
    ${fieldRow({ id: "r-cwd", label: t("run.cwd"), key: "cwd", error: errors["/cwd"], note: t("run.cwdNote"),
      control: html`<input id="r-cwd" type="text" class="wide" .value=${form.run.cwd ?? ""}
        @input=${(e) => set("run", "cwd", e.target.value)}>` })}`;
}

function previewPanel(body, errors) {
  const text = JSON.stringify(body);
  const dim = Object.keys(errors).length > 0 || problem !== null;
  const why = preview?.answer.why;
  const job = preview?.answer.job ?? preview?.answer;
  const status = !preview ? "" : dim ? t("preview.old") : previewFor === text ? t("preview.now") :
    t("preview.busy");
  return html`<section class="panel preview" aria-labelledby="preview-title"><div class="row"><h2
    id="preview-title">${t("preview.title")}</h2><span class="grow"></span>
      <span class="small ${dim ? "warn" : "muted"}" role="status">${status}</span></div>
    <div class=${dim ? "dimmed" : ""}>${!preview ?
    html`<p class="muted">${t(mayOperate() ? "preview.none" : "preview.role")}</p>`
      : why?.gates?.length ? html`${etaLine(why.eta)}${gateList(why, job.class)}`
        : html`<p class="eta"><span class="big">${t("preview.startsNow")}</span></p>
          <p class="muted">${t("preview.budget", { gib: gib(job.vram) })}</p>`}</div></section>`;
}

function curlOf(body, host) {
  const json = JSON.stringify(body, null, 2);
  if (shell === "sh") return `curl -sS -H @auth.hdr ${host}/api/v1/jobs --json '${json.replaceAll("'",
    "'\\''")}'`;
  return `$body = @'\n${json}\n'@\n$body | curl.exe -sS -H "@auth.hdr" ${host}/api/v1/jobs --json "@-"`;
}

function footer(body, errors) {
  const wrong = Object.keys({ ...errors, ...serverErrors() });
  const off = wrong.length > 0 || busy || !mayOperate();
  const focus = (pointer) => () => document.getElementById(pointer.startsWith("/params/") ?
    `p-${pointer.slice(8)}` : pointer === "/name" ? "f-name" : `r-${pointer.slice(1)}`)?.focus();
  return html`<div class="row foot">${wrong.length ? html`<span class="bad" role="status">${icon("cross")}
    ${t("new.wrong", { n: wrong.length })}
      ${wrong.slice(0, 4).map((pointer) => html`<button type="button" class="linkish"
        @click=${focus(pointer)}>${labelOf(pointer.split("/").at(-1))}</button> `)}</span>`
    : html`<span class="muted">${t("new.later")}</span>`}<span class="grow"></span><a class="btn"
    href="#/jobs">${t("close")}</a>
    <button type="button" class="btn" ?disabled=${off}
    @click=${() => submit(body, true)}>${t("new.submitHeld")}</button>
    <button type="button" class="btn primary" ?disabled=${off}
    @click=${() => submit(body, false)}>${t("new.submit")}</button></div>`;
}

export function view(ctx) {
  redraw = ctx.redraw;
  const entry = use("/kinds");
  const kinds = entry.data?.kinds ?? (Array.isArray(entry.data) ? entry.data : null);
  if (!kinds) return entry.problem ? refusal(entry.problem) : html`<p class="muted">${t("loading")}</p>`;
  if (!mayOperate()) return html`<h1>${t("newJob")}</h1><p class="empty">${t("new.role")}</p>`;
  const kind = kinds.find((k) => k.name === form.kind);
  const { body, errors } = kind ? bodyOf(kind) : { body: {}, errors: {} };
  if (kind) schedulePreview(body, errors);
  const curl = kind ? curlOf(body, location.origin) : "";
  const general = problem && !problem.errors?.some((e) => e.pointer) ? problem : null;
  return html`<header class="pagehead"><h1>${t("newJob")}</h1><span
    class="muted">${t("new.sub")}</span></header>
    <div class="split form"><form @submit=${(e) => e.preventDefault()}>${kindRow(kinds, kind)}${kind ?
    fields(kinds, kind, errors) : nothing}</form>
    <aside>${kind ? html`${previewPanel(body, errors)}${refusal(general)}
      <div class="row curlhead"><h2>${t("new.curl")}</h2><span class="grow"></span><div
      class="seg">${["sh", "PowerShell"].map((name) => html`<button type="button"
        aria-pressed=${shell === name} @click=${() =>
          { shell = name; redraw(); }}>${name}</button>`)}</div>${copyButton(() =>
            curlOf(body, location.origin))}</div>
      <pre class="box curl">${curl}</pre>${footer(body, errors)}` :
      html`<p class="muted empty">${t("new.pickFirst")}</p>`}</aside></div>`;
}
