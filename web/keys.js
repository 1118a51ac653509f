// Shortcuts by physical key, so that Hangul mode does not matter. Never inside fields or dialogs.

const pages = { KeyN: "#/", KeyJ: "#/jobs", KeyS: "#/schedules", KeyU: "#/gpu", KeyP: "#/settings", KeyA:
  "#/new" };
const PREFIX_MS = 1200;

export function bindKeys({ page, theme, language, live }) {
  let prefixUntil = 0;
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = event.target;
    const inField = target instanceof HTMLElement
      && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) ||
      target.closest("dialog"));
    if (event.code === "Escape" && inField && !target.closest("dialog")) target.blur();
    if (inField) return;
    const own = page()?.keys ?? {};
    if (!page()) return;
    if (prefixUntil > Date.now() && pages[event.code]) {
      prefixUntil = 0;
      location.hash = pages[event.code];
      event.preventDefault();
      return;
    }
    prefixUntil = 0;
    const name = (event.shiftKey ? "Shift+" : "") + event.code;
    // Enter and Space belong to a button or link that has the focus.
    if (event.code === "Enter" && target.closest?.("a,button,summary")) return;
    if (own[name]) own[name](event);
    else if (name === "KeyG") prefixUntil = Date.now() + PREFIX_MS;
    else if (name === "KeyT") theme();
    else if (name === "KeyL") language();
    else if (name === "KeyR") live();
    else if (name === "Shift+Slash") location.hash = "#/help";
    else if (name === "Slash") document.querySelector("input[type=search]")?.focus();
    else return;
    event.preventDefault();
  });
}
