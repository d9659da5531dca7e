// Looks at pages in Chromium: node check.mjs NODE_MODULES CHROMIUM SCREENSHOTS [CHARTS PAGE]...
// Prints what is wrong, one line each; ends with 4 when anything is, so that it is told from what Node ends with by itself.
import { createRequire } from 'node:module';
import { existsSync, mkdirSync } from 'node:fs';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, program, screenshots, ...rest] = process.argv.slice(2);
// Each with the charts that it must have at least.
const pages = rest.flatMap((file, at) => at % 2 ? [[Number(rest[at - 1]), file]] : []);
const require = createRequire(join(resolve(modules), 'any.js'));
const { chromium } = require('playwright-core');
const axe = require('axe-core');

const WIDTHS = [1280, 360];
const SCHEMES = ['light', 'dark'];

// What is asked in the page. Everything closed has been opened.
function inspect() {
  const found = [];
  const named = svg => svg.querySelector('title')?.textContent ?? 'a drawing without a title';
  const within = (inner, outer) =>
    inner.left >= outer.left - 1.5 && inner.right <= outer.right + 1.5 &&
    inner.top >= outer.top - 1.5 && inner.bottom <= outer.bottom + 1.5;
  const shared = (a, b) => [
    Math.min(a.right, b.right) - Math.max(a.left, b.left),
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top),
  ];
  let charts = 0;
  for (const svg of document.querySelectorAll('svg')) {
    const frame = svg.getBoundingClientRect();
    if (frame.width < 10 || frame.height < 10) { found.push(`not drawn: ${named(svg)}`); continue; }
    charts += 1;
    const scale = frame.width / svg.viewBox.baseVal.width;
    const shapes = [...svg.querySelectorAll('path, circle')].map(shape => shape.getBoundingClientRect());
    if (!shapes.some(box => box.width > 0 && box.height > 0)) found.push(`empty: ${named(svg)}`);
    const texts = [...svg.querySelectorAll('text')].map(text => [text.textContent, text.getBoundingClientRect()]);
    for (const [text, box] of texts) {
      if (!within(box, frame)) found.push(`cut off: "${text}" of ${named(svg)}`);
    }
    for (let one = 0; one < texts.length; one += 1) {
      for (let other = one + 1; other < texts.length; other += 1) {
        const [across, down] = shared(texts[one][1], texts[other][1]);
        // Boxes of text are higher than its letters.
        if (across > 1 && down > 4 * scale) found.push(`overlap: "${texts[one][0]}" and "${texts[other][0]}" of ${named(svg)}`);
      }
    }
  }
  if (document.documentElement.scrollWidth > window.innerWidth) {
    found.push(`the page is ${document.documentElement.scrollWidth} px wide on ${window.innerWidth} px`);
  }
  return { found, charts };
}

async function accessibility(page) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return violations
    .filter(violation => ['serious', 'critical'].includes(violation.impact))
    .map(({ id, help, nodes }) => `axe ${id}: ${help}: ${nodes.length} of ${nodes[0].html.slice(0, 160)} (${nodes[0].failureSummary?.replace(/\s+/g, ' ').slice(0, 200)})`);
}

async function look(browser, file, width, colorScheme) {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  const found = [];
  const address = pathToFileURL(resolve(file)).href;
  page.on('console', message => found.push(`console ${message.type()}: ${message.text()}`));
  page.on('pageerror', error => found.push(`error: ${error.message}`));
  page.on('request', request => { if (request.url() !== address) found.push(`request to ${request.url()}`); });
  await page.goto(address, { waitUntil: 'load' });
  const shot = join(screenshots, `${basename(dirname(resolve(file)))}-${width}-${colorScheme}.png`);
  await page.screenshot({ path: shot, fullPage: true });
  await page.emulateMedia({ media: 'print', colorScheme });
  const hidden = await page.evaluate(() =>
    [...document.querySelectorAll('details svg')].filter(svg => svg.getBoundingClientRect().height < 10).length);
  if (hidden > 0) found.push(`${hidden} charts are not printed`);
  await page.emulateMedia({ media: 'screen', colorScheme });
  await page.evaluate(() => document.querySelectorAll('details').forEach(details => { details.open = true; }));
  const seen = await page.evaluate(inspect);
  found.push(...seen.found, ...await accessibility(page));
  await page.close();
  return { found, charts: seen.charts };
}

mkdirSync(screenshots, { recursive: true });
// The browser wants a whole path.
const folders = program === basename(program) ? process.env.PATH.split(delimiter) : [''];
const executablePath = folders.map(folder => join(folder, program)).find(existsSync);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
let wrong = 0;
for (const [least, file] of pages) {
  for (const width of WIDTHS) {
    for (const scheme of SCHEMES) {
      const { found, charts } = await look(browser, file, width, scheme);
      if (charts < least) found.push(`${charts} charts, and at least ${least} were expected`);
      console.log(`browser: ${file} at ${width} px, ${scheme}: ${charts} charts, ${found.length} complaints`);
      for (const line of found) console.log(`browser:   ${line}`);
      wrong += found.length;
    }
  }
}
await browser.close();
process.exit(wrong > 0 ? 4 : 0);
