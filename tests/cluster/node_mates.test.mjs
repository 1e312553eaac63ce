// What @socket.io/redis-emitter and a Node.js server with @socket.io/redis-adapter can ask of a cluster with Carillon in it.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Emitter } from "@socket.io/redis-emitter";
import { emit } from "../support/api.mjs";
import { Client, all_get_volatile } from "../support/clients.mjs";
import { Cluster } from "../support/cluster.mjs";
import { run_carillon, skip_on_reference } from "../support/servers.mjs";

let cluster;
let emitter;
let anna;
let bert;
before(async () => {
  cluster = await Cluster.start(["serve", "serve", "node"]);
  await cluster.until_complete();
  emitter = new Emitter(cluster.redis.connect());
  anna = await cluster.connect_to_each("anna");
  bert = await cluster.connect_to_each("bert");
});
after(() => cluster?.stop());

// What each client has got as event `n`, up to a broadcast from the same publisher that comes last.
async function received_after(publish_last) {
  await publish_last();
  const collect = (clients) => Promise.all(clients.map(async (client) => {
    const got = [];
    for (;;) {
      const args = await client.next("n");
      if (args[0] === "end") return got;
      got.push(args[0]);
    }
  }));
  return { anna: await collect(anna), bert: await collect(bert) };
}
const everywhere = (value) => [value, value, value];

describe("redis-emitter", () => {
  const end = () => emitter.emit("n", "end");

  it("reaches everyone, rooms, and all but the excepted", async () => {
    emitter.emit("n", "all");
    emitter.to("user:anna").emit("n", "anna");
    emitter.to(["user:anna", "user:bert"]).emit("n", "both");
    emitter.except("user:anna").emit("n", "not anna");
    emitter.to("user:anna").to("user:bert").except(["user:bert", "nobody"]).emit("n", "not bert");
    emitter.to("user:nobody").emit("n", "nobody");
    assert.deepEqual(await received_after(end), {
      anna: everywhere(["all", "anna", "both", "not bert"]), bert: everywhere(["all", "both", "not anna"]),
    });
  });

  it("with volatile and compress flags", async () => {
    await all_get_volatile([...anna, ...bert], "v", () => { emitter.volatile.emit("v"); });
    emitter.compress(true).to("user:anna").emit("n", "compress");
    assert.deepEqual(await received_after(end), { anna: everywhere(["compress"]), bert: everywhere([]) });
  });

  it("into another namespace is for nobody here", async () => {
    emitter.of("/elsewhere").emit("n", "elsewhere");
    assert.deepEqual(await received_after(end), { anna: everywhere([]), bert: everywhere([]) });
  });

  it("with several arguments, some of them binary", async () => {
    emitter.to("user:anna").emit("many", 1, Buffer.from("two"), { three: [Buffer.from("3")] });
    for (const client of anna) {
      const [one, two, { three }] = await client.next("many");
      assert.deepEqual([one, Buffer.from(two).toString(), Buffer.from(three[0]).toString()], [1, "two", "3"]);
    }
  });

  it("with what msgpack knows beyond JSON", async () => {
    const at = new Date("2024-02-29T12:34:56.789Z");
    emitter.to("user:anna").emit("odd", at, undefined, { left_out: undefined, kept: 1 });
    // As JSON.stringify would have it on a Node.js server.
    for (const client of anna) assert.deepEqual(await client.next("odd"), ["2024-02-29T12:34:56.789Z", null, { kept: 1 }]);
  });
});

describe("a Node.js server", () => {
  const node_client = () => anna[2];
  const end = () => node_client().emit("pub", "end");

  it("publishes to everyone and to rooms", async () => {
    node_client().emit("pub", "all");
    node_client().emit("to", "user:bert", "bert");
    assert.deepEqual(await received_after(end), { anna: everywhere(["all"]), bert: everywhere(["all", "bert"]) });
  });

  it("publishes volatile events, and keeps local ones to itself", async () => {
    await all_get_volatile([...anna, ...bert], "v", () => node_client().emit("volatile", 1));
    node_client().emit("local", "local");
    const expected = [[], [], ["local"]];
    assert.deepEqual(await received_after(end), { anna: expected, bert: expected });
  });
});

describe("a Carillon node", () => {
  it("publishes volatile events", async () => {
    await all_get_volatile([...anna, ...bert], "v", () => emit(cluster.members[1], { event: "v", volatile: true }));
  });
});

describe("carillon emit --redis", { skip: skip_on_reference }, () => {
  const emit_command = (...args) => run_carillon(["emit", "--redis", cluster.redis.url, ...args]);
  const end = async () => { assert.equal((await emit_command("--event", "n", "--args", '["end"]')).code, 0); };

  it("reaches every node without a server of its own", async () => {
    const sent = [
      ["--event", "n", "--args", '["all"]'],
      ["--room", "user:anna", "--event", "n", "--args", '["anna"]'],
      ["--room", "user:anna", "--room", "user:bert", "--except", "user:anna", "--event", "n", "--args", '["not anna"]'],
      ["--namespace", "/elsewhere", "--event", "n", "--args", '["elsewhere"]'],
    ];
    for (const args of sent) {
      const { code, stderr } = await emit_command(...args);
      assert.equal(code, 0, stderr);
    }
    assert.deepEqual(await received_after(end), { anna: everywhere(["all", "anna"]), bert: everywhere(["all", "not anna"]) });
  });

  it("says so when Redis is not there: exit 1", async () => {
    const { code, stderr } = await run_carillon(["emit", "--redis", "redis://127.0.0.1:1", "--event", "n"]);
    assert.equal(code, 1);
    assert.match(stderr, /127\.0\.0\.1:1/);
  });
});

describe("a client of one Carillon node", () => {
  it("hears of other nodes from the moment it is connected", async () => {
    // Only broadcasts to all: a room counts from the confirmation of its subscription.
    for (let i = 0; i < 20; ++i) {
      const client = await Client.connect(cluster.members[0].url, { mode: i % 2 ? "polling" : "websocket" });
      await emit(cluster.members[1], { event: "welcome", args: [i] });
      assert.deepEqual(await client.next("welcome"), [i]);
      client.close();
    }
  });
});
