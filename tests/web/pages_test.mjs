// The pages against one evening of data: what they show, that it adds up, that nothing jumps.
import { equal, ok, test } from "./harness.mjs";
import { openBrowser } from "./browser.mjs";
import { emit, startMock } from "./mock/server.mjs";
import { gib, jobs } from "./mock/evening.mjs";

const PAGES = ["#/", "#/jobs", "#/jobs/790", "#/jobs/812?tab=why", "#/jobs/796?tab=log",
  "#/jobs/790?tab=curves", "#/jobs/804?tab=artifacts",
  "#/jobs/790?tab=events", "#/new?kind=train.dream", "#/schedules", "#/gpu", "#/settings", "#/help"];

/** Signs in by code and opens a page; the scene and the browser are gone afterwards. */
async function visit(hash, options, body) {
  const mock = await startMock(options.scene);
  const browser = await openBrowser(options);
  try {
    const page = browser.context.pages()[0];
    await page.goto(`${mock.url}/#code=good-code`);
    await page.waitForSelector("nav a[aria-current]");
    await go(page, hash);
    await body(page, mock, browser);
    equal(browser.complaints, [], "complaints of the page");
  } finally {
    await browser.close();
    await mock.stop();
  }
}

async function go(page, hash) {
  // Until the page has been drawn for the new address; only then does "loading" say something.
  await page.evaluate((h) => new Promise((resolve) => {
    location.hash = h;
    requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  }), hash);
  await page.waitForFunction(() => !/불러오는 중|^Loading$/m.test(document.querySelector("main")?.innerText ??
    "불러오는 중"));
}

const tenths = (text) => Math.round(parseFloat(text) * 10);

test("sign-in: a code in the fragment is used once and leaves the address bar", () =>
  visit("#/", {}, async (page, mock) => {
  ok(!page.url().includes("code="), `address is ${page.url()}`);
  equal(mock.requests.filter((r) => r.route === "/session").length, 1, "exchanges");
  ok(mock.requests.every((r) => r.route === "/session" || r.headers.authorization === "Bearer t0ken"),
    "a request without the token");
  equal(await page.evaluate(() => Object.keys(localStorage).filter((k) => /token/.test(k))), [],
    "tokens in localStorage");
}));

test("sign-in: a link in a new tab is signed in by the tab it came from", () =>
  visit("#/", {}, async (page) => {
  const other = await page.context().newPage();
  await other.goto(`${page.url().split("#")[0]}#/jobs/790`);
  await other.getByRole("heading", { name: "dream-flex-e120" }).waitFor();
}));

test("a module that does not load leaves words, not an empty page", async () => {
  const mock = await startMock();
  const browser = await openBrowser();
  try {
    const page = browser.context.pages()[0];
    await page.route("**/vendor/lit-html.js", (route) => route.abort());
    await page.goto(mock.url);
    await page.getByText("packaging/setup").first().waitFor();
  } finally {
    await browser.close();
    await mock.stop();
  }
});

test("sign-in: a wrong code says why, a pasted header line signs in", async () => {
  const mock = await startMock();
  const browser = await openBrowser();
  try {
    const page = browser.context.pages()[0];
    await page.goto(`${mock.url}/#code=old-code`);
    await page.getByRole("alert").getByText("nightshift open").waitFor();
    await page.getByLabel("또는 토큰 붙여 넣기").fill("Authorization: Bearer t0ken");
    await page.getByRole("button", { name: "로그인" }).click();
    await page.waitForSelector("nav a[aria-current]");
    equal(browser.complaints, [], "complaints of the page");
  } finally {
    await browser.close();
    await mock.stop();
  }
});

