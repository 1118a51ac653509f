// What a job left behind and what happened to it.
import { html, nothing } from "/vendor/lit-html.js";
import { authorization, post } from "/api.js";
import { ago, full, NONE, size, stamp } from "/format.js";
import { has, t } from "/i18n.js";
import { icon } from "/icons.js";
import { isOver, refusal } from "/parts.js";
import { use } from "/store.js";

let redraw = () => {}, problem = null;

export function enterFiles(ctx) {
  redraw = ctx.redraw;
  problem = null;
}
export const fileProblem = () => problem;

const pathOf = (name) => name.split("/").map(encodeURIComponent).join("/");

async function openReport(job, name) {
  // The tab opens with the click, so that no pop-up rule stops it; the ticket is its address.
  const tab = window.open("about:blank", "_blank");
  try {
    const ticket = await post(`/jobs/${job.id}/artifacts/${pathOf(name)}/ticket`);
    if (tab) {
      tab.opener = null;
      tab.location.replace(new URL(ticket.url, location.origin));
    } else location.assign(ticket.url);
    problem = null;
  } catch (error) {
    tab?.close();
    problem = error;
  }
  redraw();
}

async function download(job, name) {
  const response = await fetch(`/api/v1/jobs/${job.id}/artifacts/${pathOf(name)}`,
    { headers: authorization() });
  if (!response.ok) {
    problem = { title: t("artifacts.failed"), detail: `${name}: HTTP ${response.status}`, errors: [] };
    return redraw();
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = name.split("/").at(-1);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  return undefined;
}

/** A data set or a model is a folder: other jobs take it by job:ID, it is not one file to fetch. */
const isFolder = (a) => a.name.endsWith("/") || (/^(dataset|model)$/.test(a.type) && !/\.\w+$/.test(a.name));

export function artifactTable(job, list) {
  return html`<table class="artifacts"><tbody>${list.map((a) =>
    html`<tr><td>${icon(isFolder(a) ? "folder" : "file")} ${a.name}</td>
    <td class="muted small">${a.type ?? ""}</td><td class="n">${size(a.bytes)}</td>
    <td class="n nowrap">${/\.html?$/.test(a.name) ? html`<button type="button" class="btn tiny"
    @click=${() => openReport(job, a.name)}>${t("artifacts.open")}</button>` : nothing}
    ${isFolder(a) ? nothing : html`<button type="button" class="btn tiny"
      aria-label=${t("artifacts.get", { name: a.name })}
        @click=${() => download(job, a.name)}>${icon("down")}</button>`}</td></tr>`)}</tbody></table>`;
}

export function artifactsTab(job, list) {
  if (!list.length) return html`<p class="empty muted">${t(isOver(job) ? "artifacts.none" :
    "artifacts.later")}</p>`;
  return html`<p class="muted small">${t("artifacts.sum", { n: list.length, size:
    size(list.reduce((sum, a) => sum + (a.bytes ?? 0), 0)) })}</p>${artifactTable(job, list)}`;
}

export function eventsTab(job) {
  const entry = use(`/jobs/${job.id}/events?limit=500`);
  const events = entry.data?.events ?? [];
  if (!entry.data) return entry.problem ? refusal(entry.problem) : html`<p class="muted">${t("loading")}</p>`;
  return html`<table><thead><tr><th>${t("events.when")}</th><th>${t("events.what")}</th><th
    class="n">${t("events.attempt")}</th><th>${t("events.who")}</th><th>${t("events.data")}</th></tr></thead>
    <tbody>${[...events].reverse().map((e) => html`<tr><td class="nowrap"
    title=${full(e.at)}>${stamp(e.at)} <span class="muted small">${ago(e.at)}</span></td>
      <td><b>${has(`event.${e.kind}`) ? t(`event.${e.kind}`) : e.kind}</b> <span
      class="code">${e.kind}</span></td><td class="n">${e.attempt || NONE}</td>
      <td class="muted">${e.actor || "nightshiftd"}</td><td class="code wrap">${e.data &&
      Object.keys(e.data).length ? JSON.stringify(e.data) : ""}</td></tr>`)}</tbody></table>`;
}

