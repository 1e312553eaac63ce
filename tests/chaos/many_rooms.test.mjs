// 200,000 rooms on one node, and Redis is started again: how long it takes until all of them are subscribed, what that
// costs, and whether clients are served meanwhile. CARILLON_TEST_ROOMS is another number.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { until_ready } from "../support/api.mjs";
import { Client } from "../support/clients.mjs";
import { metrics } from "../support/metrics.mjs";
import { RedisServer } from "../support/redis.mjs";
import { start_carillon } from "../support/servers.mjs";
import { eventually } from "../support/wait.mjs";

const room_count = Number(process.env.CARILLON_TEST_ROOMS ?? 200_000);
const rooms_per_client = 5000;
const per_second_max = 100_000;  // the default of cluster.subscriptions_per_second_max
const answer_ms_max = 1000;
const pause_ms = 10;  // between two questions of a client

// VmRSS and VmHWM (the peak) of a process, MiB.
function memory(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mib = (name) => Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)[1]) / 1024);
  return { now: mib("VmRSS"), peak: mib("VmHWM") };
}

// Asks the server for something all the time, and remembers how long the answer took at worst.
class Pinger {
  constructor(client) { Object.assign(this, { client, is_on: true, worst_ms: 0, count: 0 }); this.done = this.run(); }
  async run() {
    while (this.is_on) {
      const since = performance.now();
      await this.client.ask("unsubscribe", "nowhere");
      this.worst_ms = Math.max(this.worst_ms, performance.now() - since);
      ++this.count;
      await sleep(pause_ms);
    }
  }
}

describe("rooms after a restart of Redis", () => {
  let redis;
  let node;
  let clients;
  before(async () => {
    redis = await RedisServer.start();
    node = await start_carillon(["--redis", redis.url, "--set", 'clients.subscribe=["*"]', "--set", "limits.packets_per_second_max=1000000"]);
    await until_ready(node);
    clients = await Promise.all(Array.from({ length: Math.ceil(room_count / rooms_per_client) }, (_, i) => Client.connect(node.clients, { auth: { userId: `${i}` } })));
  });
  after(async () => {
    for (const client of clients ?? []) client.close();
    await node?.stop();
    await redis?.stop();
  });

  const subscriptions = async () => (await metrics(node)).carillon_redis_subscriptions;
  const redis_rooms = async (control) => Number(/^pubsub_?channels:(\d+)/m.exec(await control.info("stats"))[1]);
  const commands = async (control) => Number(/^cmdstat_subscribe:calls=(\d+)/m.exec(await control.info("commandstats"))?.[1] ?? 0);

  it(`${room_count} are subscribed again, and clients are answered throughout`, async (test) => {
    await Promise.all(clients.map(async (client, c) => {
      const end = Math.min((c + 1) * rooms_per_client, room_count);
      for (let i = c * rooms_per_client; i < end; ++i) client.emit("subscribe", `room-${i}`);
      await client.ask("subscribe", `room-${end - 1}`);
    }));
    await eventually("all rooms to be subscribed", async () => (await subscriptions()) >= room_count);
    writeFileSync(`/proc/${node.program.pid}/clear_refs`, "5"); // the peak begins anew
    const before = memory(node.program.pid);
    const pingers = clients.slice(0, 5).map((client) => new Pinger(client));

    await redis.kill();
    await until_ready(node, 503);
    await redis.start();
    const since = performance.now();
    const control = redis.connect();
    await eventually("the node to be ready", async () => (await metrics(node)).carillon_redis_ready === 1, 60_000);
    const seconds = (performance.now() - since) / 1000;
    for (const pinger of pingers) pinger.is_on = false;
    await Promise.all(pingers.map(({ done }) => done));
    const peak = memory(node.program.pid).peak;
    const worst_ms = Math.round(Math.max(...pingers.map((pinger) => pinger.worst_ms)));
    const asked = pingers.reduce((sum, { count }) => sum + count, 0);
    const sent = await commands(control);

    test.diagnostic(`${room_count} rooms: ready ${seconds.toFixed(1)} s after Redis, ${Math.round(room_count / seconds)} rooms/s by ${sent} SUBSCRIBE commands ` +
      `(${Math.round(sent / seconds)}/s), memory ${before.now} MiB before and ${peak} MiB at its peak; ${asked} questions of clients answered, the slowest in ${worst_ms} ms`);
    assert.ok(await redis_rooms(control) >= room_count);
    assert.ok(worst_ms < answer_ms_max, `a client waited ${worst_ms} ms`);
    assert.ok(room_count / seconds < per_second_max * 1.1, "no faster than configured");
  });
});
