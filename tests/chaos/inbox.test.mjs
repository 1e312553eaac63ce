// Real processes, producers, and users who come and go (clean, half-open, by a reload of the page) while nodes, and Redis
// where there is one, are killed every few seconds: of what was accepted nothing is lost, out of order or seen twice.
// A store is { nodes, start(), flags(i), victims, describe(), stop() }: how many nodes share it, what each is started with, and
// what else is killed. Every step has its deadline; a failure comes with a report of where everything stands.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { call, until_ready } from "../support/api.mjs";
import { InboxStorm } from "../support/inbox_storm.mjs";
import { free_ports } from "../support/ports.mjs";
import { RedisServer } from "../support/redis.mjs";
import { start_carillon, temporary_folder } from "../support/servers.mjs";

// ./check inbox_chaos: 500 and 50,000.
const users = Number(process.env.CARILLON_TEST_INBOX_USERS ?? 100);
const notifications = Number(process.env.CARILLON_TEST_INBOX_NOTIFICATIONS ?? 6000);
const kill_every_ms = [2000, 4000];
const seconds_min = Math.max(20, notifications / 500); // time enough to kill everything more than once
const seconds_max = 60 + 4 * seconds_min;
const log_shown_max = 2000;

const sqlite = () => {
  const folder = temporary_folder();
  return { nodes: 1, start: () => {}, flags: () => ["--data-dir", folder], victims: [], describe: () => [], stop: () => {} };
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
    victims: [{
      name: "Redis",
      kill: () => server.running.kill(),
      start: async () => {
        await sleep(Math.random() * 500);
        await server.running.start();
      },
    }],
    describe: () => server.running.describe(),
    stop: () => server.running?.stop(),
  };
};

function start_node(store, i, ports) {
  return start_carillon(["--listen", `127.0.0.1:${ports[0]}`, "--api-listen", `127.0.0.1:${ports[1]}`, "--node-name", `node-${i}`,
    "--set", "engine.ping_interval_ms=5000", ...store.flags(i)], { listen: false });
}

// Everything that is killed, under one interface.
function victims_of(store, nodes, ports) {
  const processes = nodes.map((node, i) => ({
    name: `node-${i}`,
    kill: () => node.program.kill(),
    start: async () => Object.assign(node, await start_node(store, i, ports[i])),
  }));
  return [...processes, ...store.victims];
}

// Kills one after the other, and starts it again, until `is_over` and each has had its turn. `kills` notes what was done.
async function rage(victims, kills, is_over) {
  for (let turn = 0; turn < victims.length || !is_over(); ++turn) {
    await sleep(kill_every_ms[0] + Math.random() * (kill_every_ms[1] - kill_every_ms[0]));
    if (turn >= victims.length && is_over()) return;
    const victim = victims[turn % victims.length];
    const at = performance.now();
    kills.push(`${(at / 1000).toFixed(1)} ${victim.name}`);
    await victim.kill();
    await victim.start();
    kills.push(`${kills.pop()} for ${Math.round(performance.now() - at)} ms`);
  }
}

async function describe_node(node) {
  const get = (path) => call(node, path, { method: "GET" }).then(({ status, body }) => ({ status, body }), (error) => ({ body: error.message }));
  const [ready, metrics] = [await get("/readyz"), await get("/metrics")];
  const lines = metrics.body.split("\n").filter((line) => /^carillon_(inbox|redis|sockets|sessions |mail|loop)/.test(line) && !/ 0$/.test(line));
  const { how_it_ended, stderr } = node.program;
  return `--- ${node.node} clients=${node.clients} ended=${JSON.stringify(how_it_ended)} readyz=${ready.status} ${ready.body}\n${lines.join("\n")}\n${stderr.slice(-log_shown_max)}`;
}

// Where everything stands. It must not fail for what has failed before.
async function report({ store, nodes, storm, kills }) {
  const parts = [storm?.describe(), Promise.resolve(store.describe()), ...nodes.map(describe_node)];
  const told = await Promise.allSettled(parts);
  return [`killed: ${kills.join(", ")}`, ...told.flatMap(({ value, reason }) => value ?? String(reason))].join("\n");
}

async function run_storm(state) {
  const { store, nodes, kills } = state;
  await store.start();
  const numbers = (await free_ports(2 * store.nodes)).map(String);
  const ports = Array.from({ length: store.nodes }, (_, i) => numbers.slice(2 * i, 2 * i + 2));
  nodes.push(...await Promise.all(ports.map((pair, i) => start_node(store, i, pair))));
  for (const node of nodes) await until_ready(node);
  const storm = state.storm = new InboxStorm(nodes, { users, epochs_change: store.epochs_change });
  await storm.start();
  const victims = victims_of(store, nodes, ports);
  await storm.produce_amid((is_over) => rage(victims, kills, is_over), notifications, { seconds_min, seconds_max });
  for (const node of nodes) await until_ready(node);
  await storm.calm();
  return { users, kills: kills.length, ...storm.assess() };
}

async function stop({ store, nodes, storm }) {
  await storm?.end();
  await Promise.all(nodes.map((node) => node.stop()));
  await store.stop();
}

async function run(test, store) {
  const state = { store, nodes: [], storm: undefined, kills: [] };
  try {
    const figures = await run_storm(state);
    test.diagnostic(JSON.stringify(figures));
    console.log(`${test.name}: ${JSON.stringify(figures)}`);
  } catch (error) {
    console.error(`${test.name}: ${error.message}\n${await report(state)}`);
    await stop(state).catch((also) => console.error(`and then: ${also.message}`));
    throw error;
  }
  await stop(state);
}

describe("notifications in a storm", () => {
  it("SQLite: the node is killed again and again", (test) => run(test, sqlite()));
  it("Redis: three nodes and Redis are killed again and again", (test) => run(test, redis()));
});
