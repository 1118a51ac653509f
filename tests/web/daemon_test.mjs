// The dashboard on the real daemon: a person signs in, submits, watches, reads, opens a report, cancels.
import fs from "node:fs";
import path from "node:path";
import { equal, ok, skip, test } from "./harness.mjs";
import { openBrowser } from "./browser.mjs";
import { startDaemon } from "./daemon.mjs";

const bin = process.env.NIGHTSHIFT_TEST_BIN ?? "";
const LONG_MS = 60_000;

async function withDaemon(options, body) {
  const isBuilt = fs.existsSync(path.join(bin, "nightshiftd"));
  if (!isBuilt) skip("no nightshiftd: give a build's bin folder with --bin");
  const daemon = await startDaemon(bin);
  const browser = await openBrowser(options);
  try {
    const page = browser.context.pages()[0];
    page.setDefaultTimeout(LONG_MS);
    const { code } = await daemon.api("POST", "/session/code");
    await page.goto(`${daemon.url}/#code=${code}`);
    await page.waitForSelector("nav a[aria-current]");
    await body(page, daemon, browser);
    const complaints = browser.complaints.filter((text) => !options.expected?.test(text));
    equal(complaints, [], "complaints of the page");
    if (options.expected) ok(complaints.length < browser.complaints.length,
      "the expected refusal did not happen");
  } finally {
    await browser.close();
    // What a job left running would keep files open in the folder.
    const { jobs = [] } = await daemon.api("GET", "/jobs?state=active").catch(() => ({}));
    for (const job of jobs) await daemon.api("POST", `/jobs/${job.id}/cancel`).catch(() => {});
    await daemon.stop();
  }
}

async function go(page, hash) {
  // Until the page has been drawn for the new address; only then does "loading" say something.
  await page.evaluate((h) => new Promise((resolve) => {
    location.hash = h;
    requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  }), hash);
}

const SCRIPT = "echo 시작; for i in 1 2 3 4; do"
  + " echo \"{\\\"step\\\":$i,\\\"steps\\\":4,\\\"metrics\\\":{\\\"loss\\\":0.$i}}\""
  + " >> \"$NIGHTSHIFT_PROGRESS\"; echo line $i; sleep 0.4; done; echo warning: nearly done;"
  + " printf '<!doctype html><title>r</title><style>p{color:green}</style><p id=it>AUC 0.98</p>"
  + "<script>document.title=\"ran\"</script>' > \"$NIGHTSHIFT_OUTPUT/report.html\"";

