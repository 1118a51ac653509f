// Debian's Chromium under Playwright, always with a profile of its own and no traffic of its own.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

const CANDIDATES = [process.env.NIGHTSHIFT_CHROMIUM, "/usr/bin/chromium",
  "/usr/bin/chromium-browser"].filter(Boolean);
export const chromiumPath = CANDIDATES.find((file) => fs.existsSync(file));

const FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

/** A context with a fresh profile folder; close() removes it. Every page reports what the policy refused. */
export async function openBrowser({ locale = "ko-KR", theme = "light", width = 1440, height = 920 } = {}) {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), "nightshift-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath, headless: true, args: FLAGS, locale, timezoneId: "Asia/Seoul",
      colorScheme: theme, viewport: { width, height },
    permissions: ["clipboard-read", "clipboard-write"],
  });
  const complaints = [];
  context.on("page", (page) => watch(page, complaints));
  for (const page of context.pages()) watch(page, complaints);
  return { context, complaints, async close() {
    await context.close();
    fs.rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  } };
}

function watch(page, complaints) {
  page.on("pageerror", (error) => complaints.push(`page error: ${error.message}`));
  page.on("console", (message) => {
    const isComplaint = message.type() === "error" && !/Failed to load resource/.test(message.text());
    if (isComplaint) complaints.push(`console: ${message.text()}`);
  });
}
