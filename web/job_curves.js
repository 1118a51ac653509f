// The curves of one job: every metric on one axis, preemptions as gaps, NaN as a mark.
import { html, nothing } from "/vendor/lit-html.js";
import { Chart, classToken, smooth } from "/curves.js";
import { duration, metric, num, stamp } from "/format.js";
import { t } from "/i18n.js";
import { life } from "/life.js";
import { curveColumns } from "/model.js";
import { copyButton, isCounter } from "/parts.js";
import { use } from "/store.js";

let charts = new Map(), byStep = false, isLog = false, asTable = false, curves = null;

export function leaveCurves() {
  for (const chart of charts.values()) chart.destroy();
  charts = new Map();
}

/** Colours come from the theme: draw anew. */
export function recolour() {
  for (const chart of charts.values()) chart.key = "";
}

/** All curves of a job on one x axis, with the preemptions as gaps and NaN as marks. */
function prepare(job) {
  const series = curveColumns(use(`/jobs/${job.id}/metrics`).data);
  const rank = (name) => (/loss/.test(name) ? 0 : 1);
  const names = Object.keys(series).filter((name) => !isCounter(name)).sort((a, b) => rank(a) - rank(b));
  if (!names.length) return null;
  const useTime = !byStep && series[names[0]].at.every((at) => at != null);
  const spans = life(job, use(`/jobs/${job.id}/events?limit=500`).data?.events ?? []);
  const gaps = useTime ? spans.filter((s) => s.kind === "preempted").map((s) =>
    ({ from: s.from / 1000, to: s.to / 1000,
    text: duration((s.to - s.from) / 1000) })) : [];
  const xs = new Set();
  for (const name of names) for (const x of series[name][useTime ? "at" : "step"]) xs.add(x);
  // A point inside each gap, with no value, keeps the line from crossing it.
  for (const gap of gaps) xs.add((gap.from + gap.to) / 2);
  const x = [...xs].sort((a, b) => a - b);
  const place = new Map(x.map((value, i) => [value, i]));
  const groups = new Map();
  const marks = [];
  for (const name of names) {
    const s = series[name];
    const values = new Array(x.length).fill(undefined);
    for (const gap of gaps) values[place.get((gap.from + gap.to) / 2)] = null;
    s.value.forEach((v, i) => {
      const at = s[useTime ? "at" : "step"][i];
      values[place.get(at)] = Number.isNaN(v) ? null : v;
      if (Number.isNaN(v)) marks.push({ x: at, text: `NaN, step ${num(s.step[i])}`, name });
    });
    const isCheck = /^(val|valid|validation|test)[_.]?/.test(name);
    const group = name.replace(/^(train|val|valid|validation|test)[_.]/, "");
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push({ name, values, isCheck });
  }
  return { x, useTime, gaps, marks, groups };
}

/** The first `most` groups, or all. */
export function curvesBlock(job, height, redraw, most = Infinity) {
  curves = prepare(job);
  if (!curves) return nothing;
  const seg = (value, on, text, set) => html`<button type="button" aria-pressed=${on}
    @click=${() => { set(value); redraw(); }}>${text}</button>`;
  return html`<div class="row curvehead"><h2>${t("tab.curves")}</h2><span
    class="muted small">${t("curves.legend")}</span><span class="grow"></span>
      <div class="seg">${seg(false, !byStep, t("curves.time"), (v) => { byStep = v; })}${seg(true, byStep,
      t("curves.step"), (v) => { byStep = v; })}</div>
      <div class="seg">${seg(true, isLog, t("curves.log"), (v) => { isLog = v; })}${seg(false, !isLog,
      t("curves.linear"), (v) => { isLog = v; })}</div>
      <button type="button" class="linkish" @click=${() => { asTable = !asTable; redraw(); }}>${t(asTable ?
      "curves.asChart" : "curves.asTable")}</button></div>
    ${[...curves.groups].slice(0, most).map(([group, list]) =>
      html`<h3>${group}</h3>${asTable ? curveTable(list) :
      html`<div class="chart" data-chart=${group}
      data-height=${height} role="img" aria-label=${t("curves.alt", { name: group })}></div>`}`)}`;
}

function curveTable(list) {
  const rows = curves.x.map((x, i) => [x, ...list.map((s) => s.values[i])]).filter((row) =>
    row.slice(1).some((v) => v !== undefined));
  const csv = () => [["x", ...list.map((s) => s.name)].join(","),
    ...rows.map((r) => r.map((v) => v ?? "").join(","))].join("\n");
  return html`<div class="scrolls"><table><thead><tr><th>${t(curves.useTime ? "curves.time" :
    "curves.step")}</th>${list.map((s) => html`<th class="n">${s.name}</th>`)}</tr></thead>
    <tbody>${rows.slice(-200).map((row) => html`<tr><td>${curves.useTime ? stamp(row[0] * 1000) :
    num(row[0])}</td>${row.slice(1).map((v) =>
      html`<td class="n">${v === undefined ? "" : metric(v)}</td>`)}</tr>`)}</tbody></table></div>
    <p>${copyButton(csv, "", "CSV")} <span class="muted small">${rows.length > 200 ?
    t("curves.last", { n: 200, of: num(rows.length) }) : ""}</span></p>`;
}

/** After each drawing of the page: charts for the places that are there, none for those that went. */
export function drawCurves(job) {
  const hosts = document.querySelectorAll("[data-chart]");
  const seen = new Set();
  for (const host of hosts) {
    const group = host.dataset.chart;
    seen.add(host);
    if (!charts.has(host)) charts.set(host, new Chart(host));
    const list = curves?.groups.get(group);
    if (list) charts.get(host).show(specOf(job, list, Number(host.dataset.height), group));
  }
  for (const [host, chart] of charts) {
    if (!seen.has(host)) {
      chart.destroy();
      charts.delete(host);
    }
  }
}

function specOf(job, list, height, group) {
  const color = classToken[job.class];
  const series = [];
  for (const { name, values, isCheck } of list) {
    const end = (v) => `${name} ${metric(v)}`;
    const many = values.filter((v) => v != null).length > 20;
    if (isCheck) series.push({ label: name, values, color: "ink", width: 1.5, dash: [5, 3], end });
    else if (many) {
      series.push({ label: `${name} raw`, values, color, width: 1, alpha: 0.4 });
      series.push({ label: name, values: smoothKnown(values), color, width: 2, end });
    } else series.push({ label: name, values, color, width: 2, end });
  }
  const positive = list.every((s) => s.values.every((v) => v == null || v > 0));
  const side = 30 + 7 * Math.max(...list.map((s) => s.name.length + 7));
  return { x: curves.x, time: curves.useTime, log: isLog && positive, series, gaps: curves.gaps, gapColor:
    color,
    marks: curves.marks.filter((m) => list.some((s) => s.name === m.name)), height, side: 30 +
      7 * Math.max(...list.map((s) => s.name.length + 7)), group };
}

/** Smooths over the points that exist; undefined stays undefined (no sample), null stays a gap. */
function smoothKnown(values) {
  const known = values.map((v, i) => [v, i]).filter(([v]) => v !== undefined);
  const flat = smooth(known.map(([v]) => v));
  const out = new Array(values.length).fill(undefined);
  known.forEach(([, i], k) => { out[i] = flat[k]; });
  return out;
}

