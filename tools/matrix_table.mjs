#!/usr/bin/env node
// The tables of docs/compatibility.md, from the results that tests/support/matrix_reporter.mjs has written.
//
//   tools/matrix_table.mjs clients|cluster RESULTS            writes the table
//   tools/matrix_table.mjs --check clients|cluster RESULTS    fails if the table differs from the results
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const page = join(dirname(fileURLToPath(import.meta.url)), "../docs/compatibility.md");

// The places of the tables on the page; `sections` and `columns` as the tests name them, in the order of the page.
const tables = {
  clients: {
    begin: "<!-- matrix: written by tools/matrix_table.mjs, checked by ./check -->",
    end: "<!-- end of the matrix -->",
    write: "npm run matrix:write",
    sections: [
      "Connecting", "Namespaces and middleware", "Events", "Rooms and broadcasts", "Operations on sockets", "Disconnect reasons", "Coming back",
      "Connection state recovery", "Compression", "Options and listeners",
    ],
    columns: ["2", "3", "4"].flatMap((version) => ["polling", "websocket", "upgrade"].map((mode) => `${version} | ${mode}`)),
    heading: (column) => column.replace(" | ", " ").replace("websocket", "WebSocket"),
  },
  cluster: {
    begin: "<!-- cluster matrix: written by tools/matrix_table.mjs, checked by ./check -->",
    end: "<!-- end of the cluster matrix -->",
    write: "npm run cluster-matrix:write",
    sections: ["Carillon", "Node.js"].flatMap((caller) => ["Carillon", "Node.js"].map((other) => `${caller} asks, ${other} takes part`)),
    columns: [
      "pub/sub", "sharded, static", "sharded, dynamic", "sharded, dynamic-private", "streams",
      "pub/sub, Sentinel", "pub/sub, Cluster", "sharded, Cluster", "streams, Cluster",
    ],
    heading: (column) => column,
  },
};

function fail(message) {
  console.error(`matrix_table: ${message}`);
  process.exit(1);
}

// section -> feature -> column -> result, in the order of the page.
function read_results(table, path) {
  const sections = new Map(table.sections.map((section) => [section, new Map()]));
  for (const line of readFileSync(path, "utf8").trim().split("\n")) {
    const result = JSON.parse(line);
    const { section, feature, column } = result;
    const features = sections.get(section) ?? fail(`the section '${section}' has no place in the order of the page`);
    if (!features.has(feature)) features.set(feature, new Map());
    features.get(feature).set(column, result);
  }
  return sections;
}

function text_of({ columns, heading }, sections) {
  const reasons = [];
  const cell = (result, where) => {
    if (!result) fail(`no result for ${where}: did the run end early?`);
    if (result.result === "passed") return "✓";
    if (result.result === "failed") fail(`${where} failed: a table is made of runs that pass`);
    if (!result.reason) fail(`${where} is skipped without a reason`);
    if (!reasons.includes(result.reason)) reasons.push(result.reason);
    return `– <sup>${reasons.indexOf(result.reason) + 1}</sup>`;
  };
  const lines = [`| | ${columns.map(heading).join(" | ")} |`, `|---|${":-:|".repeat(columns.length)}`];
  for (const [section, features] of sections) {
    if (!features.size) fail(`no results for '${section}': did the run end early?`);
    lines.push(`| **${section}** |${" |".repeat(columns.length)}`);
    for (const [feature, results] of features) {
      lines.push(`| ${feature} | ${columns.map((column) => cell(results.get(column), `${section}, ${feature}, ${heading(column)}`)).join(" | ")} |`);
    }
  }
  return [...lines, "", ...reasons.map((reason, i) => `${i + 1}. ${reason}`)].join("\n");
}

const is_check = process.argv[2] === "--check";
const [name, results] = process.argv.slice(is_check ? 3 : 2);
const table = tables[name] ?? fail(`which table? One of ${Object.keys(tables).join(", ")}`);
if (!results) fail("which results? RESULTS is missing");
const text = readFileSync(page, "utf8");
const [from, to] = [text.indexOf(table.begin), text.indexOf(table.end)];
if (from < 0 || to < from) fail(`${page} has no place for the table, between\n${table.begin}\n${table.end}`);
const written = `${text.slice(0, from + table.begin.length)}\n\n${text_of(table, read_results(table, results))}\n\n${text.slice(to)}`;
if (is_check && written !== text) fail(`the table of docs/compatibility.md differs from this run: ${table.write}`);
if (!is_check) writeFileSync(page, written);
