// The files themselves: small, closed, and the same words in both languages.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { equal, ok, skip, test } from "./harness.mjs";
import { asset } from "./mock/server.mjs";

const web = fileURLToPath(new URL("../../web/", import.meta.url));
const GZIP_BYTES_MAX = 100 * 1024;
const list = fs.readFileSync(path.join(web, "CMakeLists.txt"), "utf8");
const embedded = [...list.matchAll(/^\s+(\/[\w./-]*)=\S+/gm)].map((match) => match[1]);
const own = fs.readdirSync(web).filter((name) => /\.(js|css|html|svg)$/.test(name));
const source = (name) => fs.readFileSync(path.join(web, name), "utf8");
const words = async () => (await import(path.join(web, "words.js"))).default;

test("files: every file of the folder is embedded, and nothing else is named", () => {
  const named = embedded.filter((name) => !name.startsWith("/vendor/") && name !== "/").map((name) =>
    name.slice(1));
  equal([...named].sort(), [...own].sort(), "files in CMakeLists.txt");
});

test("files: all together stay below 100 kB gzipped", () => {
  if (!fs.existsSync(path.join(web, "node_modules"))) skip("web/node_modules is missing: npm ci");
  const files = embedded.filter((name) => name !== "/index.html").map((name) => Buffer.from(asset(name)));
  const bytes = gzipSync(Buffer.concat(files), { level: 9 }).length;
  console.log(`        ${files.length} files, ${(bytes / 1024).toFixed(1)} kB gzipped as one archive`);
  ok(bytes < GZIP_BYTES_MAX, `${bytes} bytes gzipped`);
});

test("files: every import is an absolute path of an embedded file", () => {
  for (const name of own.filter((file) => file.endsWith(".js"))) {
    for (const [, target] of source(name).matchAll(/(?:from |import\()\s*"([^"]+)"/g)) {
      ok(embedded.includes(target), `${name} imports ${target}`);
    }
  }
});

test("files: no address of another host, no inline style or handler, no eval, no HTML from text", () => {
  const bans = [/https?:\/\/(?!www\.w3\.org|127\.0\.0\.1)[\w.-]+\.\w+/, /[\s"]style="/, /\son\w+="/,
    /\beval\(|new Function\(/,
    /innerHTML|outerHTML|insertAdjacentHTML|unsafeHTML|document\.write/];
  for (const name of own) {
    for (const ban of bans) ok(!ban.test(source(name)), `${name} has ${ban}`);
  }
});

test("words: each key has two phrases with the same values to fill in", async () => {
  const holes = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();
  for (const [key, phrases] of Object.entries(await words())) {
    equal(phrases.length, 2, `phrases of ${key}`);
    equal(holes(phrases[0]), holes(phrases[1]), key);
  }
});

test("words: every key that the pages name is in the dictionaries", async () => {
  const known = await words();
  for (const name of own.filter((file) => file.endsWith(".js"))) {
    for (const [, key] of source(name).matchAll(/\bt\("([^"]+)"/g)) ok(key in known, `${name} uses ${key}`);
  }
});

test("words: Korean puts no particle after a name or a number", async () => {
  for (const [key, [text]] of Object.entries(await words())) {
    ok(!/\{(job|name|jobs|window)\}(을|를|이|가|은|는|와|과)(?=[\s.,]|$)/.test(text), `${key}: ${text}`);
    ok(!/!/.test(text), `${key} shouts`);
  }
});

/** Relative luminance and contrast as WCAG 2 defines them. */
function contrast(a, b) {
  const luminance = (hex) => {
    const full = hex.length === 4 ? hex.replace(/[\da-f]/g, "$&$&") : hex;
    const [r, g, blue] = [1, 3, 5].map((i) => parseInt(full.slice(i, i + 2), 16) / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * blue;
  };
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

test("colours: text reaches 4.5 and marks 3.0 on page and panel, in both themes", () => {
  const blocks = source("app.css").match(/:root[^{]*\{[^}]*\}/g).slice(0, 2);
  equal(blocks.length, 2, "themes");
  for (const block of blocks) {
    const token = Object.fromEntries([...block.matchAll(/--([\w-]+): (#[\da-f]{3,6})/g)].map((m) =>
      [m[1], m[2]]));
    for (const ground of ["bg", "bg2"]) {
      for (const ink of ["ink", "ink2", "bad", "warn", "ok"]) {
        ok(contrast(token[ink], token[ground]) >= 4.5,
          `${ink} on ${ground}: ${contrast(token[ink], token[ground])}`);
      }
      for (const mark of ["ctl", "inf", "tra", "eva", "syn", "focus"]) {
        ok(contrast(token[mark], token[ground]) >= 3,
          `${mark} on ${ground}: ${contrast(token[mark], token[ground])}`);
      }
    }
    for (const fill of ["inf", "tra", "eva", "syn"]) {
      ok(contrast(token["on-fill"], token[fill]) >= 4.5, `text on ${fill}`);
    }
    ok(contrast(token.ink, token.sel) >= 4.5 && contrast(token.ink, token.badtint) >= 4.5, "ink on a tint");
  }
});
