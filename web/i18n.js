// Two languages. The page's lang attribute is the choice, set by theme.js before the first paint.
import words from "/words.js";

export const language = () => (document.documentElement.lang === "en" ? "en" : "ko");

/** The phrase for `key`, with {name} filled in. A missing key shows itself: a test catches it. */
export function t(key, values) {
  const text = words[key]?.[language() === "ko" ? 0 : 1] ?? key;
  return values ? text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "") : text;
}

export const has = (key) => key in words;

/** A gate in a few words, without its numbers. */
export const gateName = (code) => t(has(`gateHelp.${code}`) ? `gateHelp.${code}` : `gate.${code}.short`);

export function setLanguage(value) {
  document.documentElement.lang = value;
  try { localStorage.setItem("language", value); } catch { /* storage refused: until the page closes */ }
}
