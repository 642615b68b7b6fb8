// Judges pages with axe-core in jsdom. Reads JSON: [html, …]; prints what is wrong, [] when nothing is.
// Colors want a rendering engine and are left out; the pages set none but the system's.
import { readFileSync } from "node:fs";

import axe from "axe-core";
import { JSDOM } from "jsdom";

const found = [];
for (const html of JSON.parse(readFileSync(0, "utf8"))) {
  const { window } = new JSDOM(html, { runScripts: "outside-only", pretendToBeVisual: true });
  window.eval(axe.source);
  const { violations } = await window.axe.run(window.document, {
    rules: { "color-contrast": { enabled: false } },
  });
  found.push(...violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html)}`));
}
console.log(JSON.stringify(found));
