// Several servers on one Redis, the clients that listen to them, and everything that can publish into such a cluster.
import assert from "node:assert/strict";
import { Emitter } from "@socket.io/redis-emitter";
import { emit, until_ready } from "./api.mjs";
import { Client } from "./clients.mjs";
import { at_file_end } from "./program.mjs";
import { RedisServer } from "./redis.mjs";
import { is_reference, start_carillon, start_example, start_node } from "./servers.mjs";
import { eventually, is_slow } from "./wait.mjs";

export const base_channel = "socket.io#/#";
export const request_channel = "socket.io-request#/#";
export const room_channel = (room) => `socket.io#/#${room}#`;

const unstopped = new Set();
at_file_end(() => Promise.allSettled([...unstopped].map((cluster) => cluster.stop())));

export class Cluster {
  // `kinds`: of each member "serve" or "bench" (Carillon) or "node" (Node.js); they become this.members, each with { kind, url }.
  static async start(kinds, { flags = [], redis } = {}) {
    const cluster = new Cluster();
    unstopped.add(cluster);
    cluster.redis = redis ?? await RedisServer.start();
    cluster.control = cluster.redis.connect();
    cluster.clients = [];
    cluster.members = [];
    cluster.members = await Promise.all(kinds.map((kind, i) => cluster.start_member(kind, i, flags)));
    return cluster;
  }

  async start_member(kind, i, flags) {
    const redis = ["--redis", this.redis.url];
    if (kind === "serve") {
      const node = await start_carillon([...redis, "--node-name", `node-${i}`, ...flags]);
      return { kind, url: node.clients, ...node };
    }
    const server = kind === "node" ? await start_node("bench", redis) : await start_example("bench", redis);
    return { kind, ...server };
  }

  // Every member takes part. Carillon is subscribed to the base channel; Node.js servers to a pattern, for which Redis
  // counts nobody, and after it to the channel of requests, on which Carillon may or may not be.
  async until_complete() {
    const carillons = is_reference ? 0 : this.members.filter(({ kind }) => kind !== "node").length;
    await this.redis.until_subscribed(this.control, base_channel, carillons);
    await this.redis.until_subscribed(this.control, request_channel, this.members.length - carillons, "at least");
    await Promise.all(this.members.filter(({ kind }) => kind === "serve").map((member) => until_ready(member)));
    return this;
  }

  // A client of each member, with its room subscribed: Node.js members hold a pattern instead.
  async connect_to_each(user) {
    const clients = await Promise.all(this.members.map(({ url }) => Client.connect(url, { auth: { userId: user } })));
    this.clients.push(...clients);
    const holders = is_reference ? 0 : this.members.filter(({ kind }) => kind !== "node").length;
    await this.redis.until_subscribed(this.control, room_channel(`user:${user}`), holders);
    return clients;
  }

  // One who publishes event `n` with `p`, to `rooms` or to everyone. Resolves when it was handed over, in order.
  async publisher(member) {
    if (member === "emitter") {
      const emitter = new Emitter(this.redis.connect());
      return { name: member, takes_binary: true, publish: (p, rooms = []) => { emitter.to(rooms).emit("n", p); } };
    }
    if (member.kind === "serve") {
      const publish = (p, rooms) => emit(member, { event: "n", args: [p], rooms });
      return { name: member.node, takes_binary: false, publish };
    }
    const client = await Client.connect(member.url);
    this.clients.push(client);
    client.socket.offAny();
    const publish = (p, rooms) => (rooms ? client.emit("to", rooms[0], p) : client.emit("pub", p));
    return { name: `${member.kind} ${member.port}`, takes_binary: true, publish };
  }

  async stop() {
    unstopped.delete(this);
    for (const client of this.clients) client.close();
    const ends = await Promise.all(this.members.map((member) => member.stop()));
    await this.redis.stop();
    for (const { code } of ends) assert.equal(code, 0);
  }
}

// What a message says of itself, whether it came as text or as bytes.
export const encode = (message, as_binary) => (as_binary ? Buffer.from(JSON.stringify(message)) : message);
export const decode = (p) => (p instanceof ArrayBuffer || ArrayBuffer.isView(p) ? JSON.parse(Buffer.from(p).toString()) : p);

// Keeps all that a client gets as `n`, and knows when it is complete.
export class Listener {
  constructor(client, name) {
    this.name = name;
    this.client = client;
    this.received = new Map(); // publisher's name -> the numbers of its messages
    this.count = 0;
    client.socket.offAny();
    client.socket.on("n", (p) => {
      const { from, i } = decode(p);
      if (!this.received.has(from)) this.received.set(from, []);
      this.received.get(from).push(i);
      ++this.count;
    });
  }

  from(publisher) { return this.received.get(publisher) ?? []; }

  until_last(publisher, i) {
    return eventually(() => `message ${i} of ${publisher} at ${this.name}, last ${this.from(publisher).at(-1)}`, () => this.from(publisher).includes(i), is_slow ? 300_000 : 60_000);
  }
}

// Numbers without a repeat and never going back; `of` names the stream in a failure.
export function assert_increasing(numbers, of) {
  for (let k = 1; k < numbers.length; ++k) assert.ok(numbers[k] > numbers[k - 1], `${of}: ${numbers[k]} came after ${numbers[k - 1]}`);
}
