/**
 * Builds the scripts into `benchmark_manager/web/static/dist/`, with a manifest and the licences of
 * their packages.
 *
 * The same sources and lock file give the same bytes. The build fails if a page's scripts exceed
 * their budget.
 */

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const target = path.resolve(here, "../benchmark_manager/web/static/dist");

/** Compressed kilobytes that a page may load; the scripts must leave room for the style sheets. */
const BUDGETS = { "app.js": 40, editor: 230 };

const common = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  // Supported by every browser that has `light-dark()` and <dialog>.
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  write: false,
  logLevel: "warning",
  outdir: target,
};

/**
 * Return both bundles in memory. `app.js` has no imports; `editor.js` loads its merge view only if
 * needed.
 */
async function bundles() {
  return Promise.all([
    build({ ...common, entryPoints: ["src/app.ts"], format: "iife" }),
    build({
      ...common,
      entryPoints: ["src/editor.ts"],
      format: "esm",
      splitting: true,
      chunkNames: "chunk-[hash]",
    }),
  ]);
}

/** Return the names of the packages whose code is in the bundles. */
function packagesIn(results) {
  const inputs = results.flatMap(({ metafile }) =>
    Object.values(metafile.outputs).flatMap((output) =>
      Object.entries(output.inputs).flatMap(([input, { bytesInOutput }]) => (bytesInOutput > 0 ? [input] : [])),
    ),
  );
  const names = inputs.map((input) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1]);
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

async function licenceOf(name) {
  const folder = path.join(here, "node_modules", name);
  const { version, license } = JSON.parse(await readFile(path.join(folder, "package.json"), "utf8"));
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) {
    throw new Error(`${name} ${version} has no licence file`);
  }
  const text = await readFile(path.join(folder, file), "utf8");
  return `${name} ${version} (${license})\n\n${text.trim()}\n`;
}

const size = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

function checkBudgets(files) {
  const compressed = new Map(files.map(({ path: file, contents }) => [path.basename(file), gzipSync(contents).length]));
  for (const { path: file, contents } of files) {
    const name = path.basename(file);
    console.log(`${name}: ${size(contents.length)}, ${size(compressed.get(name))} compressed`);
  }
  const everything = [...compressed.values()].reduce((sum, bytes) => sum + bytes, 0);
  for (const [what, bytes, budget] of [
    ["app.js", compressed.get("app.js"), BUDGETS["app.js"]],
    ["an editor page", everything, BUDGETS.editor],
  ]) {
    if (bytes > budget * 1000) {
      throw new Error(`${what} has ${size(bytes)}; its budget is ${budget} kB`);
    }
  }
}

async function main() {
  const results = await bundles();
  const files = results.flatMap(({ outputFiles }) => outputFiles);
  checkBudgets(files);
  const licences = (await Promise.all(packagesIn(results).map(licenceOf))).join(`\n${"-".repeat(78)}\n\n`);
  const hashed = files.map(({ path: file, contents }) => [
    path.basename(file),
    createHash("sha256").update(contents).digest("hex"),
  ]);
  const manifest = Object.fromEntries(hashed.sort(([one], [other]) => (one < other ? -1 : 1)));
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  await Promise.all(files.map(({ path: file, contents }) => writeFile(file, contents)));
  await writeFile(path.join(target, "LICENSES.txt"), licences);
  // Written last, because its presence marks a complete build.
  await writeFile(path.join(target, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}

await main();
