// Takes the pictures: node shoot.mjs ALL KEPT < scenes.json
// Every scene in light and dark goes into the folder ALL; those that a scene keeps also go into KEPT.
// node shoot.mjs --heights MOST < scenes.json prints the height of each reply in CSS pixels, and fails if one is higher than MOST.
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import UPNG from "upng-js";

const [all, kept] = process.argv.slice(2);
const most = all === "--heights" ? Number(kept) : 0;
const here = fileURLToPath(new URL(".", import.meta.url));
const MOST_BYTES = 150_000; // of a kept picture: a clone stays small
const COLOURS = 128; // letters have few, and fewer make a smaller file

const names = ["chromium", "chromium-browser", "google-chrome"];
const folders = (process.env.PATH ?? "").split(delimiter);
const executablePath = names.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
if (!executablePath) {
  console.error("make pictures needs Chromium. On Debian and Ubuntu: apt install chromium");
  process.exit(1);
}

const scenes = JSON.parse(await text(process.stdin));
const bundle = await build({
  entryPoints: [join(here, "page.jsx")],
  bundle: true,
  write: false,
  outdir: here,
  jsx: "automatic",
  define: { "process.env.NODE_ENV": '"production"' },
  loader: { ".woff2": "dataurl" },
  minify: true,
  logLevel: "error",
});
const made = (ending) => bundle.outputFiles.find((file) => file.path.endsWith(ending)).text;
const html = `<!doctype html><meta charset="utf-8"><style>${made(".css")}</style><div id="picture"></div>`;

const reduced = (picture) => {
  const image = UPNG.decode(picture);
  return Buffer.from(UPNG.encode([UPNG.toRGBA8(image)[0]], image.width, image.height, COLOURS));
};

const root = process.getuid?.() === 0;
const quiet = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--font-render-hinting=none",
];
const browser = await chromium.launch({ executablePath, args: root ? ["--no-sandbox", ...quiet] : quiet });
const measure = async (page, scenes) => {
  const measured = [];
  for (const scene of scenes) {
    for (const theme of ["light", "dark"]) {
      await page.evaluate(([each, colours]) => window.show(each, colours), [scene, theme]);
      const { height } = await page.locator(".row").last().boundingBox();
      measured.push([Math.ceil(height), `${scene.name}-${theme}`]);
    }
  }
  return measured.sort(([one], [other]) => other - one);
};

try {
  if (!most) await mkdir(all, { recursive: true });
  if (!most) await mkdir(kept, { recursive: true });
  const page = await browser.newPage({ viewport: { width: 1000, height: 1000 }, deviceScaleFactor: 2 });
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("request", (request) => /^https?:/.test(request.url()) && faults.push(`wanted ${request.url()}`));
  await page.setContent(html);
  await page.addScriptTag({ content: made(".js") });
  const measured = most ? await measure(page, scenes) : [];
  for (const [height, name] of measured) {
    console.log(`${String(height).padStart(5)}  ${name}`);
    if (height > most) faults.push(`${name}: ${height} pixels high, at most ${most}`);
  }
  for (const scene of most ? [] : scenes) {
    for (const theme of ["light", "dark"]) {
      const file = `${scene.name}-${theme}.png`;
      await page.evaluate(([each, colours]) => window.show(each, colours), [scene, theme]);
      const picture = await page.locator("#picture").screenshot({ path: join(all, file), omitBackground: true });
      if (scene.kept.includes(theme)) {
        const small = reduced(picture);
        if (small.length > MOST_BYTES) faults.push(`${file}: ${small.length} bytes, at most ${MOST_BYTES}`);
        await writeFile(join(kept, file), small);
      }
    }
  }
  if (faults.length) throw new Error(faults.join("\n"));
  if (!most) console.log(`${scenes.length * 2} pictures in ${all}, the kept ones in ${kept}`);
} finally {
  await browser.close();
}
