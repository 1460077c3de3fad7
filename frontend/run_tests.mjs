/**
 * Bundles the tests, because Node 20 cannot read TypeScript, and runs them with Node's test runner.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const names = readdirSync(path.join(here, "test")).filter((name) => name.endsWith(".test.ts"));
// Inside node_modules, so that the bundles find the packages that they do not contain.
const folder = mkdtempSync(path.join(here, "node_modules", ".tests-"));

try {
  buildSync({
    absWorkingDir: here,
    entryPoints: names.map((name) => path.join("test", name)),
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: "inline",
    logLevel: "warning",
  });
  const files = names.map((name) => path.join(folder, name.replace(/\.ts$/, ".mjs")));
  const { status } = spawnSync(process.execPath, ["--enable-source-maps", "--test", "--test-reporter=dot", ...files], {
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
