// Debian's Chromium under Playwright: one process with a new profile folder, a fresh context for each test.
import fs from "node:fs";
import { chromium } from "playwright-core";

const CANDIDATES = [process.env.NIGHTSHIFT_CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser"];
export const chromiumPath = CANDIDATES.find((file) => file && fs.existsSync(file));

const FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
let browser = null;

/** A context of its own; `complaints` gathers page errors and everything the security policy refused. */
export async function openBrowser({ locale = "ko-KR", theme = "light", width = 1440, height = 920 } = {}) {
  browser ??= await chromium.launch({ executablePath: chromiumPath, headless: true, args: FLAGS });
  const context = await browser.newContext({ locale, timezoneId: "Asia/Seoul", colorScheme: theme,
    viewport: { width, height }, permissions: ["clipboard-read", "clipboard-write"], acceptDownloads: true });
  const complaints = [];
  await context.exposeFunction("reportRefusal", (text) => complaints.push(text));
  await context.addInitScript(() => addEventListener("securitypolicyviolation", (event) =>
    window.reportRefusal(`refused: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}`)));
  context.on("page", (page) => watch(page, complaints));
  await context.newPage();
  return { context, complaints, close: () => context.close() };
}

export async function closeBrowser() {
  await browser?.close();
  browser = null;
}

function watch(page, complaints) {
  page.on("pageerror", (error) => complaints.push(`page error: ${error.message}`));
  page.on("console", (message) => {
    const isComplaint = message.type() === "error" && !/Failed to load resource/.test(message.text());
    if (isComplaint) complaints.push(`console: ${message.text()}`);
  });
}
