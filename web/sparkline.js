// A small line without axes: the shape of the last hour beside a number that says the value.
import { nothing, svg, html } from "/vendor/lit-html.js";
import { historyColumns } from "/model.js";

const WIDTH = 56, HEIGHT = 14, POINTS = 40;

export function sparkline(history, key) {
  const values = historyColumns(history)[key].filter((v) => v != null);
  if (values.length < 3) return nothing;
  const every = Math.max(1, Math.ceil(values.length / POINTS));
  const shown = [];
  for (let i = 0; i < values.length; i += every) {
    const part = values.slice(i, i + every);
    shown.push(part.reduce((sum, v) => sum + v, 0) / part.length);
  }
  const low = Math.min(...shown), span = Math.max(...shown) - low || 1;
  const points = shown.map((v, i) => `${((i / (shown.length - 1)) * WIDTH).toFixed(1)},${
    (HEIGHT - 1 - ((v - low) / span) * (HEIGHT - 2)).toFixed(1)}`).join(" ");
  return html`<svg class="spark" viewBox="0 0 ${WIDTH} ${HEIGHT}" width=${WIDTH} height=${HEIGHT}
    aria-hidden="true">
    ${svg`<polyline points=${points}></polyline>`}</svg>`;
}
