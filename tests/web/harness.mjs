// A test runner in a page: named cases, one line each, "N passed, N failed, N skipped" at the end.

const cases = [];
export function test(name, body) { cases.push({ name, body }); }

export class Skip extends Error {}
export const skip = (reason) => { throw new Skip(reason); };

export function equal(actual, expected, what = "value") {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) {
    throw new Error(`${what}: ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`);
  }
}
export function ok(value, what) {
  if (!value) throw new Error(what);
}

/** Runs the cases whose name contains `only` and returns the exit status. */
export async function run(only = "") {
  const totals = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, body } of cases.filter((c) => c.name.includes(only))) {
    const started = performance.now();
    let verdict = "passed", note = "";
    try {
      await body();
    } catch (error) {
      verdict = error instanceof Skip ? "skipped" : "failed";
      note = verdict === "skipped" ? `: ${error.message}` :
        `\n    ${(error.stack ?? error.message).split("\n").slice(0, 6).join("\n    ")}`;
    }
    totals[verdict]++;
    console.log(`${verdict.padEnd(7)} ${name} (${Math.round(performance.now() - started)} ms)${note}`);
  }
  console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  return totals.failed ? 1 : 0;
}
