// GPU: the card now, who holds its memory, and the last hours as curves on one cursor.
import { html, nothing } from "/vendor/lit-html.js";
import { Chart } from "/curves.js";
import { gib, NONE, now, num, stamp, tenths } from "/format.js";
import { t } from "/i18n.js";
import { glyph } from "/icons.js";
import { copyButton, jobLink, refusal } from "/parts.js";
import { devicesOf, historyColumns } from "/model.js";
import { use } from "/store.js";
import { vramBar } from "/vrambar.js";

const SPANS = { hour: 3600, day: 86_400, week: 7 * 86_400 };
let span = "hour", asTable = false, chosen = 0, cursor = null, charts = new Map(), redraw = () => {};

export function leave() {
  for (const chart of charts.values()) chart.destroy();
  charts = new Map();
  cursor = null;
}

export function themed() {
  for (const chart of charts.values()) chart.key = "";
}

const historyPath = (device) =>
  `/gpu/history?device=${encodeURIComponent(device.uuid)}&since=${SPANS[span]}s`;
const PLOTS = [
  { key: "used", title: "VRAM", unit: "GiB", color: "ink2", scale: 1 / 1024 ** 3, fill: true, height: 220 },
  { key: "utilization", title: "device.load", unit: "%", color: "ink", scale: 100, max: 100, height: 110 },
  { key: "temperature_c", title: "device.temp", unit: "°C", color: "ink", scale: 1, max: 100, height: 110 },
  { key: "power_w", title: "device.power", unit: "W", color: "ink", scale: 1, height: 110 },
];

const present = (columns) => PLOTS.filter((plot) => columns[plot.key].some((v) => v != null));

/** Samples are kept when values change: the newest value holds until now. */
function upToNow(columns, device) {
  if (!columns.at.length) return columns;
  columns.at.push(Math.max(now() / 1000, columns.at.at(-1)));
  for (const { key } of PLOTS) columns[key].push(device[key] ?? null);
  return columns;
}

function ledger(device) {
  const status = use("/status").data;
  const name = (id) => status?.running?.find((j) => j.id === id)?.name ?? "";
  const jobs = use("/jobs?state=starting,running,yielding,parked,stopping&limit=50").data?.jobs ?? [];
  return html`<h2>${t("gpu.now")}</h2><table><thead><tr><th>${t("col.job")}</th><th
    class="n">${t("gpu.used")}</th><th class="n">${t("gpu.peak")}</th>
      <th class="n">${t("gpu.budget")}</th><th>${t("gpu.grade")}</th></tr></thead><tbody>
    ${device.leases.map((l) => {
      const job = jobs.find((j) => j.id === l.job) ?? { id: l.job, name: l.name ?? name(l.job), class:
        l.class };
      return html`<tr><td>${glyph(l.class ?? job.class)} ${jobLink(job)}</td><td
        class="n">${gib(l.used)}</td><td class="n">${gib(l.peak)}</td>
        <td class="n">${gib(l.budget)} GiB</td><td class="muted small">${l.is_reclaiming ?
        t("bar.reclaiming") : l.grade ?? NONE}</td></tr>`;
    })}
    ${device.foreign_programs.map((p) => html`<tr><td class="muted">${p.name}${p.pid ? `, pid ${p.pid}` :
      ""}</td><td class="n">${gib(p.bytes)}</td>
      <td class="n">${NONE}</td><td class="n muted">${t("bar.foreign")}</td><td></td></tr>`)}
    ${!device.leases.length && !device.foreign_programs.length ? html`<tr><td colspan="5"
      class="muted">${t("gpu.nobody")}</td></tr>` : nothing}
    </tbody></table>`;
}

function facts(device) {
  const rows = [[t("gpu.memory"), `${gib(device.total)} GiB`], [t("gpu.driver"), device.driver],
    ["UUID", device.uuid],
    [t("device.throttle"), device.is_host ? null : device.throttle || t("none")],
    [t("gpu.health"), device.is_healthy ? t("gpu.healthy") : device.fault], [t("gpu.kind"), device.is_host
      ? t("device.host")
      : device.is_simulated ? t("device.simulated") : "NVML"]].filter(([, value]) => value);
  return html`<h2>${t("gpu.device")}</h2><dl class="facts">${rows.map(([label, value]) =>
    html`<dt>${label}</dt><dd>${value}</dd>`)}</dl>`;
}

function atCursor(columns) {
  if (cursor == null || columns.at[cursor] == null) return nothing;
  return html`<section class="cursorbox"><b>${stamp(columns.at[cursor] * 1000)}</b> <span
    class="muted">${t("gpu.cursor")}</span>
    <dl class="facts">${present(columns).map((plot) =>
    html`<dt>${title(plot)}</dt><dd>${columns[plot.key][cursor] == null ? NONE
      : `${num(columns[plot.key][cursor] * plot.scale, 1)} ${plot.unit}`}</dd>`)}</dl></section>`;
}

