#!/usr/bin/env node
// The table of docs/compatibility.md, from the results that tests/support/matrix_reporter.mjs has written.
//
//   tools/matrix_table.mjs RESULTS            writes the table
//   tools/matrix_table.mjs --check RESULTS    fails if the table differs from the results
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const page = join(dirname(fileURLToPath(import.meta.url)), "../docs/compatibility.md");
const begin = "<!-- matrix: written by tools/matrix_table.mjs, checked by ./check -->";
const end = "<!-- end of the matrix -->";
const order = [
  "Connecting", "Namespaces and middleware", "Events", "Rooms and broadcasts", "Operations on sockets", "Disconnect reasons", "Coming back",
  "Connection state recovery", "Compression", "Options and listeners",
];
const versions = ["2", "3", "4"];
const modes = ["polling", "websocket", "upgrade"];

function fail(message) {
  console.error(`matrix_table: ${message}`);
  process.exit(1);
}

// section -> feature -> "version mode" -> result, in the order of the page.
function read_results(path) {
  const sections = new Map(order.map((section) => [section, new Map()]));
  for (const line of readFileSync(path, "utf8").trim().split("\n")) {
    const result = JSON.parse(line);
    const { section, feature, version, mode } = result;
    const features = sections.get(section) ?? fail(`the section '${section}' has no place in the order of the page`);
    if (!features.has(feature)) features.set(feature, new Map());
    features.get(feature).set(`${version} ${mode}`, result);
  }
  return sections;
}

function table_of(sections) {
  const reasons = [];
  const cell = (result, where) => {
    if (!result) fail(`no result for ${where}: did the run end early?`);
    if (result.result === "passed") return "✓";
    if (result.result === "failed") fail(`${where} failed: a table is made of runs that pass`);
    if (!result.reason) fail(`${where} is skipped without a reason`);
    if (!reasons.includes(result.reason)) reasons.push(result.reason);
    return `– <sup>${reasons.indexOf(result.reason) + 1}</sup>`;
  };
  const columns = versions.flatMap((version) => modes.map((mode) => `${version} ${mode}`));
  const lines = [`| | ${columns.map((column) => column.replace("websocket", "WebSocket")).join(" | ")} |`, `|---|${":-:|".repeat(columns.length)}`];
  for (const [section, features] of sections) {
    lines.push(`| **${section}** |${" |".repeat(columns.length)}`);
    for (const [feature, results] of features) {
      lines.push(`| ${feature} | ${columns.map((column) => cell(results.get(column), `${feature}, ${column}`)).join(" | ")} |`);
    }
  }
  return [...lines, "", ...reasons.map((reason, i) => `${i + 1}. ${reason}`)].join("\n");
}

const is_check = process.argv[2] === "--check";
const results = process.argv[is_check ? 3 : 2] ?? fail("which results? RESULTS is missing");
const text = readFileSync(page, "utf8");
const [from, to] = [text.indexOf(begin), text.indexOf(end)];
if (from < 0 || to < from) fail(`${page} has no place for the table, between\n${begin}\n${end}`);
const written = `${text.slice(0, from + begin.length)}\n\n${table_of(read_results(results))}\n\n${text.slice(to)}`;
if (is_check && written !== text) fail(`the table of docs/compatibility.md differs from this run: npm run matrix:write`);
if (!is_check) writeFileSync(page, written);
