// A failover that sentinels arrange: nodes follow to the new master at once, with their subscriptions.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { emit, until_ready } from "../support/api.mjs";
import { Client } from "../support/clients.mjs";
import { Listener, assert_increasing } from "../support/cluster.mjs";
import { RedisSentinel } from "../support/redis_sentinel.mjs";
import { skip_on_reference, start_carillon } from "../support/servers.mjs";
import { is_slow } from "../support/wait.mjs";

const recovery_ms_max = is_slow ? 30_000 : 2_000; // after the promotion

describe("Redis Sentinel", { skip: skip_on_reference }, () => {
  let setup;
  let nodes;
  let listeners;
  before(async () => {
    setup = await RedisSentinel.start();
    nodes = await Promise.all([0, 1].map((i) => start_carillon(["--redis", setup.url, "--node-name", `node-${i}`])));
    await Promise.all(nodes.map((node) => until_ready(node)));
    const clients = await Promise.all(nodes.map((node) => Client.connect(node.clients, { auth: { userId: "anna" } })));
    listeners = clients.map((client, i) => new Listener(client, `anna at node ${i}`));
  });
  after(async () => {
    for (const { client } of listeners ?? []) client.close();
    for (const node of nodes ?? []) assert.equal((await node.stop()).code, 0);
    await setup?.stop();
  });

  const sent = [0, 0];
  const publish = (from) => emit(nodes[from], { rooms: ["user:anna"], event: "n", args: [{ from: `node-${from}`, i: sent[from]++ }] });
  async function assert_whole() {
    for (const from of [0, 1]) {
      const begin = sent[from];
      for (let i = 0; i < 50; ++i) await publish(from);
      for (const listener of listeners) {
        await listener.until_last(`node-${from}`, begin + 49);
        assert.deepEqual(listener.from(`node-${from}`).slice(-50), Array.from({ length: 50 }, (_, i) => begin + i));
        assert_increasing(listener.from(`node-${from}`), `node-${from} to ${listener.name}`);
      }
    }
  }

  it("the master is found", () => assert_whole());

  it("a failover is followed at once, and local traffic does not notice", async (test) => {
    await setup.fail_over();
    const promoted = performance.now();
    for (const from of [0, 1]) await publish(from);
    await Promise.all(nodes.map((node) => until_ready(node)));
    const took = performance.now() - promoted;
    test.diagnostic(`ready ${took.toFixed(0)} ms after the promotion`);
    assert.ok(took < recovery_ms_max, `${took} ms`);
    await assert_whole();
    // The other node may have come back a moment later: Redis keeps nothing for it.
    for (const own of [0, 1]) assert.equal(listeners[own].from(`node-${own}`).length, sent[own], "its own client gets all");
  });

  it("the old master, back as one that does not know better, is left alone", async () => {
    await setup.replica.start();
    await assert_whole();
    for (const node of nodes) await until_ready(node);
  });
});

describe("Redis Sentinel with passwords", { skip: skip_on_reference }, () => {
  it("of the servers and others of the sentinels; a sentinel that is gone is replaced by the next", async () => {
    const setup = await RedisSentinel.start({ password: "se:cret", sentinel_password: "other" });
    const node = await start_carillon(["--redis", setup.url]);
    try {
      await until_ready(node);
      await setup.programs[0].kill(); // the one that is asked first
      await setup.fail_over(); // the other two agree on it
      await until_ready(node);
    } finally {
      await node.stop();
      await setup.stop();
    }
  });

  it("that are wrong are told in the log", async () => {
    const setup = await RedisSentinel.start({ sentinels: 1, sentinel_password: "other" });
    const node = await start_carillon(["--redis", setup.url.replace("other", "wrong")]);
    try {
      await node.program.output(/sentinel 127\.0\.0\.1:\d+: Redis answered "WRONGPASS/, { name: "stderr" });
    } finally {
      await node.stop();
      await setup.stop();
    }
  });
});
