// What `carillon serve` counts.
import { setTimeout as sleep } from "node:timers/promises";
import { call } from "./api.mjs";
import { eventually } from "./wait.mjs";

const quiet_bytes = 1000;  // more than a question for the metrics

// { "carillon_sessions": 2, 'carillon_sessions_closed_total{reason="slow_consumer"}': 1, ... }
export async function metrics(node) {
  const { body } = await call(node, "/metrics", { method: "GET" });
  const lines = body.split("\n").filter((line) => line && !line.startsWith("#"));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]));
}

export const refused = (reason) => `carillon_connections_refused_total{reason="${reason}"}`;
export const closed = (reason) => `carillon_sessions_closed_total{reason="${reason}"}`;

export async function until_metric(node, name, check) {
  let value;
  return eventually(() => `${name}, last ${value}`, async () => {
    value = (await metrics(node))[name];
    return check(value);
  });
}

// The server has read what there was to read: nothing has come in between two looks, twice in a row.
export async function until_quiet(node) {
  let last = -1;
  let still = 0;
  return eventually("a server that reads no more", async () => {
    const now = (await metrics(node)).carillon_bytes_received_total;
    await sleep(100);
    const step = now - last;
    last = now;
    still = step < quiet_bytes ? still + 1 : 0;
    return still >= 2;
  });
}