async function submitByForm(page, kind, name, fill) {
  await page.getByRole("link", { name: "지금", exact: true }).click();
  await page.getByRole("link", { name: "새 작업" }).click();
  await page.locator("#f-kind").selectOption(kind);
  await page.locator("#f-name").fill(name);
  await fill();
  await page.getByText("방금 계산").waitFor();
  await page.getByRole("button", { name: "제출", exact: true }).click();
  await page.waitForFunction(() => /^#\/jobs\/\d+/.test(location.hash));
  return Number(/\d+/.exec(await page.evaluate(() => location.hash))[0]);
}

test("daemon: sign in, submit by the form, watch to its end, log, report, cancel another", () =>
  withDaemon({}, async (page, daemon, browser) => {
    const id = await submitByForm(page, "command", "보고서 <b>작업</b>", async () => {
      await page.locator("#r-command").fill(`sh -c '${SCRIPT.replaceAll("'", "'\\''")}'`);
    });
    await page.locator(".pagehead .state", { hasText: "완료" }).waitFor();
    const stored = await daemon.api("GET", `/jobs/${id}`);
    equal([stored.state, stored.name, stored.kind], ["succeeded", "보고서 <b>작업</b>", "command"], "stored job");
    equal(stored.command, ["sh", "-c", SCRIPT], "stored command");

    await page.getByRole("link", { name: "로그", exact: true }).click();
    await page.locator(".lrow", { hasText: "line 4" }).waitFor();
    for (const line of ["시작", "line 1", "warning: nearly done"]) {
      await page.locator(".log .ltext", { hasText: new RegExp(`^\\s*${line}\\s*$`) }).first().waitFor();
    }

    await page.getByRole("link", { name: /^산출물/ }).click();
    const [report] = await Promise.all([browser.context.waitForEvent("page"),
      page.getByRole("button", { name: "열기" }).click()]);
    await report.locator("#it").waitFor();
    equal(await report.locator("#it").innerText(), "AUC 0.98", "report");
    equal(await report.title(), "r", "title: a script of the report ran");
    const answer = await report.context().request.get(report.url());
    ok(/sandbox/.test(answer.headers()["content-security-policy"] ?? ""), "the report is not sandboxed");
    await report.close();
    browser.complaints.length = 0;   // the report's own script was refused, as it must be

    const other = await submitByForm(page, "sleep", "긴 잠", () => page.locator("#p-seconds").fill("600"));
    await page.locator(".pagehead .state", { hasText: "실행 중" }).waitFor();
    await page.getByRole("button", { name: "중지…" }).click();
    ok((await page.getByRole("dialog").innerText()).includes("실행"), "the dialog does not say what is lost");
    await page.getByRole("dialog").getByRole("button", { name: "중지", exact: true }).click();
    await page.locator(".pagehead .state", { hasText: "취소" }).waitFor();
    equal((await daemon.api("GET", `/jobs/${other}`)).state, "cancelled", "state of the other job");
  }));

test("daemon: a job that must wait says why, with terms that add up, and starts when room is made", () =>
  withDaemon({}, async (page, daemon) => {
    const first = await daemon.api("POST", "/jobs", { kind: "sleep", name: "holder", class: "training",
      params: { seconds: 600 }, vram: "6GiB" });
    const second = await daemon.api("POST", "/jobs", { kind: "sleep", name: "waiter", class: "training",
      params: { seconds: 1 }, vram: "4GiB" });
    await page.locator(".why .strip").waitFor();
    const tenths = (text) => Math.round(parseFloat(text.replace(/[^\d.]/g, "")) * 10);
    const numbers = (await page.locator(".why .strip b").allInnerTexts()).map(tenths);
    const needed = numbers.pop(), sum = numbers.pop();
    equal(numbers[0] - numbers.slice(1).reduce((a, b) => a + b, 0), sum, "card minus terms");
    equal([numbers[0], needed], [80, 40], "card and need in tenths");
    const labels = await page.locator(".vlist li b[data-gib]").evaluateAll((nodes) =>
      nodes.map((n) => n.dataset.gib));
    equal(labels.reduce((total, text) => total + tenths(text), 0), 80, "labels of the memory bar");
    await daemon.api("POST", `/jobs/${first.id}/cancel`);
    await page.getByText("대기 중인 작업 없음").waitFor();
    await go(page, `#/jobs/${second.id}`);
    await page.locator(".pagehead .state", { hasText: "완료" }).waitFor();
  }));

test("daemon: every page draws on real answers, in both languages", () => withDaemon({ locale: "en-GB" },
  async (page, daemon) => {
    const { id } = await daemon.api("POST", "/jobs", { kind: "sleep", params: { seconds: 1 } });
    await daemon.api("POST", "/schedules", { name: "nightly", cron: "0 22 * * mon-fri", timezone:
      "Asia/Seoul",
      missed: "once", overlap: "skip", job: { kind: "sleep", params: { seconds: 1 } }, enabled: true });
    await daemon.api("GET", `/jobs/${id}?wait=30s&until=finished`);
    for (const hash of ["#/", "#/jobs", `#/jobs/${id}`, `#/jobs/${id}?tab=why`, `#/jobs/${id}?tab=events`,
      "#/new?kind=sleep",
      "#/schedules/nightly", "#/gpu", "#/settings", "#/help"]) {
      await go(page, hash);
      await page.waitForFunction(() => !/^Loading$/m.test(document.querySelector("main").innerText));
      const text = await page.locator("main").innerText();
      ok(!/undefined|NaN GiB|\[object|Invalid Date/.test(text.replace(/"[^"]*"/g, "")),
        `${hash} shows a hole: ${text}`);
      equal(await page.locator(".refusal").allInnerTexts(), [], `refusals on ${hash}`);
    }
    await go(page, "#/schedules/nightly");
    await page.locator("tbody tr", { hasText: "22:00:00" }).or(page.locator("tbody tr",
      { hasText: "22:00" })).first().waitFor();
    equal(await page.locator(".three table").first().locator("tbody tr").count(), 10, "next fires");
  }));

test("daemon: when it is killed the page says so, and goes on by itself with the next one", () =>
  withDaemon({},
  async (page, daemon) => {
    await page.getByText("실시간").waitFor();
    await daemon.kill();
    await page.getByText("연결 끊김").waitFor();
    ok((await page.locator("main").innerText()).includes("nightshift up"), "the command is not named");
    await daemon.start();
    await daemon.api("POST", "/jobs", { kind: "sleep", name: "after the restart", params: { seconds: 600 } });
    await page.getByRole("link", { name: "after the restart" }).waitFor();
    await page.getByText("연결 끊김").waitFor({ state: "detached" });
  }));

test("daemon: the page's answers forbid inline code and other hosts are refused", () =>
  withDaemon(
  { expected: /script-src|inline script/i }, async (page, daemon) => {
  const shell = await daemon.ask("/", { Accept: "text/html" });
  const policy = shell.headers["content-security-policy"] ?? "";
  ok(/default-src 'none'/.test(policy) && !/unsafe-inline|unsafe-eval|\*/.test(policy),
    `policy is ${policy}`);
  const rebound = await daemon.ask("/api/v1/status", { Host: "evil.example:80" });
  equal(rebound.statusCode, 403, "status for another Host");
  const blocked = await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.ranInline = true";
    document.body.append(script);
    return window.ranInline === undefined;
  });
  ok(blocked, "an inline script ran");
  await page.waitForTimeout(200);
}));
