// Help: shortcuts, states, waiting codes. All local, nothing fetched.
import { html } from "/vendor/lit-html.js";
import { gateName, t } from "/i18n.js";
import { icon, stateLook } from "/icons.js";
import { classMark } from "/parts.js";

const shortcuts = [
  [["g", "n"], "nav.now"], [["g", "j"], "nav.jobs"], [["g", "s"], "nav.schedules"],
    [["g", "u"], "nav.gpu"], [["g", "p"], "nav.settings"],
  [["g", "a"], "newJob"], [["j"], "key.down"], [["k"], "key.up"], [["Enter"], "key.open"],
    [["/"], "key.search"],
  [["f"], "key.follow"], [["n"], "key.nextError"], [["N"], "key.prevError"], [["c"], "key.cancel"],
    [["x"], "key.select"],
  [["r"], "key.live"], [["t"], "theme"], [["l"], "key.language"], [["?"], "nav.help"], [["Esc"], "key.close"],
];
const gates = ["held", "queue_paused", "class_paused", "drain", "dep_waiting", "dep_impossible",
  "not_before", "retry_backoff",
  "outside_window", "window_too_short", "start_deadline_soon", "vram_budget", "vram_foreign", "vram_headroom",
  "vram_reserved_for_head", "vram_release_pending", "vram_sample_pending", "ram", "cpu", "group_limit",
    "order_behind",
    "protected_victims",
  "preemption_in_flight", "reservation", "gpu_unhealthy", "disk_low", "only_when_idle", "unsatisfiable",
  "unkillable"];
const problems = ["no_credential", "bad_credential", "role_insufficient", "host_not_allowed",
  "cross_site_request", "unknown_field",
  "vram_impossible", "state_conflict", "stale_etag", "if_match_required", "body_too_large", "queue_full",
    "draining", "disk_low"];

export function view() {
  return html`<header class="pagehead"><h1>${t("nav.help")}</h1></header>
    <div class="three"><section><h2>${t("help.keys")}</h2><table><tbody>${shortcuts.map(([keys, word]) =>
    html`<tr>
        <td class="nowrap">${keys.map((k) =>
        html`<kbd>${k}</kbd> `)}</td><td>${t(word)}</td></tr>`)}</tbody></table></section>
      <section><h2>${t("help.states")}</h2><table><tbody>${Object.entries(stateLook).map(([state,
      [name, tone]]) => html`<tr>
        <td><span class="state ${tone}">${icon(name)}${t(`state.${state}`)}</span></td><td
        class="code">${state}</td></tr>`)}</tbody></table>
        <h2>${t("help.classes")}</h2><p class="row gap16">${["inference", "training", "evaluation",
        "synthesis"].map(classMark)}</p>
        <h2>${t("help.problems")}</h2><table><tbody>${problems.map((code) =>
        html`<tr><td class="code">${code}</td>
        <td class="small">${t(`problem.${code}`)}</td></tr>`)}</tbody></table></section>
      <section><h2>${t("help.gates")}</h2><table><tbody>${gates.map((code) =>
      html`<tr><td class="code">${code}</td>
        <td class="small">${gateName(code)}</td></tr>`)}</tbody></table></section></div>`;
}