const title = (plot) => (plot.key === "used" ? "VRAM" : t(plot.title));

function historyTable(columns) {
  const plots = present(columns);
  const rows = columns.at.map((at, i) =>
    [at, ...plots.map((p) => (columns[p.key][i] == null ? null : columns[p.key][i] * p.scale))]);
  const csv = () => [["at", ...plots.map((p) => p.key)].join(","), ...rows.map(([at, ...v]) =>
    [new Date(at * 1000).toISOString(), ...v.map((x) => x ?? "")].join(","))].join("\n");
  return html`<div class="scrolls"><table><thead><tr><th>${t("curves.time")}</th>${plots.map((p) =>
    html`<th class="n">${title(p)} ${p.unit}</th>`)}</tr></thead>
    <tbody>${rows.slice(-200).reverse().map(([at, ...v]) =>
    html`<tr><td>${stamp(at * 1000)}</td>${v.map((x) =>
      html`<td class="n">${x == null ? NONE : num(x, 1)}</td>`)}</tr>`)}</tbody></table></div>
    <p>${copyButton(csv, "", "CSV")}</p>`;
}

export function view(ctx) {
  redraw = ctx.redraw;
  const entry = use("/gpu");
  if (!entry.data) return entry.problem ? refusal(entry.problem) : html`<p class="muted">${t("loading")}</p>`;
  const devices = devicesOf(entry.data);
  if (!devices.length) return html`<h1>GPU</h1><p class="empty">${t("gpu.none")}</p>`;
  const device = devices[Math.min(chosen, devices.length - 1)];
  const history = use(historyPath(device));
  const columns = upToNow(historyColumns(history.data), device);
  const name = device.is_host ? t("device.host") : `GPU ${device.index}`;
  return html`<header class="pagehead"><h1>GPU</h1>
      ${devices.length > 1 ? html`<div class="seg">${devices.map((d, i) => html`<button type="button"
        aria-pressed=${i === chosen} @click=${() => { chosen = i; redraw(); }}>${d.is_host
        ? t("device.host") : `GPU ${d.index}`}</button>`)}</div>` : nothing}
      <span class="muted">${name} · ${device.name} · ${gib(device.total)} GiB${device.is_simulated ?
      ` · ${t("device.simulated")}` : ""}</span>
      <div class="seg">${Object.keys(SPANS).map((key) => html`<button type="button" aria-pressed=${span ===
      key} @click=${() => { span = key; redraw(); }}>${t(`gpu.${key}`)}</button>`)}</div>
      <span class="grow"></span><button type="button" class="btn"
      @click=${() => { asTable = !asTable; redraw(); }}>${t(asTable ? "curves.asChart" :
        "curves.asTable")}</button></header>
    ${vramBar(device)}
    <div class="split"><div>${history.problem && !history.data ? refusal(history.problem) :
    columns.at.length < 2 ? html`<p class="muted empty">${t("gpu.noHistory")}</p>`
      : asTable ? historyTable(columns) : present(columns).map((plot) => html`<h3>${title(plot)} <span
      class="muted small">${plot.unit}</span></h3>
        <div class="chart" data-plot=${plot.key} role="img" aria-label="${title(plot)}"></div>`)}</div>
    <aside>${atCursor(columns)}${ledger(device)}${facts(device)}</aside></div>`;
}

export function drawn() {
  const hosts = [...document.querySelectorAll("[data-plot]")];
  const device = devicesOf(use("/gpu").data)[chosen];
  for (const [host, chart] of charts) {
    if (!hosts.includes(host)) {
      chart.destroy();
      charts.delete(host);
    }
  }
  if (!device) return;
  const columns = upToNow(historyColumns(use(historyPath(device)).data), device);
  for (const host of hosts) {
    const plot = PLOTS.find((p) => p.key === host.dataset.plot);
    if (!charts.has(host)) charts.set(host, new Chart(host));
    const values = columns[plot.key].map((v) => (v == null ? null : v * plot.scale));
    const lines = plot.key === "used" ? [{ y: tenths(device.total), text:
      t("gpu.card", { gib: gib(device.total) }) }]
      : plot.key === "power_w" && device.power_limit_w ?
      [{ y: device.power_limit_w, text: t("gpu.limit", { w: Math.round(device.power_limit_w) }) }] : [];
    const max = plot.key === "used" ? tenths(device.total) * 1.05 : plot.key === "power_w" &&
      device.power_limit_w ? device.power_limit_w * 1.1 : plot.max;
    charts.get(host).show({ x: columns.at, time: true, height: plot.height, sync: "gpu", side: 96, max,
      min: 0, lines,
      series: [{ label: title(plot), values, color: plot.color, width: 1.5, stepped: true, fill: plot.fill,
        end: (v) =>
        `${num(v, 1)} ${plot.unit}` }],
      onCursor: (i) => { if ((i ?? null) !== cursor) { cursor = i ?? null; redraw(); } } });
  }
}
