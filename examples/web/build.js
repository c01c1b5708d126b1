// Builds the page into dist/: `node build.js`, or `node build.js --watch` while working on it.

import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import * as esbuild from 'esbuild';

const watch = process.argv.includes('--watch');

await rm('dist', { recursive: true, force: true });
await mkdir('dist', { recursive: true });

const context = await esbuild.context({
  entryPoints: { app: 'src/main.jsx', style: 'src/style/main.css' },
  outdir: 'dist',
  bundle: true,
  format: 'esm',
  target: ['es2022'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  loader: { '.woff2': 'file' },
  assetNames: 'fonts/[name]-[hash]',
  minify: !watch,
  legalComments: 'linked',
  metafile: true,
  logLevel: 'warning',
  entryNames: watch ? '[name]' : '[name]-[hash]', // so that a server may let browsers keep everything but the page itself
});

async function page({ metafile }) {
  const [script, style] = ['.js', '.css'].map((end) => Object.keys(metafile.outputs).find((name) => /\/(app|style)/.test(name) && name.endsWith(end)));
  const html = await readFile('src/index.html', 'utf8');
  await writeFile('dist/index.html', html.replace('app.js', script.replace('dist/', '')).replace('style.css', style.replace('dist/', '')));
  await cp('src/icon.svg', 'dist/icon.svg');
  await cp('src/manifest.webmanifest', 'dist/manifest.webmanifest');
  await cp('node_modules/@fontsource-variable/figtree/LICENSE', 'dist/fonts/LICENSE');
  return [script, style, ...Object.keys(metafile.outputs).filter((name) => name.endsWith('.woff2'))];
}

const files = await page(await context.rebuild());
if (watch) {
  await context.watch();
  console.log('dist/ is kept up to date');
} else {
  await context.dispose();
  let sum = 0;
  for (const name of [...files, 'dist/index.html']) {
    const size = gzipSync(await readFile(name)).length;
    sum += size;
    console.log(`${String(Math.round(size / 1024)).padStart(5)} KB  ${name}`);
  }
  console.log(`${String(Math.round(sum / 1024)).padStart(5)} KB  in all, gzipped`);
}
