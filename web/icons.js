// Icons on a 16-unit grid and the four class glyphs. Shapes carry meaning together with a word, never alone.
import { html, svg } from "/vendor/lit-html.js";

const shapes = {
  check: svg`<path d="M2.5 8.5l3.5 3.5 7.5-8"/>`,
  cross: svg`<path d="M3.5 3.5l9 9M12.5 3.5l-9 9"/>`,
  clock: svg`<circle cx="8" cy="8" r="6"/><path d="M8 4.5V8l2.2 1.6"/>`,
  play: svg`<path class="f" d="M4 2.5v11l9-5.5z"/>`,
  starting: svg`<path d="M4.5 3v10l8-5z"/>`,
  scissors: svg`<circle cx="4" cy="4" r="2"/><circle cx="4" cy="12" r="2"/><path
    d="M5.7 5.1L14 12M5.7 10.9L14 4"/>`,
  square: svg`<rect x="4" y="4" width="8" height="8"/>`,
  ban: svg`<circle cx="8" cy="8" r="6"/><path d="M3.8 3.8l8.4 8.4"/>`,
  skip: svg`<path d="M2.5 4v8l5-4zM8 4v8l5-4zM13.5 4v8"/>`,
  calendar: svg`<rect x="2.5" y="3.5" width="11" height="10"/><path d="M2.5 6.5h11M5.5 2v3M10.5 2v3"/>`,
  lock: svg`<rect x="3" y="7" width="10" height="6.5" rx="1"/><path d="M5 7V5a3 3 0 0 1 6 0v2"/>`,
  link: svg`<path d="M6.5 9.5l3-3M7 5l1.5-1.5a2.8 2.8 0 0 1 4 4L11 9M9 11l-1.5 1.5a2.8 2.8 0 0 1-4-4L5 7"/>`,
  pause: svg`<path d="M5.5 3.5v9M10.5 3.5v9"/>`,
  warn: svg`<path d="M8 2.2L14.6 13.5H1.4zM8 6.5v3.2M8 11.6v.2"/>`,
  plus: svg`<path d="M8 2.5v11M2.5 8h11"/>`,
  minus: svg`<path d="M3 8h10"/>`,
  down: svg`<path d="M8 2v8M4.5 7L8 10.5 11.5 7M2.5 13.5h11"/>`,
  copy: svg`<rect x="5.5" y="5.5" width="8" height="8"/><path d="M10.5 3H2.5v8"/>`,
  theme: svg`<circle cx="8" cy="8" r="6"/><path class="f" d="M8 2a6 6 0 0 1 0 12z"/>`,
  help: svg`<circle cx="8" cy="8" r="6"/><path
    d="M6.3 6.2a1.8 1.8 0 1 1 2.6 1.6c-.6.3-.9.7-.9 1.4M8 11.3v.2"/>`,
  file: svg`<path d="M4 1.8h5.5L12.5 5v9.2H4zM9.3 2v3.2h3.2"/>`,
  folder: svg`<path d="M1.8 4h4.4l1.3 1.8h6.7v7.4H1.8z"/>`,
  up: svg`<path d="M8 13V3M4 7l4-4 4 4"/>`,
  downward: svg`<path d="M8 3v10M4 9l4 4 4-4"/>`,
};

export const icon = (name) => html`<svg class="i" viewBox="0 0 16 16"
  aria-hidden="true">${shapes[name]}</svg>`;

const glyphs = {
  inference: svg`<circle cx="6" cy="6" r="5"/>`,
  training: svg`<path d="M6 .8L11.6 11H.4z"/>`,
  evaluation: svg`<rect x="1" y="1" width="10" height="10"/>`,
  synthesis: svg`<path d="M6 .3L11.7 6 6 11.7.3 6z"/>`,
};

export const glyph = (jobClass) => html`<svg class="glyph c-${jobClass}" viewBox="0 0 12 12"
  aria-hidden="true">${glyphs[jobClass]}</svg>`;

/** State to icon and tone; the word comes from the dictionary. */
export const stateLook = {
  waiting: ["clock", ""], starting: ["starting", ""], running: ["play", ""], yielding: ["scissors", "warn"],
  parked: ["scissors", "warn"], stopping: ["square", ""], succeeded: ["check", "ok"], failed:
    ["cross", "bad"],
  cancelled: ["ban", "muted"], skipped: ["skip", "muted"], expired: ["calendar", "muted"], held:
    ["lock", "muted"],
};

export const moon = html`<svg viewBox="0 0 16 16" aria-hidden="true"><rect width="16" height="16" rx="3"/>
  <path d="M6 3.6a4.8 4.8 0 1 0 6.6 6.3A5 5 0 0 1 6 3.6z"/></svg>`;
