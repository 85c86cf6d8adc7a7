// Bundle src/ and the icons into the folder named by the first argument. Called by build.py.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const dist = process.argv[2];
const next = `${dist}.next`; // Made beside the old folder and then swapped in: a running server always finds its files.
const icons = "node_modules/@tabler/icons/icons";
const manifest = {};

rmSync(next, { recursive: true, force: true });
mkdirSync(next, { recursive: true });
await bundle();
emit("icons.svg", iconSprite());
writeFileSync(join(next, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
rmSync(dist, { recursive: true, force: true });
renameSync(next, dist);

async function bundle() {
  const result = await build({
    entryPoints: ["src/app.js", "src/app.css"],
    bundle: true,
    minify: true,
    sourcemap: false,
    write: false,
    format: "esm",
    target: ["chrome111", "firefox114", "safari16.4"],
    legalComments: "none",
    charset: "utf8",
    outdir: ".",
    loader: { ".svg": "dataurl", ".woff2": "dataurl" },
    logLevel: "warning",
  });
  for (const file of result.outputFiles) emit(basename(file.path), Buffer.from(file.contents));
}

/** One <symbol> for each name in icons.txt; `star-filled` is the filled variant of `star`. */
function iconSprite() {
  const names = readFileSync("icons.txt", "utf8").split("\n").map((line) => line.replace(/#.*/, "").trim()).filter(Boolean);
  const unknown = names.filter((name) => !existsSync(iconFile(name)));
  const twice = names.filter((name, place) => names.indexOf(name) !== place);
  if (unknown.length) fail(`no Tabler icon named ${unknown.join(", ")}`);
  if (twice.length) fail(`named twice: ${twice.join(", ")}`);
  return Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg">${names.map(symbol).join("")}</svg>`);
}

function iconFile(name) {
  return name.endsWith("-filled") ? join(icons, "filled", `${name.slice(0, -7)}.svg`) : join(icons, "outline", `${name}.svg`);
}

function symbol(name) {
  const shapes = readFileSync(iconFile(name), "utf8").match(/<svg[^>]*>([\s\S]*)<\/svg>/)[1];
  const paint = name.endsWith("-filled")
    ? 'fill="currentColor"'
    : 'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"';
  // Outline icons start with an invisible square, which only makes them longer.
  const drawn = shapes.replace(/<path stroke="none"[^>]*\/>/, "").replace(/\s*\n\s*/g, "");
  return `<symbol id="${name}" viewBox="0 0 24 24" ${paint}>${drawn}</symbol>`;
}

function emit(name, content) {
  const [stem, suffix] = name.split(".");
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10);
  const file = `${stem}-${hash}.${suffix}`;
  const path = join(next, file);
  writeFileSync(path, content);
  writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
  writeFileSync(`${path}.br`, brotliCompressSync(content, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
  }));
  manifest[name] = file;
}

function fail(sentence) {
  console.error(`icons.txt: ${sentence}`);
  process.exit(1);
}
