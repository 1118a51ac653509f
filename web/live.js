// The event stream, read with fetch: EventSource cannot send an Authorization header, and a cookie
// would be shared between ports. Resumes by id, backs off, watches the heartbeat, rests while hidden.
import { authorization, signedIn } from "/api.js";

const HEARTBEAT_LIMIT_MS = 40_000;   // the daemon sends a comment at least every 15 s
const BACKOFF_MS = [500, 1000, 2000, 4000, 8000, 15_000];
const HIDDEN_REST_MS = 30_000;

export class Live {
  /** handlers: event({topic, id, data}), resync(), change(): state or times moved. */
  constructor(handlers) {
    this.handlers = handlers;
    this.state = "off";          // off, connecting, on, waiting
    this.lastHeardAt = null;
    this.retryAt = null;
    this.failures = 0;
    this.lastId = "";
    this.paused = false;
    document.addEventListener("visibilitychange", () => this.visibility());
  }

  start() {
    if (this.state === "off" && signedIn() && !this.paused) this.connect();
  }

  stop() {
    clearTimeout(this.timer);
    this.abort?.abort();
    this.set("off");
  }

  retryNow() {
    clearTimeout(this.timer);
    this.failures = 0;
    this.connect();
  }

  toggle() {
    this.paused = !this.paused;
    if (this.paused) this.stop(); else this.start();
  }

  visibility() {
    clearTimeout(this.restTimer);
    if (document.hidden) {
      this.restTimer = setTimeout(() => this.stop(), HIDDEN_REST_MS);
    } else if (this.state === "off" && signedIn() && !this.paused) {
      this.handlers.resync();
      this.connect();
    }
  }

  set(state) {
    this.state = state;
    this.handlers.change();
  }

  async connect() {
    this.abort?.abort();
    const abort = (this.abort = new AbortController());
    this.set("connecting");
    try {
      const headers = { Accept: "text/event-stream", ...authorization() };
      if (this.lastId) headers["Last-Event-ID"] = this.lastId;
      const response = await fetch("/api/v1/events", { headers, cache: "no-store", signal: abort.signal });
      if (response.status === 401) return this.handlers.refused();
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      const again = this.failures > 0;
      this.failures = 0;
      this.heard(abort);
      this.set("on");
      if (again) this.handlers.resync();
      await this.read(response.body.getReader(), abort);
      throw new Error("stream ended");
    } catch {
      if (this.abort !== abort || this.state === "off") return;
      clearTimeout(this.watch);
      const wait = BACKOFF_MS[Math.min(this.failures++, BACKOFF_MS.length - 1)];
      this.retryAt = Date.now() + wait;
      this.timer = setTimeout(() => this.connect(), wait);
      this.set("waiting");
    }
  }

  heard(abort) {
    this.lastHeardAt = Date.now();
    clearTimeout(this.watch);
    this.watch = setTimeout(() => abort.abort("silent"), HEARTBEAT_LIMIT_MS);
  }

  async read(reader, abort) {
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      this.heard(abort);
      rest += decoder.decode(value, { stream: true });
      const frames = rest.split(/\r?\n\r?\n/);
      rest = frames.pop();
      for (const frame of frames) this.frame(frame);
    }
  }

  frame(text) {
    const event = { topic: "message", data: "" };
    for (const line of text.split(/\r?\n/)) {
      const colon = line.indexOf(":");
      if (colon === 0) continue;   // a comment: the heartbeat
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "event") event.topic = value;
      else if (field === "data") event.data += (event.data ? "\n" : "") + value;
      else if (field === "id" && value) this.lastId = value;
    }
    if (event.topic === "resync") return this.handlers.resync();
    if (event.data === "") return;
    try { event.data = JSON.parse(event.data); } catch { return; }
    this.handlers.event(event);
  }
}
