// uPlot drawings: loaded when first needed, redrawn in the theme's colours, gaps never bridged.

let library = null;

async function load() {
  if (!library) {
    const sheet = document.createElement("link");
    sheet.rel = "stylesheet";
    sheet.href = "/vendor/uplot.css";
    document.head.append(sheet);
    library = (await import("/vendor/uplot.js")).default;
  }
  return library;
}

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
export const classToken = { inference: "inf", training: "tra", evaluation: "eva", synthesis: "syn" };

/** Exponential smoothing that starts anew after a gap. */
export function smooth(values, weight = 0.6) {
  let last = null;
  return values.map((v) => {
    if (v == null || Number.isNaN(v)) {
      last = null;
      return null;
    }
    last = last == null ? v : last * weight + v * (1 - weight);
    return last;
  });
}

/**
 * A drawing in `host`. spec: {x: [..], time: bool, log: bool, height, sync, min, max,
 * series: [{label, values, color, width, dash, fill, end}], gaps: [{from, to, text}],
 * marks: [{x, text, tone}], lines: [{y, text, tone}]}.
 */
export class Chart {
  constructor(host) {
    this.host = host;
    this.key = "";
    this.resize = new ResizeObserver(() => {
      if (this.plot && host.clientWidth) this.plot.setSize({ width: host.clientWidth, height:
        this.spec.height });
    });
    this.resize.observe(host);
  }

  destroy() {
    this.resize.disconnect();
    this.plot?.destroy();
    this.plot = null;
  }

  async show(spec) {
    const uPlot = await load();
    if (!this.host.isConnected) return;
    this.spec = spec;
    const shape = JSON.stringify([spec.time, spec.log, spec.series.map((s) => [s.label, s.color]),
      spec.height, spec.max,
      document.documentElement.dataset.theme, document.documentElement.lang]);
    const data = [spec.x, ...spec.series.map((s) => s.values)];
    if (this.plot && shape === this.key) {
      this.plot.setData(data);
      return;
    }
    this.plot?.destroy();
    this.key = shape;
    this.plot = new uPlot(this.options(uPlot, spec), data, this.host);
  }

  options(uPlot, spec) {
    const axis = { stroke: token("ink2"), grid: { stroke: token("line"), width: 1 }, ticks: { show: false },
      font: "11px system-ui, sans-serif", gap: 6 };
    const small = (n) => (Math.abs(n) >= 0.01 || n === 0 ? String(+n.toPrecision(3)) : n.toExponential(0));
    return {
      width: this.host.clientWidth || 600, height: spec.height, padding: [14, spec.side ?? 86, 0, 0],
      legend: { show: false }, cursor: { y: false, points: { size: 6 }, sync: spec.sync ?
        { key: spec.sync } : undefined,
        drag: { x: false, y: false } },
      scales: { x: { time: Boolean(spec.time) }, y: { distr: spec.log ? 3 : 1,
        range: spec.log || spec.max == null ? undefined : [spec.min ?? 0, spec.max] } },
      axes: [{ ...axis, size: 26, values: spec.time ? (_, at) => times(at) : undefined },
        { ...axis, size: 46, values: (_, at) => at.map((v) => (v == null ? "" : small(v))) }],
      series: [{}, ...spec.series.map((s) => ({
        label: s.label, stroke: token(s.color), width: s.width ?? 1.5, dash: s.dash, alpha: s.alpha ?? 1,
          spanGaps: false,
        fill: s.fill ? `${token(s.color)}55` : undefined, points: { show: s.values.length < 3 },
        paths: s.stepped ? uPlot.paths.stepped({ align: 1 }) : undefined,
      }))],
      hooks: {
        drawClear: [(u) => this.backdrop(u)],
        draw: [(u) => this.overlay(u)],
        setCursor: [(u) => spec.onCursor?.(u.cursor.idx)],
      },
    };
  }

  backdrop(u) {
    const { ctx, bbox } = u;
    ctx.save();
    for (const gap of this.spec.gaps ?? []) {
      const from = u.valToPos(gap.from, "x", true), to = u.valToPos(gap.to, "x", true);
      const left = Math.max(bbox.left, from), right = Math.min(bbox.left + bbox.width, to);
      if (right <= left) continue;
      ctx.beginPath();
      ctx.rect(left, bbox.top, Math.max(2, right - left), bbox.height);
      ctx.save();
      ctx.clip();
      ctx.strokeStyle = token(this.spec.gapColor ?? "ctl");
      ctx.globalAlpha = 0.45;
      ctx.lineWidth = devicePixelRatio;
      ctx.beginPath();
      for (let x = left - bbox.height; x < right; x += 6 * devicePixelRatio) {
        ctx.moveTo(x, bbox.top + bbox.height);
        ctx.lineTo(x + bbox.height, bbox.top);
      }
      ctx.stroke();
      ctx.restore();
    }
    ctx.restore();
  }

  overlay(u) {
    const { ctx, bbox } = u;
    const px = devicePixelRatio;
    const right = bbox.left + bbox.width;
    ctx.save();
    ctx.font = `${11 * px}px system-ui, sans-serif`;
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    for (const gap of this.spec.gaps ?? []) {
      const x = Math.max(bbox.left, u.valToPos(gap.from, "x", true));
      if (x > right) continue;
      ctx.fillStyle = token("ink2");
      ctx.fillText(`✂ ${gap.text}`, x, bbox.top - 6 * px);
    }
    for (const mark of this.spec.marks ?? []) {
      const x = u.valToPos(mark.x, "x", true);
      ctx.strokeStyle = ctx.fillStyle = token(mark.tone ?? "bad");
      ctx.setLineDash([2 * px, 3 * px]);
      stroke(ctx, x, bbox.top, x, bbox.top + bbox.height);
      ctx.fillText(mark.text, x + 4 * px, bbox.top + 8 * px);
    }
    for (const line of this.spec.lines ?? []) {
      const y = u.valToPos(line.y, "y", true);
      ctx.strokeStyle = ctx.fillStyle = token(line.tone ?? "bad");
      ctx.setLineDash([5 * px, 3 * px]);
      stroke(ctx, bbox.left, y, right, y);
      ctx.fillText(line.text, right + 6 * px, y);
    }
    ctx.setLineDash([]);
    this.ends(u, ctx, right, px);
    ctx.restore();
  }

  /** End values beside their line; two that would overlap are moved apart. */
  ends(u, ctx, right, px) {
    const labels = this.spec.series.filter((s) => s.end).map((s) => {
      const last = s.values.findLast((v) => v != null && !Number.isNaN(v));
      return last == null ? null : { y: u.valToPos(last, "y", true), text: s.end(last), color: s.color };
    }).filter(Boolean).sort((a, b) => a.y - b.y);
    ctx.font = `bold ${11 * px}px system-ui, sans-serif`;
    labels.forEach((label, i) => {
      if (i && label.y - labels[i - 1].y < 13 * px) label.y = labels[i - 1].y + 13 * px;
      ctx.fillStyle = token(label.color);
      ctx.fillText(label.text, right + 6 * px, label.y);
    });
  }
}

function stroke(ctx, x0, y0, x1, y1) {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}

/** Times of the axis, with seconds where ticks are closer than a minute. */
function times(at) {
  const second = at.length > 1 && at[1] - at[0] < 60 ? "2-digit" : undefined;
  return at.map((s) => new Date(s * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit",
    second }));
}
