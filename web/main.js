// The shell: sign-in, pages by the address's fragment, the live stream, keys, theme and language.
import { html, nothing, render } from "/vendor/lit-html.js";
import { askOtherTabs, signedIn, signInByCode } from "/api.js";
import { corner, duration } from "/format.js";
import { language, setLanguage, t } from "/i18n.js";
import { icon, moon } from "/icons.js";
import { Live } from "/live.js";
import { afterDraw, beforeDraw, clear, onChange, patchJob, peek, refresh } from "/store.js";
import { bindKeys } from "/keys.js";
import * as now from "/page_now.js";
import * as jobs from "/page_jobs.js";
import * as job from "/page_job.js";
import * as newJob from "/page_new.js";
import * as schedules from "/page_schedules.js";
import * as gpu from "/page_gpu.js";
import * as settings from "/page_settings.js";
import * as help from "/page_help.js";
import * as signIn from "/page_signin.js";

const routes = [
  [/^\/?$/, now, "now"], [/^\/jobs$/, jobs, "jobs"], [/^\/jobs\/(\d+)$/, job, "jobs"],
    [/^\/new$/, newJob, "jobs"],
  [/^\/schedules(?:\/(.+))?$/, schedules, "schedules"], [/^\/gpu$/, gpu, "gpu"], [/^\/settings$/, settings,
    "settings"],
  [/^\/help(?:\/.*)?$/, help, "help"],
];
const links = [["now", "#/"], ["jobs", "#/jobs"], ["schedules", "#/schedules"], ["gpu", "#/gpu"],
  ["settings", "#/settings"]];

let current = null, context = null, drawing = false, said = "";

function parse() {
  const [path, query = ""] = location.hash.replace(/^#/, "").split("?");
  for (const [pattern, page, section] of routes) {
    const match = pattern.exec(path);
    if (match) return { page, section, args: match.slice(1), query: new URLSearchParams(query), path };
  }
  return { page: now, section: "now", args: [], query: new URLSearchParams(), path: "/" };
}

const live = new Live({
  event({ topic, data }) {
    if (topic === "job" && data.kind === "progress") patchJob(data.job, { progress: data.data });
    else refresh(topic, data.job);
    announce(topic, data);
  },
  resync: () => refresh(),
  refused: () => draw(),
  change: () => draw(),
});

/** One polite region says state changes of jobs, never ticks. */
function announce(topic, data) {
  const state = data.data?.state ?? data.kind;
  if (topic !== "job" || !["succeeded", "failed", "cancelled", "expired"].includes(state)) return;
  const name = data.data?.name ?? "";
  said = `${data.job} ${name} ${t(`state.${state}`)}`;
}

export function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    paint();
  });
}

function paint() {
  const app = document.getElementById("app");
  if (!signedIn()) {
    live.stop();
    render(html`${header(null)}<main id="main"
      tabindex="-1">${signIn.view({ redraw: draw, entered })}</main>`, app);
    return;
  }
  live.start();
  const route = parse();
  if (!context || context.path !== route.path) {
    current?.leave?.();
    current = route.page;
    context = { ...route, redraw: draw };
    current.enter?.(context);
    scrollTo(0, 0);
  } else context.query = route.query;
  beforeDraw();
  const stale = live.state === "waiting" || (live.state === "connecting" && live.failures > 0);
  render(html`<a class="skip" href="#main" @click=${skip}>${t("skip")}</a>${header(route.section)}
    <main id="main" tabindex="-1">${stale ? staleLine() : nothing}
      <div class=${stale ? "stalepage" : ""}>${current.view(context)}</div></main>
    <div class="sr" role="status" aria-live="polite">${said}</div>`, app);
  current.drawn?.(context);
  document.title = title(route);
  afterDraw();
}

function title(route) {
  const counts = peek("/status")?.counts;
  const name = route.section === "jobs" && route.args[0] ?
    `${route.args[0]} ${peek(`/jobs/${route.args[0]}`)?.name ?? ""}`
    : t(`nav.${route.section}`);
  return `${counts?.running ? `(${counts.running}) ` : ""}${name} · nightshift`;
}

function skip(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

function staleLine() {
  const age = live.lastHeardAt ? duration((Date.now() - live.lastHeardAt) / 1000) : "";
  const wait = live.retryAt ? Math.max(0, Math.ceil((live.retryAt - Date.now()) / 1000)) : 0;
  return html`<div class="line warn" role="alert"><span class="lead">${icon("warn")}${t("stale.title")}</span>
    <span>${age ? t("stale.age", { age }) : ""} ${t("stale.hint")} <code>nightshift up</code>.
    ${t("stale.retry", { s: wait })}</span>
    <span class="grow"></span><button type="button" class="btn"
    @click=${() => live.retryNow()}>${t("stale.now")}</button></div>`;
}

function header(section) {
  const on = live.state === "on";
  const other = language() === "ko" ? "en" : "ko";
  return html`<header class="top"><a class="brand" href="#/">${moon}nightshift</a>
    ${section === null ? nothing : html`<nav aria-label=${t("nav.label")}>${links.map(([name, href]) =>
      html`<a href=${href}
      aria-current=${name === section ? "page" : nothing}>${t(`nav.${name}`)}</a>`)}</nav>`}
    <div class="side">${section === null ? nothing : html`<time class="when">${corner()}</time>
      <span class="livedot ${on ? "" : "off"}">${t(on ? "live.on" : live.paused ? "live.paused" :
      "live.off")}</span>`}
      <button type="button" class="btn plain" lang=${other} @click=${toggleLanguage}>${other === "en" ?
      "EN" : "한국어"}</button>
      <button type="button" class="btn plain" aria-label=${t("theme")} title=${t("theme")}
      @click=${toggleTheme}>${icon("theme")}</button>
      ${section === null ? nothing : html`<a class="btn plain help" href="#/help"
        aria-label=${t("nav.help")} title=${t("nav.help")}>${icon("help")}</a>`}
    </div></header>`;
}

function toggleLanguage() {
  setLanguage(language() === "ko" ? "en" : "ko");
  draw();
}

function toggleTheme() {
  const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  try { localStorage.setItem("theme", theme); } catch { /* until the page closes */ }
  current?.themed?.();
  draw();
}

function entered() {
  clear();
  live.start();
  draw();
}

/** `nightshift open` puts a one-time code into the fragment: used once, then gone from the address bar. */
async function takeCode() {
  const match = /^#code=([\w.~-]+)/.exec(location.hash);
  if (!match) return;
  history.replaceState(null, "", location.pathname);
  try {
    await signInByCode(match[1]);
  } catch (problem) {
    signIn.show(problem);
  }
}

onChange(draw);
addEventListener("hashchange", async () => {
  await takeCode();
  draw();
});
bindKeys({ page: () => (signedIn() ? current : null), theme: toggleTheme, language: toggleLanguage,
  live: () => { live.toggle(); draw(); } });
await takeCode();
await askOtherTabs();
draw();
// Ages and the clock move on; the data does not need asking for that.
setInterval(() => { if (!document.hidden) draw(); }, 1000);
