// A Redis Cluster whose slots move and whose masters die while everybody is subscribed and publishes.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { emit, until_ready } from "../support/api.mjs";
import { Client } from "../support/clients.mjs";
import { Listener, assert_increasing, room_channel } from "../support/cluster.mjs";
import { RedisCluster } from "../support/redis_cluster.mjs";
import { run_carillon, skip_on_reference, start_carillon } from "../support/servers.mjs";
import { is_slow } from "../support/wait.mjs";

const users = Array.from({ length: 20 }, (_, i) => `u${i}`);
const adapters = {
  "pub/sub": [],
  sharded: ["--set", 'cluster.adapter="sharded"'],
  streams: ["--set", 'cluster.adapter="streams"'],
};

// Two nodes; everybody is at the second one, and hears of what the first one is asked for.
class Setup {
  static async start(flags, options) {
    const setup = new Setup();
    setup.redis = await RedisCluster.start(options);
    const start = (i) => start_carillon(["--redis", setup.redis.url, "--node-name", `node-${i}`, "--set", "redis.timeout_ms=1000", ...flags]);
    setup.nodes = await Promise.all([0, 1].map(start));
    await setup.until_ready();
    setup.clients = await Promise.all(users.map((user) => Client.connect(setup.nodes[1].clients, { auth: { userId: user } })));
    setup.listeners = setup.clients.map((client, i) => new Listener(client, users[i]));
    setup.sent = users.map(() => 0);
    return setup;
  }

  until_ready() { return Promise.all(this.nodes.map((node) => until_ready(node))); }

  // The next number, to each user.
  async publish() {
    for (const [i, user] of users.entries())
      await emit(this.nodes[0], { rooms: [`user:${user}`], event: "n", args: [{ from: "node-0", i: this.sent[i]++ }] });
  }

  async assert_whole() {
    const begin = [...this.sent];
    for (let i = 0; i < 5; ++i) await this.publish();
    for (const [i, listener] of this.listeners.entries()) {
      await listener.until_last("node-0", this.sent[i] - 1);
      const numbers = listener.from("node-0");
      assert.deepEqual(numbers.slice(-5), Array.from({ length: 5 }, (_, k) => begin[i] + k), listener.name);
      assert_increasing(numbers, listener.name);
    }
  }

  // Of what was published so far.
  lost() {
    return this.listeners.reduce((sum, listener, i) => sum + this.sent[i] - listener.from("node-0").length, 0);
  }

  async stop() {
    for (const client of this.clients ?? []) client.close();
    for (const node of this.nodes ?? []) assert.equal((await node.stop()).code, 0);
    await this.redis?.stop();
  }
}

// `work`, while messages go out all the time.
async function while_publishing(setup, work) {
  let done = false;
  const publish = async () => { while (!done) await setup.publish(); };
  await Promise.all([work().finally(() => { done = true; }), publish()]);
}

for (const [adapter, flags] of Object.entries(adapters)) {
  describe(`Redis Cluster, ${adapter}`, { skip: skip_on_reference }, () => {
    let setup;
    before(async () => { setup = await Setup.start(flags); });
    after(() => setup?.stop());

    it("messages arrive", () => setup.assert_whole());

    it("slots move while their rooms are subscribed and published to: no room is lost, no message comes twice", async (test) => {
      const keys = adapter === "streams" ? ["socket.io"] : users.map((user) => room_channel(`user:${user}`));
      const slots = await Promise.all(keys.map((key) => setup.redis.slot_of(key)));
      for (const to of setup.redis.servers) {
        await setup.redis.until_agreed();
        await while_publishing(setup, async () => {
          for (const slot of slots) await setup.redis.move_slot(slot, to);
        });
        await setup.until_ready();
        // A slot that has moved ends nobody's readiness; its rooms follow in a moment.
        if (adapter === "sharded") await Promise.all(keys.map((key) => setup.redis.until_subscribed(key, 1)));
        await setup.assert_whole();
      }
      const sent = setup.sent.reduce((a, b) => a + b);
      test.diagnostic(`${setup.lost()} of ${sent} messages lost`);
      // Redis' sharded channels keep nothing for a subscriber that is just being told that its slot has gone.
      if (adapter !== "sharded") assert.equal(setup.lost(), 0);
      if (adapter === "streams") return; // whose reader goes to another server
      for (const node of setup.nodes)
        assert.match(await (await fetch(`${node.api}/metrics`)).text(), /carillon_redis_failures_total 0\n/, "no connection was given up");
    });

    it("carillon doctor looks at all nodes", async () => {
      const { code, stdout } = await run_carillon(["doctor", "--redis", setup.redis.url, ...flags]);
      assert.equal(code, 0, stdout);
      assert.match(stdout, new RegExp(`2 servers with the ${adapter.replace("/", "")} adapter`));
      assert.match(stdout, /The user may do all/);
    });
  });

  describe(`Redis Cluster, ${adapter}, with replicas`, { skip: skip_on_reference }, () => {
    let setup;
    before(async () => { setup = await Setup.start(flags, { replicas: 1 }); });
    after(() => setup?.stop());

    it("a master dies, and its replica is followed", async (test) => {
      await setup.assert_whole();
      const key = adapter === "streams" ? "socket.io" : room_channel("user:u0");
      const master = await setup.redis.master_of(await setup.redis.slot_of(key));
      let promoted;
      // Who changes to a server that is behind would hear again what he has heard at the last one: docs/cluster.md.
      await setup.redis.until_heard();
      const kill = await setup.redis.prepare_fail_over(master);
      await while_publishing(setup, async () => {
        await kill();
        promoted = performance.now();
        await setup.until_ready();
      });
      const took = performance.now() - promoted;
      assert.ok(took < (is_slow ? 30_000 : 2_000), `${took} ms`);
      await setup.assert_whole();
      const sent = setup.sent.reduce((a, b) => a + b);
      test.diagnostic(`ready ${took.toFixed(0)} ms after the promotion, ${setup.lost()} of ${sent} messages lost`);
    });

    it("it comes back as a replica, and nothing happens", async () => {
      const dead = setup.redis.servers.find((server) => server.is_dead);
      await dead.start();
      dead.is_dead = false;
      await setup.assert_whole();
      await setup.until_ready();
    });
  });
}
