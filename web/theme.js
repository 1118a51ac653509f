// Runs before the first paint, so that theme and language do not flash. No module: nothing waits for it.
(function () {
  var root = document.documentElement;
  function stored(key) {
    try { return localStorage.getItem(key); } catch (_) { return null; }
  }
  var theme = stored("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  root.dataset.theme = theme;
  root.lang = stored("language") || ((navigator.language || "en").slice(0, 2) === "ko" ? "ko" : "en");
  // A module that does not load leaves an empty page: say what is missing instead.
  addEventListener("error", function (event) {
    if (event.target instanceof HTMLScriptElement) show();
  }, true);
  addEventListener("load", function () {
    setTimeout(function () { if (!document.getElementById("app").firstElementChild) show(); }, 1500);
  });
  function show() {
    var boot = document.getElementById("boot");
    if (boot && !document.getElementById("app").firstElementChild) boot.hidden = false;
  }
})();