for (const [locale, theme] of [["ko-KR", "light"], ["en-GB", "dark"]]) {
  test(`every page draws without a complaint (${locale}, ${theme})`, () => visit("#/", { locale, theme },
    async (page) => {
    equal(await page.evaluate(() => document.documentElement.dataset.theme), theme, "theme");
    for (const hash of PAGES) {
      await go(page, hash);
      await page.waitForTimeout(50);
      const text = await page.locator("main").innerText();
      ok(text.length > 60, `${hash} is nearly empty: ${text}`);
      ok(!/undefined|NaN GiB|\[object|Invalid Date|\{\w+\}/.test(text.replace(/"[^"]*"/g, "")),
        `${hash} shows a hole: ${text}`);
    }
  }));
}

test("pages fit a phone without scrolling sideways", () => visit("#/", { width: 390, height: 844 },
  async (page) => {
  for (const hash of PAGES) {
    await go(page, hash);
    const [inner, outer] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    ok(inner <= outer, `${hash} is ${inner} px wide on ${outer}`);
  }
}));

test("memory bar: the labels sum to the card, in the order of the design", () =>
  visit("#/", {}, async (page) => {
  const labels = await page.locator(".vlist li b[data-gib]").evaluateAll((nodes) =>
    nodes.map((n) => n.dataset.gib));
  equal(labels, ["2.0", "6.0", "7.0", "7.3", "1.2", "0.5"], "labels");
  equal(labels.reduce((sum, text) => sum + tenths(text), 0), 240, "sum in tenths");
  const shown = (await page.locator(".vlabels").innerText()).match(/[\d.]+(?= GiB)/g);
  equal(shown.slice(0, 6).reduce((sum, text) => sum + tenths(text), 0), 240,
    "sum of the labels below the bar");
}));

test("memory bar: free takes the rounding whatever the numbers are", () => visit("#/", {}, async (page) => {
  const wrong = await page.evaluate(async () => {
    const { segments } = await import("/vrambar.js");
    const bad = [];
    let seed = 11;
    const next = (max) => {
      seed = (seed * 16807) % 2147483647;
      return Math.floor((seed / 2147483647) * max);
    };
    for (let i = 0; i < 500; i++) {
      const total = 8 * 1024 ** 3 + next(72 * 1024 ** 3);
      const lease = (job, kind) => ({ job, class: kind, budget: next(total / 6), used: next(total / 6) });
      const device = { total, safety: next(1024 ** 3), foreign: next(2 * 1024 ** 3), headroom:
        next(total / 5),
        leases: [lease(1, "inference"), lease(2, "training"), lease(3, "synthesis")] };
      const { list, total: card, over } = segments(device);
      const sum = Math.round(list.reduce((s, x) => s + x.gib, 0) * 10);
      if (sum - Math.round(over * 10) !== Math.round(card * 10)) bad.push([i, sum, card, over]);
    }
    return bad;
  });
  equal(wrong, [], "bars that do not add up");
}));

test("why: terms add up after rounding, the comparison agrees, the panel names each gate", () =>
  visit("#/", {}, async (page) => {
  const numbers = (await page.locator(".why .strip b").allInnerTexts()).map((text) =>
    tenths(text.replace(/[^\d.]/g, "")));
  const [card, ...rest] = numbers;
  const needed = rest.pop(), sum = rest.pop();
  equal(card - rest.reduce((a, b) => a + b, 0), sum, "card minus terms");
  equal([card, sum, needed], [240, 73, 140], "card, available, needed");
  ok((await page.locator(".why").innerText()).includes("6.7 GiB 부족"), "the shortfall is not said");
  equal(await page.locator(".why .gate .code").allInnerTexts(), ["vram_budget", "outside_window"], "codes");
  const off = await page.evaluate(async () => {
    const { vramTerms } = await import("/why.js");
    const bad = [];
    let seed = 5;
    const next = (max) => {
      seed = (seed * 16807) % 2147483647;
      return Math.floor((seed / 2147483647) * max);
    };
    for (let i = 0; i < 500; i++) {
      const capacity = 8 * 1024 ** 3 + next(72 * 1024 ** 3);
      const held = [1, 2, 3, 4, 5].slice(0, next(6)).map((job) => ({ job, bytes: next(capacity / 8) }));
      const d = { capacity, safety: next(2 ** 30), foreign: next(2 ** 31), held: held.reduce((s, h) => s +
        h.bytes, 0), held_by: held,
        headroom: next(capacity / 5), needed: next(capacity), available: 0 };
      const s = vramTerms(d);
      const left = Math.round(s.capacity * 10) - s.terms.reduce((sum, x) => sum + Math.round(x.value * 10),
        0);
      if (left !== Math.round(s.sum * 10)) bad.push([i, left, s.sum]);
    }
    return bad;
  });
  equal(off, [], "sums that do not add up");
}));

test("why: a change opens a dialog with its cost, the safe button has the focus", () =>
  visit("#/", {}, async (page, mock) => {
  await page.getByRole("button", { name: "790 양보" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  ok((await dialog.innerText()).includes("7.0 GiB"), "the dialog does not say what comes back");
  equal(await page.evaluate(() => document.activeElement.textContent), "계속 실행", "focused button");
  await page.keyboard.press("Escape");
  equal(mock.requests.filter((r) => r.method === "POST" && r.route.endsWith("/preempt")).length, 0,
    "requests before a yes");
  await page.getByRole("button", { name: "790 양보" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "양보", exact: true }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  equal(mock.requests.filter((r) => r.route === "/jobs/790/preempt").length, 1, "requests after a yes");
}));

test("text stays text: markup in names and logs is shown, not run", () => {
  const nasty = "<img src=x onerror=\"document.title='owned'\">";
  const scene = { jobs: jobs.map((j) => (j.id === 812 ? { ...j, name: nasty } : j)) };
  return visit("#/jobs", { scene }, async (page) => {
    for (const hash of ["#/jobs", "#/", "#/jobs/812", "#/jobs/790?tab=log"]) {
      await go(page, hash);
      equal(await page.locator("main img, main script").count(), 0, `elements out of text on ${hash}`);
    }
    await page.locator(".log", { hasText: "alert(1)" }).waitFor();   // the log comes after its page
    ok((await page.locator(".log").innerText()).includes("<script>alert(1)</script>"),
      "the log line is not shown as it is");
    ok((await page.title()).endsWith("nightshift"), "the title was taken over");
  });
});

test("a viewer gets no button that changes anything", () => visit("#/", { scene: { role: "viewer" } },
  async (page) => {
  const banned = /일시정지|새 작업|취소|중지|보류|양보|제출|다시 실행|지금 실행|새 예약|삭제|적용|수정/;
  for (const hash of PAGES.filter((h) => h !== "#/help")) {
    await go(page, hash);
    const words = await page.locator("main button:not(.reason), main a.btn").allInnerTexts();
    equal(words.filter((word) => banned.test(word)), [], `buttons on ${hash}`);
  }
}));

test("live: progress from the stream shows at once, without another request", () =>
  visit("#/", {}, async (page, mock) => {
  await page.getByText("실시간").waitFor();
  const before = mock.requests.length;
  emit(mock, "job", { at: "2026-11-18T09:48:01Z", kind: "progress", job: 790, attempt: 3,
    data: { phase: "epoch", step: 87, steps: 120, eta_s: 27500, metrics: { loss: 0.111 } } });
  await page.getByText("87/120 epoch · loss 0.111").waitFor({ timeout: 3000 });
  equal(mock.requests.length, before, "requests");
}));

test("live: rows keep their place while the pointer is inside, and move when it leaves", () => {
  const scene = { jobs: [...jobs] };
  return visit("#/", { scene }, async (page, mock) => {
    const rows = page.locator("table.now").nth(1).locator("tbody tr");
    await rows.nth(1).hover();
    const order = async () => (await rows.locator("td.t .small").allInnerTexts()).map(Number);
    const before = await order();
    mock.jobs = jobs.filter((j) => j.id !== 812).concat([{ ...jobs[1], id: 830, name: "urgent", class:
      "inference" }]);
    emit(mock, "job", { kind: "submitted", job: 830, data: {} }, 9001);
    await page.getByText("urgent").waitFor();
    equal(await order(), [...before, 830], "order under the pointer");
    await page.mouse.move(5, 5);
    emit(mock, "job", { kind: "edited", job: 830, data: {} }, 9002);
    await page.waitForFunction(() => document.querySelectorAll("table.now")[1]
      .querySelector("tbody .small").textContent === "830");
    ok(!(await order()).includes(812), "the job that went is still shown");
  });
});

test("live: a change of values moves nothing on the page", () => visit("#/", {}, async (page, mock) => {
  const places = () => page.evaluate(() =>
    [...document.querySelectorAll("main h2, main table tr, .vbar > *, .why .gate")]
    .map((el) => { const r = el.getBoundingClientRect(); return [r.left, r.top,
      r.height].map(Math.round); }));
  const before = await places();
  emit(mock, "job", { kind: "progress", job: 790, attempt: 3, data: { phase: "epoch", step: 119, steps:
    120, eta_s: 60, metrics: { loss: 0.08 } } });
  await page.getByText("119/120 epoch").waitFor();
  equal(await places(), before, "places");
}));

test("live: when the daemon goes, the page says the age and the command, and comes back by itself", () =>
  visit("#/", {}, async (page, mock) => {
  await page.getByText("실시간").waitFor();
  await mock.stop();
  await page.getByText("연결 끊김").waitFor({ timeout: 10_000 });
  ok((await page.locator("main").innerText()).includes("nightshift up"), "the command is not named");
  ok(await page.locator("table.now").count() === 2, "the last picture is gone");
}));

test("new job: a bad field is marked inline and stops the submit; curl mirrors the form", () => visit(
  "#/new?kind=train.dream", {}, async (page, mock) => {
  await page.locator("#p-features").fill("job:802");
  await page.locator("#p-epochs").fill("60");
  await page.locator("#f-name").fill("it's me");
  await page.getByText("방금 계산").waitFor();
  const dry = mock.requests.filter((r) => r.query === "?dry_run=1");
  ok(dry.length >= 1 && dry.length <= 3, `${dry.length} dry runs for three quick changes`);
  equal(JSON.parse(dry.at(-1).body).params, { features: "job:802", epochs: 60 }, "params of the dry run");
  const curl = await page.locator("pre.curl").innerText();
  ok(curl.includes('"epochs": 60') && curl.includes("it'\\''s me"), `curl is ${curl}`);
  await page.locator("#p-lr").fill("1.5");
  await page.locator("#p-lr-note .bad").waitFor();
  ok(await page.getByRole("button", { name: "제출", exact: true }).isDisabled(), "submit is possible");
  ok((await page.locator("aside").innerText()).includes("고칠 곳 1"), "the count is missing");
  await page.locator("#p-lr").fill("0.01");
  await page.getByText("방금 계산").waitFor();
  await page.getByRole("button", { name: "제출", exact: true }).click();
  await page.waitForFunction(() => location.hash === "#/jobs/815");
  const posted = mock.requests.find((r) => r.route === "/jobs" && r.method === "POST" && r.query === "");
  equal(JSON.parse(posted.body), { kind: "train.dream", name: "it's me", params: { features: "job:802",
    epochs: 60, lr: 0.01 } }, "submitted");
  ok(posted.headers["idempotency-key"], "no Idempotency-Key");
}));

test("new job: what the daemon refuses stands at its field", () => visit("#/new?kind=sleep", {},
  async (page) => {
  await page.locator("#f-name").fill("refuse-me");
  await page.locator("#f-name-note .bad").waitFor();
  ok((await page.locator("#f-name-note").innerText()).includes("not this one"), "the field does not say why");
}));

test("new job: a command line becomes an argv list", () => visit("#/new?kind=command", {}, async (page) => {
  await page.locator("#r-command").fill(`python3 train.py --name "two words" '' a\\ b`);
  await page.locator(".arg").nth(5).waitFor();
  equal(await page.locator(".arg").allInnerTexts(), ["python3", "train.py", "--name", "two words", "",
    "a b"], "argv");
  ok((await page.locator("pre.curl").innerText()).includes('"two words"'), "curl has another argv");
}));

test("jobs: filters make the address, unknown ones can be dropped, many are cancelled after a yes", () =>
  visit("#/jobs", {}, async (page, mock) => {
  await page.getByRole("button", { name: /^대기 5/ }).click();
  await page.waitForFunction(() => document.querySelectorAll("table.jobs tbody tr").length === 5);
  equal(await page.evaluate(() => location.hash), "#/jobs?state=waiting", "address");
  await page.getByRole("searchbox").fill("nothing like this");
  await page.getByText("조건에 맞는 작업 없음").waitFor();
  await page.locator("p.empty").getByRole("button").click();
  await page.waitForFunction(() => document.querySelectorAll("table.jobs tbody tr").length > 10);
  await page.getByRole("checkbox", { name: "813 " }).check();
  await page.getByRole("checkbox", { name: "812 " }).check();
  await page.locator(".bulk", { hasText: "18.0 GiB" }).waitFor();
  await page.locator(".bulk").getByRole("button", { name: "취소" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "2개 취소" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  equal(mock.requests.filter((r) => r.route.endsWith("/cancel")).map((r) => r.route).sort(),
    ["/jobs/812/cancel", "/jobs/813/cancel"], "cancelled");
}));

test("log: search counts, n goes to the error, progress lines fold", () => visit("#/jobs/796?tab=log", {},
  async (page) => {
  await page.locator(".lrow.bad").waitFor();
  ok((await page.locator(".log").innerText()).includes("줄 접음"), "nothing is folded");
  await page.locator(".log").focus();
  await page.keyboard.press("n");
  await page.locator(".lrow.bad.marked").waitFor();
  await page.getByRole("searchbox").fill("validation");
  await page.getByText("2개 중 1번째").waitFor();
  await page.keyboard.press("Enter");
  await page.getByText("2개 중 2번째").waitFor();
  equal(await page.locator(".log mark").count(), 2, "marks");
}));

test("log: a line without end, returns alone and bytes that are no text cost and show little", () => {
  const logs = { 796: ["x".repeat(20_000_000), `${"50% \r".repeat(500_000)}done 100%\r\r`,
    "a\u0000\u0007b\u202ec\u001b[2J\u001b]0;title\u0007d\ufffde", "end", ""].join("\n") };
  return visit("#/jobs/796?tab=log", { scene: { logs } }, async (page) => {
    await page.locator(".lrow", { hasText: "end" }).waitFor();
    const lines = await page.locator(".log .ltext").allTextContents();
    equal(lines.length, 4, "lines");
    equal(lines[0], `${"x".repeat(4000)} … 그리고 19,996,000자 더`, "the long line");
    equal(lines[1], "done 100%", "what a terminal would show");
    equal(lines[2], "a\ufffd\ufffdb\ufffdcd\ufffde", "no character that a reader cannot see");
  });
});

test("keys: physical keys work in Hangul mode and never inside a field", () =>
  visit("#/", {}, async (page) => {
  const press = (code, key) => page.evaluate(([c, k]) => document.activeElement.dispatchEvent(
    new KeyboardEvent("keydown", { code: c, key: k, bubbles: true, cancelable: true })), [code, key]);
  await press("KeyG", "ㅎ");
  await press("KeyJ", "ㅓ");
  await page.waitForFunction(() => location.hash === "#/jobs");
  await press("Slash", "/");
  equal(await page.evaluate(() => document.activeElement.type), "search", "focused field");
  await press("KeyT", "ㅅ");
  equal(await page.evaluate(() => document.documentElement.dataset.theme), "light",
    "theme after a key in a field");
  await press("Escape", "Escape");
  await press("KeyT", "ㅅ");
  equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark", "theme after the key");
}));

test("language and theme are kept for the next visit, the language from the browser first", () =>
  visit("#/", { locale: "en-GB" }, async (page) => {
  await page.getByRole("heading", { name: "All well" }).waitFor();
  await page.getByRole("button", { name: "한국어" }).click();
  await page.getByRole("heading", { name: "정상" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "정상" }).waitFor();
  equal(await page.evaluate(() => document.documentElement.lang), "ko", "language");
}));

test("night contract: the waiting list says how much of the queue will be done by morning", () =>
  visit("#/", {}, async (page, mock) => {
    await page.getByText("5개 중 2개 완료 예상").waitFor();
    // A forecast costs the daemon some work: one event more asks for no second one.
    const asked = () => mock.requests.filter((r) => r.route === "/plan").length;
    const before = mock.requests.length;
    emit(mock, "job", { kind: "edited", job: 830, data: {} }, 9002);
    while (mock.requests.length === before) await page.waitForTimeout(20);
    equal(asked(), 1, "forecasts asked for");
  }));

test("empty: the first page offers a first job and a curl line, no blank table", () =>
  visit("#/", { scene: { empty: true } }, async (page) => {
  await page.getByRole("heading", { name: "준비됨" }).waitFor();
  ok((await page.locator("pre.box").innerText()).startsWith("curl -sS -H @auth.hdr http://127.0.0.1:"),
    "no curl line");
  equal(await page.locator("main table").count(), 0, "tables");
  for (const hash of ["#/jobs", "#/gpu"]) {
    await go(page, hash);
    ok((await page.locator("main").innerText()).length > 40, `${hash} is blank`);
  }
}));

test("queue: pausing states its effect and shows a verdict of its own", () =>
  visit("#/", {}, async (page, mock) => {
  await page.getByRole("button", { name: "대기열 일시정지" }).click();
  await page.getByRole("dialog").locator("input").fill("장비 점검");
  await page.getByRole("dialog").getByRole("button", { name: "일시정지" }).click();
  await page.getByRole("heading", { name: "일시정지" }).waitFor();
  equal(JSON.parse(mock.requests.find((r) => r.route === "/queue/pause").body), { reason: "장비 점검" }, "body");
  await page.getByRole("button", { name: "재개" }).click();
  await page.getByRole("heading", { name: "정상" }).waitFor();
}));

test("accessibility: buttons, fields and links have names, one main heading a page", () =>
  visit("#/", {}, async (page) => {
  for (const hash of PAGES) {
    await go(page, hash);
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll("button, a[href], input, select, textarea")].filter((el) => {
      const label = el.labels?.[0]?.textContent ?? "";
      return !(el.getAttribute("aria-label") ?? el.title ?? "").trim() && !label.trim() &&
        !el.textContent.trim() && !el.placeholder;
    }).map((el) => el.outerHTML.slice(0, 120)));
    equal(nameless, [], `without a name on ${hash}`);
    equal(await page.locator("h1").count(), 1, `main headings on ${hash}`);
  }
}));

export { gib };
