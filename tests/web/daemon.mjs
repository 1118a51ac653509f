// A real daemon for a test: a free port, a simulated card, a data folder with Korean and a space in its path.
import { spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";

const START_MS = 20_000, STOP_MS = 10_000;

/** Starts `bin`/nightshiftd and resolves when it answers. stop() ends it and removes the folder. */
export async function startDaemon(bin) {
  const box = fs.mkdtempSync(path.join(os.tmpdir(), "nightshift-web-"));
  const data = path.join(box, "야간 데이터");
  const child = spawn(path.join(bin, "nightshiftd"), ["--data", data, "--listen", "127.0.0.1:0",
    "--socket", "none",
    "--simulate", "gpu=8GiB", "--log-level", "warn"], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => { said += bytes; });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  const instance = path.join(data, "instance.json");
  const deadline = Date.now() + START_MS;
  while (!fs.existsSync(instance)) {
    const isOver = child.exitCode !== null || Date.now() > deadline;
    if (isOver) throw new Error(`the daemon did not start: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { port } = JSON.parse(fs.readFileSync(instance, "utf8"));
  const token = /Bearer\s+(\S+)/.exec(fs.readFileSync(path.join(data, "operator.hdr"), "utf8"))[1];
  const url = `http://127.0.0.1:${port}`;
  return {
    url, port, data, said: () => said,
    api: async (method, route, body) => {
      const response = await fetch(`${url}/api/v1${route}`, { method, body: body && JSON.stringify(body),
        headers: { Authorization: `Bearer ${token}`, ...(body ? { "Content-Type": "application/json" } :
          {}) } });
      return response.json();
    },
    /** A request with headers that fetch does not let through, e.g. another Host. */
    ask: (route, headers) => new Promise((resolve, reject) => {
      http.get({ host: "127.0.0.1", port, path: route, headers }, (response) => {
        response.resume();
        response.on("end", () => resolve(response));
      }).on("error", reject);
    }),
    async stop() {
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
      await ended;
      clearTimeout(late);
      fs.rmSync(box, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
