// A job's log: raw text, followed while it grows; search, errors, folding of progress lines, a margin map.
// Only the lines in view are in the page, so that a long log costs no more than a short one.
import { html, nothing, svg } from "/vendor/lit-html.js";
import { authorization, send } from "/api.js";
import { num, size } from "/format.js";
import { t } from "/i18n.js";
import { icon } from "/icons.js";

const ROW_PX = 18, TAIL_LINES = 20_000, LINES_KEPT = 50_000, LINES_DROPPED = 10_000;
// Longer lines are cut: nobody reads them, and one of 200 MB would stop the page. All lines kept are no more
// characters than CHARS_KEPT, however long each is.
const LINE_CHARS = 4000, CHARS_KEPT = 32_000_000;
const FOLD_FROM = 24, FOLD_HEAD = 12, FOLD_TAIL = 6;
const RETRY_MS = 2000;
const ANSI = /\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007]*\u0007/g;
// What would move, hide or turn round the text beside it.
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
const ERROR = /\b(error|fatal|exception|traceback|panic|refused)\b|오류|실패/i;
const WARNING = /\bwarn(ing)?\b|경고/i;
// A carriage return overwrites: what stands at the end is what a terminal would show.
const clean = (line) => line.replace(/\r+$/, "").split("\r").at(-1).replace(ANSI, "")
  .replace(CONTROLS, "\ufffd");
const shapeOf = (line) => line.replace(/[\d.,e+-]+/g, "#").replace(/\s+/g, " ").slice(0, 80);

export class LogView {
  constructor(redraw) {
    Object.assign(this, { redraw, lines: [], first: 1, rest: "", overLong: 0, isBack: false, chars: 0,
      bytes: 0, cut: 0, over: false, problem:
      null, done: false, follow: true,
      fold: true, opened: new Set(), needle: "", hit: 0, error: -1, top: 0, height: 540, rows: [], dirty:
        true });
  }

  open(job) {
    this.job = job;
    this.abort = new AbortController();
    this.pump();
  }

  close() {
    this.abort?.abort();
    clearTimeout(this.retry);
  }

