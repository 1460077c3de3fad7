/** Serves the sample page with the pages' Content-Security-Policy; it is not part of the service. */

import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const dist = path.resolve(here, "../../benchmark_manager/web/static/dist");
const KINDS = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const EXACT = "\ufeffone: 1\r\n  two: 😀 bad\nthree: 3\r\nfour: 4";
const FILES = ["config/a.yaml", "config/b.yaml", "job/c.yaml"];

let drawn = 0;
const listeners = new Set();
/** The last request by path, for checks of the page. */
const asked = {};

const escaped = (text) => text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
const items = (names) => names.map((name, index) => `<li id="file-${index}">${escaped(name)}</li>`).join("");

async function pageFor(url, merged = "1") {
  drawn += 1;
  const nonce = randomBytes(16).toString("base64");
  const query = url.searchParams.get("q") ?? "";
  const values = {
    nonce,
    lang: url.searchParams.get("lang") || "en",
    theme: url.searchParams.get("theme") || "auto",
    count: drawn,
    ...Object.fromEntries(["auto", "light", "dark"].map((theme) => [theme, (url.searchParams.get("theme") || "auto") === theme])),
    time: new Date(Date.now() - 190_000).toISOString(),
    rows: drawn % 2 ? items(FILES) : items([...FILES, "new"]),
    q: escaped(query),
    results: items(FILES.filter((name) => name.includes(query))),
    exact: escaped(JSON.stringify(EXACT)),
    content: escaped(EXACT),
    merged,
  };
  const template = await readFile(path.join(here, "index.html"), "utf8");
  return { nonce, html: template.replace(/\{\{(\w+)\}\}/g, (_, name) => String(values[name])) };
}

async function sendPage(response, url, merged) {
  const { nonce, html } = await pageFor(url, merged);
  response.writeHead(200, {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": `default-src 'self'; style-src 'self' 'nonce-${nonce}'; base-uri 'none'; frame-ancestors 'none'`,
  });
  response.end(html);
}

async function sendFile(response, file) {
  try {
    const bytes = await readFile(file);
    response.writeHead(200, { "Content-Type": KINDS[path.extname(file)] ?? "text/plain" }).end(bytes);
  } catch {
    response.writeHead(404).end();
  }
}

function sendJson(response, value) {
  response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(value));
}

/** Reports every "bad" as an error, as a validator would. */
function verdictOn({ content }) {
  const problems = content.split(/\r\n?|\n/).flatMap((line, index) => {
    const at = line.indexOf("bad");
    const column = [...line.slice(0, at)].length + 1;
    return at < 0 ? [] : [{ severity: "error", code: "bad_word", message: "Bad is bad.", line: index + 1, column }];
  });
  return { validity: problems.length > 0 ? "invalid" : "valid", problems };
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function post(request, response, url) {
  const body = await bodyOf(request);
  asked[url.pathname] = { body, token: request.headers["x-csrf-token"] ?? null };
  if (url.pathname === "/validate") {
    sendJson(response, verdictOn(JSON.parse(body)));
  } else if (url.pathname === "/preview") {
    const chosen = { base: "1", theirs: "2", mine: "3" }[new URLSearchParams(body).get("a")];
    await sendPage(response, url, chosen);
  } else if (url.pathname === "/theme") {
    response.writeHead(303, { Location: `/?${body}` }).end();
  } else if (url.pathname === "/tell") {
    listeners.forEach((listener) => listener.write("data: {}\n\n"));
    response.writeHead(204).end();
  } else {
    response.writeHead(303, { Location: "/saved" }).end();
  }
}

async function get(request, response, url) {
  const name = path.basename(url.pathname);
  if (url.pathname === "/") {
    await sendPage(response, url);
  } else if (url.pathname === "/saved") {
    response.writeHead(200, { "Content-Type": "text/html" });
    response.end('<!doctype html><title>Saved</title><link rel="icon" href="/icon.svg"><script type="module" src="/ui/static/dist/app.js"></script><p>Saved');
  } else if (url.pathname === "/asked") {
    sendJson(response, asked);
  } else if (url.pathname === "/events") {
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" }).write(": hello\n\n");
    listeners.add(response);
    request.on("close", () => listeners.delete(response));
  } else {
    await sendFile(response, path.join(url.pathname.startsWith("/ui/static/dist/") ? dist : here, name));
  }
}

const port = Number(process.env.PORT ?? 8123);
createServer((request, response) => {
  const url = new URL(request.url ?? "/", `http://localhost:${port}`);
  void (request.method === "POST" ? post(request, response, url) : get(request, response, url));
}).listen(port, "127.0.0.1", () => console.log(`http://localhost:${port}/`));
