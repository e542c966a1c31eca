#!/usr/bin/env node
/*
 * node tools/screenshots.js [--out docs/screenshots] [--all] [--report FILE.html]
 *
 * Takes pictures of the HTML report in Chromium, which must be on the path (or CHROMIUM names it).
 * By default it takes those in docs/report.md. --all adds every width and colour scheme, greyscale,
 * the tree for screen readers, and the printed page.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'docs/screenshots' },
    report: { type: 'string' },
    config: { type: 'string', default: 'configs/Qwen2.5-7B-Instruct.json' },
    all: { type: 'boolean', default: false },
  },
});

const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };
const KEPT = [
  { name: 'desktop', ...DESKTOP },
  { name: 'phone-dark', ...PHONE, dark: true },
];
const ALL = [
  ...KEPT,
  { name: 'desktop-whole', ...DESKTOP, whole: true },
  { name: 'desktop-dark-whole', ...DESKTOP, dark: true, whole: true },
  { name: 'printed-whole', width: 794, height: 1123, print: true, whole: true },
  { name: 'desktop-grey-whole', ...DESKTOP, grey: true, whole: true },
  { name: 'phone-whole', ...PHONE, whole: true },
  { name: 'phone-dark-whole', ...PHONE, dark: true, whole: true },
];

/** Starts a browser that is controlled through two pipes. `send` resolves to the answer. */
function startBrowser(folder) {
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars'];
  const child = spawn(
    process.env.CHROMIUM ?? 'chromium',
    [...flags, '--remote-debugging-pipe', `--user-data-dir=${folder}`],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
  );
  const [, , , input, output] = child.stdio;
  const waiting = new Map();
  let rest = '';
  output.setEncoding('utf8').on('data', (chunk) => {
    const messages = (rest + chunk).split('\0');
    rest = messages.pop();
    for (const { id, result, error } of messages.map((text) => JSON.parse(text))) {
      if (error) waiting.get(id)?.reject(new Error(error.message));
      else waiting.get(id)?.resolve(result);
    }
  });
  let last = 0;
  const send = (method, params = {}, sessionId = undefined) =>
    new Promise((resolve, reject) => {
      waiting.set(++last, { resolve, reject });
      input.write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`);
    });
  child.on('error', (error) => {
    for (const { reject } of waiting.values()) reject(error);
  });
  return { send, end: () => new Promise((done) => child.once('close', done).kill()) };
}

async function openPage({ send }, url) {
  const { targetId } = await send('Target.createTarget', { url });
  const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
  const page = (method, params) => send(method, params, sessionId);
  await page('Page.enable');
  const value = async (expression) =>
    (await page('Runtime.evaluate', { expression, returnByValue: true })).result.value;
  // The empty page that a new target begins with is complete too.
  while (!(await value("location.protocol === 'file:' && document.readyState === 'complete'")));
  return { page, value };
}

/** The most pixels of one picture. A whole page is split into several. */
const TALLEST = 1600;

async function pictures({ page, value }, { width, height, dark, grey, print, whole }) {
  const scheme = { name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' };
  const metrics = { width, height, deviceScaleFactor: 1, mobile: width < 600 };
  await page('Emulation.setDeviceMetricsOverride', metrics);
  const media = print ? 'print' : '';
  await page('Emulation.setEmulatedMedia', { media, features: [scheme] });
  await page('Emulation.setEmulatedVisionDeficiency', { type: grey ? 'achromatopsia' : 'none' });
  const wide = await value('document.documentElement.scrollWidth');
  if (wide > width) console.error(`the page is ${wide} pixels wide at ${width}`);
  const all = whole ? await value('document.documentElement.scrollHeight') : height;
  // Browsers do not always paint what lies outside the window.
  await page('Emulation.setDeviceMetricsOverride', { ...metrics, height: all });
  const taken = [];
  for (let y = 0; y < all; y += TALLEST) {
    const clip = { x: 0, y, width, height: Math.min(TALLEST, all - y), scale: 1 };
    const { data } = await page('Page.captureScreenshot', { clip, captureBeyondViewport: true });
    taken.push(Buffer.from(data, 'base64'));
  }
  return taken;
}

/** Lists roles and names as a screen reader receives them, one per line. */
async function accessibleTree({ page }) {
  const { nodes } = await page('Accessibility.getFullAXTree');
  return nodes
    .filter(({ ignored, role }) => !ignored && !/StaticText|InlineTextBox/.test(role.value))
    .map(({ role, name }) => `${role.value}: ${name?.value ?? ''}`)
    .join('\n');
}

const folder = mkdtempSync(join(tmpdir(), 'rope-eval-screenshots-'));
let browser;
try {
  const report = resolve(values.report ?? join(folder, 'report.html'));
  if (values.report === undefined) {
    const command = ['bin/rope-eval.js', values.config, '--quiet', '-o', report];
    const { status } = spawnSync(process.execPath, command, { stdio: ['ignore', 'ignore', 2] });
    if (status !== 0) throw new Error(`exit ${status}: node ${command.join(' ')}`);
  }
  mkdirSync(values.out, { recursive: true });
  const save = (name, data) => writeFileSync(join(values.out, name), data);
  browser = startBrowser(join(folder, 'profile'));
  const page = await openPage(browser, `file://${report}`);
  for (const shot of values.all ? ALL : KEPT)
    (await pictures(page, shot)).forEach((data, i) =>
      save(`${shot.name}${shot.whole ? `-${i + 1}` : ''}.png`, data),
    );
  if (values.all) {
    const printed = await page.page('Page.printToPDF', { printBackground: false });
    save('printed.pdf', Buffer.from(printed.data, 'base64'));
    save('accessible.txt', await accessibleTree(page));
  }
} finally {
  await browser?.end();
  rmSync(folder, { recursive: true, force: true });
}
