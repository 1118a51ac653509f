// Runs before the first paint: the theme must not flash. No module, so that nothing waits for it.
(function () {
  var choice = null;
  try { choice = localStorage.getItem("theme"); } catch (_) { /* storage refused: follow the system */ }
  var dark = choice ? choice === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
