// Real processes, producers, and users who come and go (clean, half-open, by a reload of the page) while nodes, and Redis
// where there is one, are killed every few seconds: of what was accepted nothing is lost, out of order or seen twice.
// A store is { nodes, start(), flags(i), disturb, stop() }: how many nodes share it, what each is started with, and what
// else is killed.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { until_ready } from "../support/api.mjs";
import { InboxStorm } from "../support/inbox_storm.mjs";
import { free_ports } from "../support/ports.mjs";
import { RedisServer } from "../support/redis.mjs";
import { start_carillon, temporary_folder } from "../support/servers.mjs";

// ./check inbox_chaos: 500 and 50,000.
const users = Number(process.env.CARILLON_TEST_INBOX_USERS ?? 100);
const notifications = Number(process.env.CARILLON_TEST_INBOX_NOTIFICATIONS ?? 6000);
const kill_every_ms = [2000, 4000];

const sqlite = () => {
  const folder = temporary_folder();
  return { nodes: 1, start: () => {}, flags: () => ["--data-dir", folder], stop: () => {} };
};

// Three nodes on one Redis that writes to its disk before it answers; it is killed, too.
const redis = () => {
  const server = { running: undefined };
  return {
    nodes: 3, epochs_change: true,
    start: async () => {
      server.running = await RedisServer.start(["--appendonly", "yes", "--appendfsync", "always", "--dir", temporary_folder()]);
    },
    flags: () => ["--redis", server.running.url, "--set", "redis.timeout_ms=1000"],
    disturb: async () => {
      await server.running.kill();
      await sleep(Math.random() * 500);
      await server.running.start();
    },
    stop: () => server.running?.stop(),
  };
};

function start_node(store, i, ports) {
  return start_carillon(["--listen", `127.0.0.1:${ports[0]}`, "--api-listen", `127.0.0.1:${ports[1]}`, "--node-name", `node-${i}`,
    "--set", "engine.ping_interval_ms=5000", ...store.flags(i)], { listen: false });
}

// Kills what is there to be killed in turn, and starts it again, until `is_over`.
async function rage(store, nodes, ports, is_over) {
  let kills = 0;
  for (let turn = 0; !is_over(); ++turn) {
    await sleep(kill_every_ms[0] + Math.random() * (kill_every_ms[1] - kill_every_ms[0]));
    if (is_over()) break;
    ++kills;
    if (store.disturb && turn % 3 === 2) {
      await store.disturb();
      continue;
    }
    const i = turn % nodes.length;
    await nodes[i].program.kill();
    Object.assign(nodes[i], await start_node(store, i, ports[i]));
  }
  return kills;
}

async function run(test, store) {
  await store.start();
  const numbers = (await free_ports(2 * store.nodes)).map(String);
  const ports = Array.from({ length: store.nodes }, (_, i) => numbers.slice(2 * i, 2 * i + 2));
  const nodes = await Promise.all(ports.map((pair, i) => start_node(store, i, pair)));
  for (const node of nodes) await until_ready(node);
  const storm = await InboxStorm.start(nodes, { users, epochs_change: store.epochs_change });
  try {
    let is_over = false;
    const raging = rage(store, nodes, ports, () => is_over);
    await storm.produce(notifications).finally(() => { is_over = true; });
    const kills = await raging;
    for (const node of nodes) await until_ready(node);
    await storm.calm();
    const report = { users, kills, ...storm.assess() };
    test.diagnostic(JSON.stringify(report));
    console.log(`${test.name}: ${JSON.stringify(report)}`);
    assert.ok(kills > 0, "nothing was killed: more notifications are needed");
  } finally {
    storm.end();
    await Promise.all(nodes.map((node) => node.stop()));
    await store.stop();
  }
}

describe("notifications in a storm", () => {
  it("SQLite: the node is killed again and again", (test) => run(test, sqlite()));
  it("Redis: three nodes and Redis are killed again and again", (test) => run(test, redis()));
});