  /** The last lines first, then what comes; after a break it goes on at the byte where it stopped. */
  async pump() {
    const decoder = new TextDecoder();
    try {
      const place = this.bytes > 0 ? `from=${this.bytes}` : `tail=${TAIL_LINES}`;
      const path = `/api/v1/jobs/${this.job}/log?${place}&follow=1`;
      const response = await send("GET", path, { raw: true, signal: this.abort.signal });
      if (this.bytes === 0) {
        this.bytes = Number(response.headers.get("X-Log-Offset") ?? 0);
        this.cut = this.bytes;
      }
      this.problem = null;
      this.done = false;
      const reader = response.body.getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        this.bytes += value.length;
        this.take(decoder.decode(value, { stream: true }));
      }
      this.take(decoder.decode());
      this.done = true;
      if (this.rest) this.take("\n");
      this.redraw();
      // A stream that ended while the job lives was cut by a daemon that stopped: go on with the next one.
      if (!this.over) this.retry = setTimeout(() => this.pump(), RETRY_MS);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.problem = error;
      this.redraw();
      if (error.unreachable || error instanceof TypeError) this.retry = setTimeout(() => this.pump(),
        RETRY_MS);
    }
  }

  take(text) {
    const parts = text.split("\n");
    for (let i = 0; i < parts.length; i++) {
      this.extend(parts[i]);
      if (i < parts.length - 1) this.endLine();
    }
    while (this.lines.length > LINES_KEPT || this.chars > CHARS_KEPT) {
      const gone = this.lines.splice(0, Math.min(LINES_DROPPED, Math.ceil(this.lines.length / 2)));
      this.first += gone.length;
      for (const line of gone) this.chars -= line.text.length;
    }
    this.dirty = true;
    this.redraw();
  }

  /** The open line grows, by no more than is shown of it. */
  extend(part) {
    // Returns at the very end may belong to a line break: what comes next tells.
    let end = part.length;
    while (end > 0 && part[end - 1] === "\r") end--;
    const back = end > 0 ? part.lastIndexOf("\r", end - 1) : -1;
    if (back >= 0 || (this.isBack && part)) {
      this.rest = "";
      this.overLong = 0;
    }
    const text = part.slice(back + 1);
    const room = this.overLong ? 0 : LINE_CHARS - this.rest.length;
    this.rest += text.slice(0, room);
    this.overLong += Math.max(0, text.length - room);
    if (part) this.isBack = part.endsWith("\r");
  }

  endLine() {
    const text = clean(this.rest) + (this.overLong ? t("log.longer", { n: num(this.overLong) }) : "");
    this.lines.push({ text, tone: ERROR.test(text) ? "bad" : WARNING.test(text) ? "warn" : "" });
    this.chars += text.length;
    Object.assign(this, { rest: "", overLong: 0, isBack: false });
  }

  /** Rows on screen: {no, line} or {fold: [from, to)}. */
  layout() {
    if (!this.dirty) return;
    this.dirty = false;
    const rows = [];
    const { lines } = this;
    for (let i = 0; i < lines.length;) {
      let end = i + 1;
      if (this.fold && !lines[i].tone) {
        const shape = shapeOf(lines[i].text);
        while (end < lines.length && !lines[end].tone && shapeOf(lines[end].text) === shape) end++;
      }
      const folds = end - i >= FOLD_FROM && !this.opened.has(i + this.first) && /\d/.test(lines[i].text);
      for (let k = i; k < end; k++) {
        if (folds && k === i + FOLD_HEAD) {
          rows.push({ fold: end - i - FOLD_HEAD - FOLD_TAIL, key: i + this.first });
          k = end - FOLD_TAIL;
        }
        rows.push({ no: k + this.first, line: lines[k] });
      }
      i = end;
    }
    this.rows = rows;
    const needle = this.needle.toLowerCase();
    this.hits = needle ? rows.flatMap((row, i) => (row.line?.text.toLowerCase().includes(needle) ? [i] :
      [])) : [];
    this.errors = rows.flatMap((row, i) => (row.line?.tone === "bad" ? [i] : []));
    this.warnings = rows.filter((row) => row.line?.tone === "warn").length;
  }

  element() { return document.querySelector(".log"); }

  /** Brings row `index` into view; the reader now looks at a place of their own. */
  show(index) {
    this.follow = false;
    const el = this.element();
    if (el) el.scrollTop = Math.max(0, index * ROW_PX - el.clientHeight / 2);
    this.redraw();
  }

  step(list, key, by) {
    if (!list.length) return;
    this[key] = (((this[key] + by) % list.length) + list.length) % list.length;
    this.marked = list[this[key]];
    this.show(this.marked);
  }
  nextError(by = 1) { this.layout(); this.step(this.errors, "error", by); }
  nextHit(by = 1) { this.layout(); this.step(this.hits, "hit", by); }

  search(text) {
    this.needle = text;
    this.dirty = true;
    this.layout();
    this.hit = 0;
    if (this.hits.length) this.nextHit(0);
    else this.redraw();
  }

  onScroll(event) {
    const el = event.target;
    if (el.scrollTop < this.top - 2 && el.scrollTop + el.clientHeight < el.scrollHeight - 4) this.follow =
      false;
    this.top = el.scrollTop;
    this.height = el.clientHeight;
    this.redraw();
  }

  /** After drawing: the newest line stays in view while following. */
  drawn() {
    const el = this.element();
    if (!el) return;
    if (this.follow && el.scrollTop + el.clientHeight < el.scrollHeight - 2) el.scrollTop = el.scrollHeight;
    if (el.clientHeight !== this.height) {
      this.height = el.clientHeight;
      this.redraw();
    }
  }

  download = async () => {
    const response = await fetch(`/api/v1/jobs/${this.job}/log`, { headers: authorization() });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await response.blob());
    link.download = `job-${this.job}.log`;
    link.click();
    URL.revokeObjectURL(link.href);
  };

  marks(text) {
    if (!this.needle) return text;
    const low = text.toLowerCase(), needle = this.needle.toLowerCase();
    const out = [];
    let from = 0;
    for (let at = low.indexOf(needle); at >= 0; at = low.indexOf(needle, from)) {
      out.push(text.slice(from, at), html`<mark>${text.slice(at, at + needle.length)}</mark>`);
      from = at + needle.length;
    }
    return [...out, text.slice(from)];
  }

  row(row, i) {
    if (row.fold) {
      return html`<div class="lfold"><button type="button" class="linkish"
        @click=${() => { this.opened.add(row.key); this.dirty = true; this.redraw(); }}>
        ${t("log.folded", { n: num(row.fold) })}</button></div>`;
    }
    return html`<div class="lrow ${row.line.tone} ${i === this.marked ? "marked" : ""}"><span
      class="lno">${this.cut ? "" : num(row.no)}</span><span
      class="ltext">${this.marks(row.line.text)}</span></div>`;
  }

  /** The end of the log as a small block without its own scrolling. */
  lastLines(count) {
    const from = Math.max(0, this.lines.length - count);
    return html`<div class="loglast">${this.lines.slice(from).map((line, i) =>
      this.row({ no: from + i + this.first, line }, -1))}
      ${this.lines.length ? nothing : html`<p class="muted lempty">${t(this.done ? "log.none" :
        "log.waiting")}</p>`}</div>`;
  }

  map() {
    const n = Math.max(1, this.rows.length);
    const y = (i) => `${((i / n) * 100).toFixed(2)}%`;
    const tick = (kind) => (i) => svg`<rect class=${kind} x="0" width="100%" y=${y(i)} height="2"></rect>`;
    const warnings = this.rows.flatMap((row, i) => (row.line?.tone === "warn" ? [i] : []));
    return html`<svg class="lmap" aria-hidden="true"
      @click=${(e) => this.show(Math.floor((e.offsetY / e.currentTarget.clientHeight) * n))}>
      <rect class="view" x="0" width="100%" y=${y(this.top / ROW_PX)}
      height="${((this.height / ROW_PX / n) * 100).toFixed(2)}%"></rect>
      ${warnings.slice(0, 300).map(tick("warn"))}${this.hits.slice(0,
        300).map(tick("hit"))}${this.errors.slice(0, 300).map(tick("bad"))}</svg>`;
  }

  view() {
    this.layout();
    const from = Math.max(0, Math.floor(this.top / ROW_PX) - 10);
    const to = Math.min(this.rows.length, Math.ceil((this.top + this.height) / ROW_PX) + 10);
    const onKey = (e) => {
      if (e.code === "Enter") { e.preventDefault(); this.nextHit(e.shiftKey ? -1 : 1); }
    };
    const toggle = (key) => (e) => {
      this[key] = e.target.checked;
      this.dirty = true;
      this.redraw();
    };
    return html`<div class="row logbar"><input type="search" aria-label=${t("log.search")}
      placeholder=${t("log.search")} .value=${this.needle}
        @input=${(e) => this.search(e.target.value)} @keydown=${onKey}>
      <span class="muted">${this.needle ? t("log.hits", { n: this.hits.length, at: this.hits.length ?
      this.hit + 1 : 0 }) : ""}</span>
      ${this.hits.length ? html`<button type="button" class="btn" aria-label=${t("log.prev")}
        @click=${() => this.nextHit(-1)}>${icon("up")}</button>
      <button type="button" class="btn" aria-label=${t("log.next")}
      @click=${() => this.nextHit(1)}>${icon("downward")}</button>` : nothing}
      ${this.errors.length ? html`<button type="button" class="btn" @click=${() => this.nextError()}><span
        class="bad">${icon("cross")}</span>
        ${t("log.toError")} <kbd>n</kbd></button>` : nothing}
      <span class="muted">${t("log.counts", { errors: this.errors.length, warnings:
      this.warnings })}</span><span class="grow"></span>
      <label class="check"><input type="checkbox" .checked=${this.follow}
      @change=${toggle("follow")}>${t("log.follow")}</label>
      <label class="check"><input type="checkbox" .checked=${this.fold}
      @change=${toggle("fold")}>${t("log.fold")}</label>
      <button type="button" class="btn"
        @click=${this.download}>${icon("down")}${t("log.download")}</button></div>
    <div class="logbox"><div class="log" tabindex="0" role="log" aria-live="off" aria-label=${t("tab.log")}
    @scroll=${(e) => this.onScroll(e)}>
      <div class="lspace" .style=${`height:${this.rows.length * ROW_PX}px`}><div class="lwin"
      .style=${`transform:translateY(${from * ROW_PX}px)`}>
        ${this.rows.slice(from, to).map((row, i) => this.row(row, from + i))}</div></div>
      ${this.rows.length ? nothing : html`<p class="muted lempty">${t(this.done ? "log.none" :
        "log.waiting")}</p>`}</div>${this.map()}</div>
    <p class="muted small">${t("log.foot", { lines: num(this.lines.length + this.first - 1), size:
    size(this.bytes) })}
      ${this.cut ? t("log.cut", { size: size(this.cut) }) : ""}
      ${this.rest && !this.done ? html`<span class="mono">${clean(this.rest).slice(0, 200)}</span>` :
        nothing}</p>`;
  }
}
