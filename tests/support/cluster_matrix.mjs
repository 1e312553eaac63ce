// The cluster matrix: each operation is one scenario. One server of a cluster is asked, two others take part; Carillon and
// Node.js in each part, with every adapter, on every kind of Redis. tools/matrix_table.mjs makes a table of
// docs/compatibility.md of the results.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Client } from "./clients.mjs";
import { start_example, start_node } from "./servers.mjs";
import { eventually } from "./wait.mjs";

const kinds = { carillon: "Carillon", node: "Node.js" };
const pairs = Object.keys(kinds).flatMap((caller) => Object.keys(kinds).map((other) => ({ caller, other })));
// As tests/support/matrix_reporter.mjs reads it.
const test_name = (...parts) => parts.join(" | ");

// CARILLON_TEST_PAIRS="node node,carillon node": only these, while something is being built.
const wanted = process.env.CARILLON_TEST_PAIRS?.split(",");
const is_wanted = ({ caller, other }) => !wanted || wanted.includes(`${caller} ${other}`);

// The server that is asked, and two of another kind: so that there is somebody to wait for beside the first that answers.
export class Members {
  static async start(redis, { caller, other, flags }) {
    const members = new Members();
    const roles = { caller, "other-1": other, "other-2": other };
    const start = async ([name, kind]) => {
      const start_member = kind === "node" ? start_node : start_example;
      return { name, ...await start_member("cluster", ["--redis", redis.url, "--node-name", name, ...flags]) };
    };
    members.start_one = (name, kind) => start([name, kind]);
    members.all = await Promise.all(Object.entries(roles).map(start));
    [members.caller, ...members.others] = members.all;
    return members;
  }

  // Everyone counts everyone, and hears everyone, in both namespaces.
  async until_complete() {
    for (const namespace of ["", "/orders"]) {
      const clients = await Promise.all(this.all.map(({ url }) => Client.connect(url + namespace)));
      let counts;
      await eventually(() => `three servers in '${namespace}', counted ${counts}`, async () => {
        counts = await Promise.all(clients.map(async (client) => (await client.ask("server_count"))[0]));
        return counts.every((count) => count === 3);
      });
      const heard = new Set();
      for (const [to, client] of clients.entries()) client.socket.on("hello", (from) => heard.add(`${from} by ${to}`));
      await eventually(() => `all to hear all in '${namespace}', heard ${[...heard]}`, async () => {
        await Promise.all(clients.map((client, from) => client.ask("emit", { event: "hello", args: [from] })));
        return heard.size === 9;
      });
      for (const client of clients) client.leave();
    }
  }

  async stop() {
    for (const { code } of await Promise.all(this.all.map((member) => member.stop()))) assert.equal(code, 0);
  }
}

let scenes = 0;

// One play of one scenario.
class Scene {
  constructor(setup, redis, members) {
    Object.assign(this, setup, { redis, members });
    this.number = ++scenes;
    this.clients = [];
    this.ends = [];
  }

  // A name that no other scene uses.
  unique(name) { return `${name}-${this.number}`; }

  async connect(member, { namespace = "", ...options } = {}) {
    const client = await Client.connect(member.url + namespace, options);
    this.clients.push(client);
    return client;
  }
  // One client at each server, the first at the one that is asked; `rooms` are joined.
  async everywhere({ rooms = [], ...options } = {}) {
    const clients = await Promise.all(this.members.all.map((member) => this.connect(member, options)));
    for (const client of clients) for (const room of rooms) await client.ask("join", room);
    return clients;
  }

  // Who asks: a client of the caller that is in no room. Gives what the server acknowledges with.
  async ask(event, ...args) {
    this.asker ??= this.connect(this.members.caller);
    const [answer] = await (await this.asker).ask(event, ...args);
    return answer;
  }
  emit(b) { return this.ask("emit", { args: [], ...b }); }

  // Nothing of `event` has come, although what was published after it has.
  async received_nothing(clients, event) {
    const marker = this.unique(`marker-${Math.random()}`);
    await this.emit({ event: marker });
    await Promise.all(clients.map((client) => client.next(marker)));
    for (const client of clients) assert.deepEqual(client.queue(event).items, [], event);
  }

  // Publishes to `room` until each client has heard of it: what servers do to each other takes its time.
  async until_heard(clients, room) {
    const event = this.unique(`heard-${Math.random()}`);
    await eventually(`${room} to be heard`, async () => {
      await this.emit({ rooms: [room], event });
      return clients.every((client) => client.queue(event).items.length);
    });
  }

  // A further server that is gone when the scene ends at the latest.
  async start_member(name, kind) {
    const member = await this.members.start_one(name, kind);
    this.ends.push(() => member.stop());
    return member;
  }

  async end() {
    for (const client of this.clients) client.close();
    for (const end of this.ends) await end();
  }
}

// One column of the matrix: `adapter`, `mode`, and the class of the Redis. `operations` are functions that define some.
export function cluster_matrix(column, { adapter, mode, backend, flags = [] }, operations) {
  const adapter_flags = ["--adapter", adapter, ...(mode ? ["--mode", mode] : []), ...flags];
  describe(column, () => {
    let redis;
    before(async () => { redis = await backend.start(); });
    after(() => redis?.stop());

    for (const pair of pairs.filter(is_wanted)) {
      const section = `${kinds[pair.caller]} asks, ${kinds[pair.other]} takes part`;
      const setup = { ...pair, adapter, mode, backend };
      describe(section, () => {
        let members;
        before(async () => {
          members = await Members.start(redis, { ...pair, flags: adapter_flags });
          await members.until_complete();
        });
        after(() => members?.stop());

        // `skip` says of a setup why it has no such operation, if it has none.
        const operation = (name, scenario, { skip = () => undefined } = {}) => {
          it(test_name(section, name, column), { skip: skip(setup) ?? false }, async () => {
            const scene = new Scene(setup, redis, members);
            let is_done = false;
            try {
              await scenario(scene);
              is_done = true;
            } finally {
              const ended = scene.end();
              if (is_done) await ended;
              else await ended.catch(() => {});
            }
          });
        };
        for (const define of operations) define(operation);
      });
    }
  });
}
