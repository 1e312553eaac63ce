// Many nodes, one Redis that is started again: what all of them together send it, sampled while they come back.
// CARILLON_TEST_NODES, CARILLON_TEST_ROOMS (of each) and CARILLON_TEST_MESSAGES (that wait at each) change the sizes.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { emit, until_ready } from "../support/api.mjs";
import { Client } from "../support/clients.mjs";
import { metrics, until_metric } from "../support/metrics.mjs";
import { RedisServer } from "../support/redis.mjs";
import { skip_on_reference, start_carillon } from "../support/servers.mjs";
import { eventually } from "../support/wait.mjs";

const size = (name, usual) => Number(process.env[name] ?? usual);
const node_count = size("CARILLON_TEST_NODES", 12);
const rooms_per_node = size("CARILLON_TEST_ROOMS", 2_500);
const messages_per_node = size("CARILLON_TEST_MESSAGES", 300);
const subscriptions_per_second = 10_000;
const messages_per_second = 1_200;
const sample_ms = 50;
const window_ms = 1_000;
const tolerance = 1.15; // a window holds a portion more than the rate, and Redis tells its numbers a moment later

// The largest number of anything in a window, out of [[time, count], ...].
function most_in_a_window(samples) {
  let most = 0;
  for (let i = 0, j = 0; j < samples.length; ++j) {
    while (samples[j][0] - samples[i][0] > window_ms) ++i;
    most = Math.max(most, samples[j][1] - samples[i][1]);
  }
  return most;
}

describe("nodes that come back together", { skip: skip_on_reference }, () => {
  let redis;
  const nodes = [];
  const clients = [];
  before(async () => {
    redis = await RedisServer.start();
    const set = (name, value) => ["--set", `${name}=${value}`];
    for (let i = 0; i < node_count; ++i) {
      const node = await start_carillon(["--redis", redis.url, "--shards", "1", "--node-name", `node-${i}`,
        ...set("clients.subscribe", '["*"]'), ...set("limits.packets_per_second_max", 1_000_000),
        ...set("cluster.subscriptions_per_second_max", subscriptions_per_second),
        ...set("cluster.backlog_messages_per_second_max", messages_per_second),
        ...set("cluster.peers_wait_ms_max", 60_000)]);
      nodes.push(node);
      await until_ready(node);
      clients.push(await Client.connect(node.clients));
    }
  });
  after(async () => {
    for (const client of clients) client.close();
    await Promise.all(nodes.map((node) => node.stop()));
    await redis?.stop();
  });

  it(`${node_count} of them subscribe and send no faster than configured`, async (test) => {
    await Promise.all(clients.map(async (client, c) => {
      for (let i = 0; i < rooms_per_node - 1; ++i) client.emit("subscribe", `room-${c}-${i}`);
      await client.ask("subscribe", `room-${c}-last`);
    }));
    for (const node of nodes) await until_metric(node, "carillon_redis_nodes", (count) => count === node_count);

    await redis.kill();
    for (const node of nodes) await until_ready(node, 503);
    for (const [n, node] of nodes.entries())
      for (let i = 0; i < messages_per_node; ++i) await emit(node, { rooms: [`room-${(n + 1) % node_count}-${i}`], event: "n", args: [i] });

    await redis.start();
    const control = redis.connect();
    const rooms = [];
    const messages = [];
    const received = () => clients.reduce((sum, client) => sum + client.queue("n").items.length, 0);
    const begin = performance.now();
    await eventually(() => `all messages, ${received()} have come`, async () => {
      const info = `${await control.info("stats")}\n${await control.info("commandstats")}`;
      const now = performance.now() - begin;
      rooms.push([now, Number(/^pubsub_?channels:(\d+)/m.exec(info)[1])]);
      messages.push([now, Number(/^cmdstat_publish:calls=(\d+)/m.exec(info)?.[1] ?? 0)]);
      await sleep(sample_ms);
      return received() >= node_count * messages_per_node;
    }, 120_000);

    const peaks = { rooms: most_in_a_window(rooms), messages: most_in_a_window(messages) };
    test.diagnostic(`${node_count} nodes, ${node_count * rooms_per_node} rooms, ${node_count * messages_per_node} messages that waited: ` +
      `at most ${peaks.rooms} rooms and ${peaks.messages} messages in a second, all done after ${((performance.now() - begin) / 1000).toFixed(1)} s`);
    assert.ok(rooms.at(-1)[1] >= node_count * rooms_per_node);
    assert.ok(peaks.rooms <= subscriptions_per_second * tolerance, `${peaks.rooms} rooms in a second`);
    assert.ok(peaks.messages <= messages_per_second * tolerance, `${peaks.messages} messages in a second`);
    // What was sent to nodes that had left would have been counted here.
    for (const [c, client] of clients.entries()) assert.equal(client.queue("n").items.length, messages_per_node, `client ${c}`);
    for (const node of nodes) {
      const dropped = Object.entries(await metrics(node)).filter(([name, value]) => name.startsWith("carillon_redis_dropped_total") && value > 0);
      assert.deepEqual(dropped, []);
    }
  });
});
