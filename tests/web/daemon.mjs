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
  const daemon = { data, port: 0 };
  let child, ended;

  daemon.start = async () => {
    child = spawn(path.join(bin, "nightshiftd"), ["--data", data, "--listen", `127.0.0.1:${daemon.port}`,
      "--socket", "none", "--simulate", "gpu=8GiB", "--log-level", "warn"],
        { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => { said += bytes; });
    ended = new Promise((resolve) => { child.on("exit", resolve); });
    const deadline = Date.now() + START_MS;
    while (instanceOf(data)?.pid !== child.pid) {
      const isOver = child.exitCode !== null || Date.now() > deadline;
      if (isOver) throw new Error(`the daemon did not start: ${said}`);
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
    daemon.port = instanceOf(data).port;
    daemon.url = `http://127.0.0.1:${daemon.port}`;
  };
  daemon.kill = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  daemon.stop = async () => {
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await ended;
    clearTimeout(late);
    fs.rmSync(box, { recursive: true, force: true, maxRetries: 5 });
  };
  daemon.api = async (method, route, body) => {
    const [, token] = /Bearer\s+(\S+)/.exec(fs.readFileSync(path.join(data, "operator.hdr"), "utf8"));
    const response = await fetch(`${daemon.url}/api/v1${route}`, { method, body: body && JSON.stringify(body),
      headers: { Authorization: `Bearer ${token}`, ...(body ? { "Content-Type": "application/json" } :
        {}) } });
    return response.json();
  };
  /** A request with headers that fetch does not let through, e.g. another Host. */
  daemon.ask = (route, headers) => new Promise((resolve, reject) => {
    http.get({ host: "127.0.0.1", port: daemon.port, path: route, headers }, (response) => {
      response.resume();
      response.on("end", () => resolve(response));
    }).on("error", reject);
  });
  await daemon.start();
  return daemon;
}

function instanceOf(data) {
  try { return JSON.parse(fs.readFileSync(path.join(data, "instance.json"), "utf8")); } catch { return null; }
}
