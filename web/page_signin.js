// Sign-in: the one-time code of `nightshift open` comes by itself; a token can be pasted.
import { html } from "/vendor/lit-html.js";
import { signInByToken } from "/api.js";
import { t } from "/i18n.js";
import { refusal } from "/parts.js";

let problem = null, busy = false;

export function show(error) { problem = error; }

export function view(ctx) {
  const submit = async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    problem = null;
    try {
      await signInByToken(event.target.elements.token.value);
      ctx.entered();
    } catch (error) {
      problem = error;
    }
    busy = false;
    ctx.redraw();
  };
  return html`<section class="signin"><h1>${t("signin.title")}</h1>
    <p>${t("signin.text")}</p><pre class="box">nightshift open</pre>
    <form @submit=${submit}><label for="token">${t("signin.token")}</label>
      <div class="row"><input id="token" name="token" type="password" size="48" autocomplete="off"
      spellcheck="false" required>
        <button class="btn primary">${t("signin.go")}</button></div>
      <p class="muted small">${t("signin.where")}</p></form>
    ${refusal(problem)}</section>`;
}
