// The memory of one card as a bar: inference, its unused share, other jobs, free, other programs, safety.
// Labels carry exact tenths; free takes the rounding, so that the labels always sum to the card.
import { html, nothing } from "/vendor/lit-html.js";
import { clock, tenths } from "/format.js";
import { t } from "/i18n.js";
import { glyph } from "/icons.js";

const tenth = (value) => Math.round(value * 10) / 10;

/** Segments in order, widths in bytes, labels in GiB tenths. Pure: the tests add the labels up. */
export function segments(device) {
  const rank = { inference: 0, training: 1, evaluation: 1, synthesis: 2 };
  const leases = [...(device.leases ?? [])].sort((a, b) => (rank[a.class] ?? 3) - (rank[b.class] ?? 3) ||
    a.job - b.job);
  const held = (lease) => Math.max(lease.budget ?? 0, lease.used ?? 0);
  const inference = leases.filter((lease) => lease.class === "inference");
  const others = leases.filter((lease) => lease.class !== "inference");
  const inferenceHeld = inference.reduce((sum, lease) => sum + held(lease), 0);
  const unused = Math.max(0, (device.headroom ?? 0) - inferenceHeld);
  const list = [];
  for (const lease of inference) list.push(jobSegment(lease, held(lease)));
  if (unused > 0) list.push({ key: "share", bytes: unused, gib: tenths(unused) });
  for (const lease of others) list.push(jobSegment(lease, held(lease)));
  const tail = [
    { key: "foreign", bytes: device.foreign ?? 0, gib: tenths(device.foreign ?? 0) },
    { key: "safety", bytes: device.safety ?? 0, gib: tenths(device.safety ?? 0) },
  ].filter((s) => s.bytes > 0);
  const total = tenths(device.total);
  const taken = [...list, ...tail].reduce((sum, s) => sum + s.gib, 0);
  const bytesTaken = [...list, ...tail].reduce((sum, s) => sum + s.bytes, 0);
  const free = { key: "free", bytes: Math.max(0, device.total - bytesTaken), gib:
    Math.max(0, tenth(total - taken)) };
  return { list: [...list, free, ...tail], total, over: tenth(Math.max(0, taken - total)) };
}

function jobSegment(lease, bytes) {
  return { key: "job", lease, bytes, gib: tenths(bytes), used: Math.min(lease.used ?? 0, bytes) };
}

function paint(segment, total) {
  const width = `width:${((segment.bytes / total) * 100).toFixed(3)}%`;
  if (segment.key !== "job") return html`<div class="s-${segment.key}" .style=${width}></div>`;
  const { lease } = segment;
  const solid = `width:${segment.bytes ? ((segment.used / segment.bytes) * 100).toFixed(2) : 0}%`;
  const wide = segment.bytes / total;
  return html`<a class="s-job t-${lease.class}" .style=${width} href="#/jobs/${lease.job}"
      aria-label="${lease.job} ${lease.name ?? ""}, ${segment.gib.toFixed(1)} GiB">
    <i .style=${solid}></i>${wide > 0.05 ? html`<span>${glyph(lease.class)}<b>${lease.job}</b>${wide > 0.18
      ? html` ${lease.name ?? ""}` : nothing}</span>` : nothing}</a>`;
}

/** Words for the label of a segment: [strong, plain, second line]. */
function words(segment, device) {
  const n = `${segment.gib.toFixed(1)} GiB`;
  if (segment.key === "job") {
    const { lease } = segment;
    const used = tenths(lease.used ?? 0), spare = tenth(segment.gib - used);
    const second = lease.is_reclaiming ? t("bar.reclaiming") : lease.used == null ? t("bar.usedUnknown")
      : lease.class === "inference" || spare <= 0 ? t("bar.used", { gib: used.toFixed(1) })
        : t("bar.usedOf", { gib: used.toFixed(1), spare: spare.toFixed(1) });
    const label = lease.class === "inference" ? t("class.inference") :
      t("bar.budget", { class: t(`class.${lease.class}`) });
    return [n, label, second, `${lease.job}`];
  }
  if (segment.key === "share") {
    const next = device.headroom_until
      ? t("bar.shareUntil", { gib: tenths(device.headroom).toFixed(1), at: clock(device.headroom_until),
        next: tenths(device.headroom_next ?? 0).toFixed(1) })
      : t("bar.shareOf", { gib: tenths(device.headroom).toFixed(1) });
    return [n, t("bar.share"), next];
  }
  if (segment.key === "free") return [n, t("bar.free"), t("bar.freeFor")];
  if (segment.key === "foreign") {
    const programs = (device.foreign_programs ?? []).slice(0, 3)
      .map((p) => `${p.name} ${tenths(p.bytes).toFixed(1)}`).join(", ");
    return [n, t("bar.foreign"), programs];
  }
  return [n, t("bar.safety"), ""];
}

export function vramBar(device) {
  if (!device.total) return nothing;   // its driver has not told its size yet; the page shows the fault
  const { list, total, over } = segments(device);
  const head = list.filter((s) => s.key !== "foreign" && s.key !== "safety" && s.bytes > 0);
  const tail = list.filter((s) => s.key === "foreign" || s.key === "safety");
  const share = (s) => s.bytes / device.total;
  const free = list.find((s) => s.key === "free");
  const tailShare = tail.reduce((sum, s) => sum + share(s), 0);
  // What the labels need, as shares of the bar: the last one is right-aligned and reaches into the free part.
  const lastNeeds = tail.length > 1 ? 0.19 : 0.1;
  const roomy = head.every((s) => s.key === "free" || share(s) >= 0.082)
    && tailShare + share(free) > lastNeeds + (share(free) > 0 ? 0.115 : 0);
  const sum = t("bar.sum", { gib: total.toFixed(1) });
  return html`<div class="vram" role="group" aria-label="VRAM">
    <div class="vbar">${list.map((s) => paint(s, device.total))}</div>
    ${over > 0 ? html`<p class="warn small">${t("bar.over", { gib: over.toFixed(1) })}</p>` : nothing}
    ${roomy ? inline(head, tail, device, sum) : nothing}
    <ul class="vlist ${roomy ? "narrow" : ""}">${list.map((s) => {
      const [n, label, second, job] = words(s, device);
      return html`<li><span class="sw sw-${s.key} ${s.lease ? `t-${s.lease.class}` : ""}"></span>
        <span>${job ? `${job} · ` : ""}${label} <span class="muted small">${second}</span></span><b
        data-gib=${s.gib.toFixed(1)}>${n}</b></li>`;
    })}<li class="total"><span></span><span class="muted">${t("bar.total")}</span><b>${total.toFixed(1)}
      GiB</b></li></ul>
  </div>`;
}

function inline(head, tail, device, sum) {
  let left = 0;
  const marks = head.map((s) => {
    const at = left;
    left += s.bytes / device.total;
    const [n, label, second] = words(s, device);
    const width = ((s.bytes / device.total) * 100).toFixed(2);
    return html`<div class="vlabel" .style=${`left:${(at * 100).toFixed(3)}%;max-width:${width}%`}>
      <b>${n}</b> ${label}<div class="muted">${second}</div></div>`;
  });
  const strong = tail.map((s, i) => html`${i ? " · " : ""}<b>${s.gib.toFixed(1)} GiB</b>
    ${words(s, device)[1]}`);
  const programs = tail.map((s) => words(s, device)[2]).filter(Boolean).join(", ");
  return html`<div class="vlabels">${marks}<div class="vlabel last">${strong}
    <div class="muted">${[programs, sum].filter(Boolean).join(" · ")}</div></div></div>`;
}
