// Every test of the dashboard: `node tests/web/run.mjs [--bin DIR] [--only TEXT]`.
// With --bin (a build's bin folder) the real daemon is driven too. Ends with `N passed, N failed, N skipped`.
import { chromiumPath, closeBrowser } from "./browser.mjs";
import { run } from "./harness.mjs";

const value = (name) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : "");
process.env.NIGHTSHIFT_TEST_BIN ??= value("--bin");

await import("./files_test.mjs");
if (chromiumPath) {
  await import("./pages_test.mjs");
  await import("./daemon_test.mjs");
} else {
  console.log("no Chromium here: only the files are tested (packaging/setup installs it)");
}
process.exitCode = await run(value("--only"));
await closeBrowser();
