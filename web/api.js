// Requests to the daemon: the token of this tab, one error type, nothing else.
import { language, t } from "/i18n.js";

const KEY = "nightshift-token";
let session = read();

function read() {
  try { return JSON.parse(sessionStorage.getItem(KEY)) ?? {}; } catch { return {}; }
}
function write(value) {
  session = value;
  try { sessionStorage.setItem(KEY, JSON.stringify(value)); } catch { /* until the page closes */ }
}

// A link opened in another tab is signed in by the tabs that are: same origin, nothing stored for longer.
const ASK_MS = 200;
const tabs = new BroadcastChannel("nightshift-session");
tabs.addEventListener("message", ({ data }) => {
  if (data === "ask" && session.token) tabs.postMessage(session);
  else if (data?.token && !session.token) write(data);
});

/** Waits shortly for another tab's session. */
export async function askOtherTabs() {
  if (session.token) return;
  tabs.postMessage("ask");
  await new Promise((resolve) => { setTimeout(resolve, ASK_MS); });
}

export const signedIn = () => Boolean(session.token);
export const role = () => session.role ?? "viewer";
export const mayOperate = () => role() === "operator" || role() === "admin";
export const mayAdmin = () => role() === "admin";
export function setRole(value) {
  if (value && value !== session.role) write({ ...session, role: value });
}
export const signOut = () => write({});
export const authorization = () => ({ Authorization: `Bearer ${session.token}` });

/** A refusal as the daemon words it (RFC 9457), or the page's own words when there is no answer. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.title ?? `HTTP ${status}`);
    Object.assign(this, {
      status, code: body.code ?? "", title: body.title ?? `HTTP ${status}`, detail: body.detail ?? "",
      hint: body.hint ?? "", errors: body.errors ?? [], trace: body.request_id ?? "",
    });
  }
  get unreachable() { return this.status === 0; }
}

export async function send(method, path, { body, headers = {}, signal, raw } = {}) {
  const options = { method, headers: { "Accept-Language": language(), ...headers }, cache: "no-store",
    signal };
  if (session.token) Object.assign(options.headers, authorization());
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] ??= "application/json";
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { title: t("problem.unreachable"), hint: "nightshift up", code: "unreachable" });
  }
  if (!response.ok) {
    const text = await response.text();
    let problem = {};
    try { problem = JSON.parse(text); } catch { problem = { detail: text.slice(0, 500) }; }
    problem.request_id ??= response.headers.get("X-Request-Id") ?? "";
    if (response.status === 401) signOut();
    throw new Problem(response.status, problem);
  }
  if (raw) return response;
  const text = await response.text();
  return text ? JSON.parse(text) : {};
}

export const get = (path, options) => send("GET", `/api/v1${path}`, options);
export const post = (path, body, options) => send("POST", `/api/v1${path}`, { body, ...options });
export const put = (path, body, headers) => send("PUT", `/api/v1${path}`, { body, headers });
export const del = (path) => send("DELETE", `/api/v1${path}`);

/** A fresh key, so that a second click of an impatient hand does not submit twice. */
export const idempotencyKey = () => crypto.randomUUID();

/** Exchanges the one-time code of `nightshift open` for this tab's token. */
export async function signInByCode(code) {
  write({});
  const answer = await post("/session", { code });
  write({ token: answer.token, role: answer.role, expires_at: answer.expires_at });
}

/** Takes a pasted token, or a whole "Authorization: Bearer …" line, and proves it. */
export async function signInByToken(text) {
  const token = text.trim().replace(/^authorization:\s*/i, "").replace(/^bearer\s+/i, "");
  write({ token });
  try {
    const status = await get("/status");
    write({ token, role: status.role ?? "viewer" });
  } catch (error) {
    write({});
    throw error;
  }
}

export async function copyText(text) {
  await navigator.clipboard.writeText(text);
}
