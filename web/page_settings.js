// Settings: the policy in force and what this daemon is. The policy is changed as one document.
import { html, nothing } from "/vendor/lit-html.js";
import { del, mayAdmin, put, role, signOut } from "/api.js";
import { duration, num, secondsSince } from "/format.js";
import { t } from "/i18n.js";
import { copyButton, refusal } from "/parts.js";
import { clear, refresh, use } from "/store.js";

let draft = null, problem = null, saved = false;

export function leave() {
  draft = null;
  problem = null;
  saved = false;
}

async function save(ctx) {
  problem = null;
  saved = false;
  let body;
  try {
    body = JSON.parse(draft);
  } catch (error) {
    problem = { title: t("settings.notJson"), detail: error.message, errors: [] };
    return ctx.redraw();
  }
  try {
    await put("/policy", body);
    draft = null;
    saved = true;
    refresh();
  } catch (error) {
    problem = error;
  }
  ctx.redraw();
}

/** The daemon forgets the token too; one from a token file is no session and stays valid there. */
async function leaveSession(ctx) {
  try { await del("/session"); } catch { /* a pasted token: only this tab forgets it */ }
  signOut();
  clear();
  ctx.redraw();
}

export function view(ctx) {
  const policy = use("/policy"), status = use("/status").data ?? {};
  const text = policy.data ? JSON.stringify(policy.data, null, 2) : "";
  const rows = [[t("settings.version"), status.version], [t("settings.role"), role()],
    [t("settings.folder"), status.data_folder ?? status.data],
    [t("settings.up"), status.started_at ? duration(secondsSince(status.started_at)) : null],
    [t("settings.commit"), status.last_commit_ms != null ? `${num(status.last_commit_ms, 1)} ms` :
      null]].filter(([, value]) => value != null);
  return html`<header class="pagehead"><h1>${t("nav.settings")}</h1></header>
    <div class="split"><div><h2>${t("settings.policy")}</h2><p class="muted">${t("settings.policyText")}</p>
      ${policy.data ? html`${draft === null ? html`<pre class="box">${text}</pre>`
        : html`<textarea rows="28" spellcheck="false" aria-label=${t("settings.policy")} .value=${draft}
            @input=${(e) => { draft = e.target.value; }}></textarea>`}
        ${refusal(problem)}${saved ? html`<p class="ok">${t("settings.saved")}</p>` : nothing}
        <div class="row foot">${copyButton(() => draft ?? text)}
          ${!mayAdmin() ? html`<span class="muted">${t("settings.adminOnly")}</span>` : draft === null
            ? html`<button type="button" class="btn"
            @click=${() => { draft = text; ctx.redraw(); }}>${t("edit")}…</button>`
            : html`<button type="button" class="btn"
            @click=${() => { leave(); ctx.redraw(); }}>${t("discard")}</button>
              <button type="button" class="btn primary"
              @click=${() => save(ctx)}>${t("settings.apply")}</button>`}</div>`
      : refusal(policy.problem) === nothing ? html`<p class="muted">${t("loading")}</p>` :
      refusal(policy.problem)}</div>
    <aside><h2>${t("settings.daemon")}</h2><dl class="facts">${rows.map(([label, value]) =>
    html`<dt>${label}</dt><dd>${value}</dd>`)}</dl>
      <p class="after"><a href="/api/v1/openapi.json" target="_blank" rel="noopener">openapi.json</a></p>
      <p class="after"><button type="button" class="btn"
      @click=${() => leaveSession(ctx)}>${t("settings.signOut")}</button></p>
    </aside></div>`;
}
