// Bundle src/ and the icons into the folder named by the first argument. Called by build.py.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const dist = process.argv[2];
const next = `${dist}.next`; // Made beside the old folder and then swapped in: a running server always finds its files.
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
    entryPoints: ["src/app.js", "src/app.css", "src/theme.js", "src/formula.js"],
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
  const { icons } = JSON.parse(readFileSync("node_modules/@iconify-json/tabler/icons.json", "utf8"));
  const names = readFileSync("icons.txt", "utf8").split("\n").map((line) => line.replace(/#.*/, "").trim()).filter(Boolean);
  const unknown = names.filter((name) => !Object.hasOwn(icons, name));
  const twice = names.filter((name, place) => names.indexOf(name) !== place);
  if (unknown.length) fail(`no Tabler icon named ${unknown.join(", ")}`);
  if (twice.length) fail(`named twice: ${twice.join(", ")}`);
  const symbols = names.map((name) => symbol(name, icons[name].body));
  return Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`);
}

function symbol(name, shapes) {
  // What all lines of an outline icon have in common stands once, on the symbol; their width is left to the page's CSS.
  const line = 'fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"';
  const paint = name.endsWith("-filled") ? "" : ` ${line}`;
  return `<symbol id="${name}" viewBox="0 0 24 24"${paint}>${shapes.replaceAll(` ${line} stroke-width="2"`, "")}</symbol>`;
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
