// A node pays only for its own users: fifty servers on one Redis, notifications each to one user, and how often Redis hands
// one of them to a server. CARILLON_TEST_NODES, CARILLON_TEST_NOTIFICATIONS and CARILLON_TEST_NODEJS_SERVERS change the
// sizes.
import assert from "node:assert/strict";
import { Agent } from "node:http";
import { after, describe, it } from "node:test";
import { Emitter } from "@socket.io/redis-emitter";
import { call, until_ready } from "../support/api.mjs";
import { Client } from "../support/clients.mjs";
import { request_channel } from "../support/cluster.mjs";
import { RedisServer } from "../support/redis.mjs";
import { skip_on_reference, start_carillon, start_node } from "../support/servers.mjs";
import { eventually, is_slow } from "../support/wait.mjs";

const size = (name, usual, slow) => Number(process.env[name] ?? (is_slow ? slow : usual));
const server_count = size("CARILLON_TEST_NODES", 50, 8);
const notification_count = size("CARILLON_TEST_NOTIFICATIONS", 10_000, 1000);
const nodejs_count = size("CARILLON_TEST_NODEJS_SERVERS", 50, 2);
const users_per_server = 4;
const deliveries_max = 1.05;

// Runs `work`(i) for all i below `count`, some of them at a time.
async function spread(count, work, workers = 32) {
  let next = 0;
  await Promise.all(Array.from({ length: workers }, async () => { while (next < count) await work(next++); }));
}

// Servers with users, each in a room of his own.
class Crowd {
  static async start(count, start_server) {
    const crowd = new Crowd();
    crowd.redis = await RedisServer.start();
    crowd.control = crowd.redis.connect();
    crowd.servers = [];
    await spread(count, async (i) => { crowd.servers[i] = await start_server(crowd.redis, i); }, 8);
    return crowd;
  }

  async connect_users() {
    this.users = [];
    await spread(this.servers.length * users_per_server, async (i) => {
      const client = await Client.connect(this.servers[i % this.servers.length].url, { auth: { userId: `${i}` } });
      const user = { client, got: 0 };
      client.socket.offAny().on("n", () => { ++user.got; });
      this.users[i] = user;
    });
  }

  room_of(i) { return `user:${i % this.users.length}`; }

  // Exactly those that were sent, each once.
  async until_received(count) {
    const expected = this.users.map((_, user) => Math.floor((count - user - 1) / this.users.length) + 1);
    const total = () => this.users.reduce((sum, { got }) => sum + got, 0);
    await eventually(() => `${count} notifications, ${total()} have come`, () => total() >= count, 120_000);
    assert.deepEqual(this.users.map(({ got }) => got), expected);
    for (const user of this.users) user.got = 0;
  }

  // To how many connections Redis has handed each of `count` notifications of an emitter: what PUBLISH answers.
  async deliveries_from_emitter(count) {
    const connection = this.redis.connect();
    const replies = [];
    const emitter = new Emitter({ publish: (...args) => replies.push(connection.publish(...args)) });
    await spread(count, async (i) => {
      emitter.to(this.room_of(i)).emit("n", i);
      await replies.at(-1);
    });
    await this.until_received(count);
    return (await Promise.all(replies)).reduce((sum, receivers) => sum + receivers, 0) / count;
  }

  async stop() {
    for (const { client } of this.users ?? []) client.close();
    await Promise.all(this.servers.map((server) => server.stop()));
    await this.redis.stop();
  }
}

let crowd;
after(() => crowd?.stop());

async function received_from_redis({ servers }) {
  const each = await Promise.all(servers.map(async (server) => {
    const { body } = await call(server, "/metrics", { method: "GET" });
    return Number(/^carillon_redis_received_total(?:\{.*\})? (\d+)/m.exec(body)[1]);
  }));
  return each.reduce((sum, count) => sum + count, 0);
}

describe("deliveries by Redis for each notification to one user", () => {
  it(`at most ${deliveries_max} with ${server_count} Carillon nodes`, { skip: skip_on_reference }, async (test) => {
    crowd = await Crowd.start(server_count, async (redis, i) => {
      const server = await start_carillon(["--redis", redis.url, "--shards", "1", "--node-name", `node-${i}`]);
      return { ...server, url: server.clients };
    });
    for (const server of crowd.servers) await until_ready(server);
    await crowd.connect_users();

    const agent = new Agent({ keepAlive: true, maxSockets: 2 });
    const before = await received_from_redis(crowd);
    await spread(notification_count, async (i) => {
      const server = crowd.servers[(i * 7 + 3) % server_count];
      const { status, body } = await call(server, "/v1/emit", { body: { rooms: [crowd.room_of(i)], event: "n", args: [i] }, agent });
      assert.equal(status, 202, body);
    });
    await crowd.until_received(notification_count);
    const by_nodes = (await received_from_redis(crowd) - before) / notification_count;
    const by_emitter = await crowd.deliveries_from_emitter(notification_count);
    agent.destroy();
    await crowd.stop();
    crowd = undefined;

    test.diagnostic(`${server_count} Carillon nodes: ${by_nodes} deliveries per notification of a node, ${by_emitter} of an emitter`);
    for (const deliveries of [by_nodes, by_emitter]) assert.ok(deliveries <= deliveries_max, `${deliveries} deliveries per notification`);
  });

  it(`${nodejs_count} with ${nodejs_count} Node.js servers`, async (test) => {
    crowd = await Crowd.start(nodejs_count, (redis) => start_node("bench", ["--redis", redis.url]));
    await crowd.redis.until_subscribed(crowd.control, request_channel, nodejs_count);
    await crowd.connect_users();
    const deliveries = await crowd.deliveries_from_emitter(notification_count);
    await crowd.stop();
    crowd = undefined;

    test.diagnostic(`${nodejs_count} Node.js servers: ${deliveries} deliveries per notification`);
    assert.equal(deliveries, nodejs_count);
  });
});
