// Notifications on a Redis Cluster: users' logs on all of its masters, whose slots move and which die while producers and
// clients are at work.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { call, readiness, refusal, until_ready } from "../support/api.mjs";
import { connect, data_of, get, inbox_of, notify, notify_answer, numbers_to, take, until_delivered } from "../support/inbox.mjs";
import { node_is_killed, one_device_reads } from "../support/inbox_scenarios.mjs";
import { InboxStorm } from "../support/inbox_storm.mjs";
import { RedisCluster } from "../support/redis_cluster.mjs";
import { run_carillon, skip_on_reference, start_carillon } from "../support/servers.mjs";
import { eventually, is_slow } from "../support/wait.mjs";

const adapters = {
  "pub/sub": [],
  sharded: ["--set", 'cluster.adapter="sharded"'],
};
const outage_ms = 300; // so long a master is away
const key_of = (user) => `socket.io-inbox:{u:${user}}:log`;

let users = 0;
const new_user = () => `user-${++users}`;

class Setup {
  static async start(flags, options) {
    const setup = new Setup();
    setup.flags = flags;
    setup.redis = await RedisCluster.start({ durable: true, ...options });
    setup.nodes = await Promise.all([0, 1].map(() => setup.start_node()));
    await setup.until_ready();
    return setup;
  }
  start_node() {
    return start_carillon(["--redis", this.redis.url, "--set", "redis.timeout_ms=1000", "--set", 'clients.subscribe=["news"]', ...this.flags]);
  }
  until_ready() { return Promise.all(this.nodes.map((node) => until_ready(node))); }

  // One user for each master.
  async scattered_users() {
    const found = new Map();
    while (found.size < 3) {
      const user = new_user();
      found.set(await this.redis.master_of(await this.redis.slot_of(key_of(user))), user);
    }
    return [...found.values()];
  }

  async stop() {
    for (const node of this.nodes ?? []) assert.equal((await node.stop()).code, 0);
    await this.redis?.stop();
  }
}

for (const [adapter, flags] of Object.entries(adapters)) {
  describe(`notifications on a Redis Cluster, ${adapter}`, { skip: skip_on_reference }, () => {
    let setup;
    let nodes;
    before(async () => {
      setup = await Setup.start(flags);
      nodes = setup.nodes;
    });
    after(() => setup?.stop());

    it("accepted at one node they reach clients at another, wherever their users' logs are", async () => {
      for (const user of await setup.scattered_users()) {
        const client = await connect(nodes[1], user, { deviceId: "phone" });
        const ids = [];
        for (const n of numbers_to(10)) ids.push(await notify(nodes[0], user, n));
        assert.deepEqual(data_of(await take(client, 10)), numbers_to(10));
        await until_delivered(nodes[0], ids[9]);
        const { recipients: [{ steps }] } = await get(nodes[0], `/v1/notifications/${ids[9]}`);
        assert.equal(steps.at(-1).node, nodes[1].node);
        const traced = await run_carillon(["trace", ids[0], "--api", nodes[1].api]);
        assert.match(traced.stdout, new RegExp(`${user}  \\S+-1  delivered\n  \\S+Z  accepted\n  \\S+Z  delivered  device phone  node ${nodes[1].node}`));
        client.close();
      }
    });

    it("one to many users reaches all of them, once, though it is asked for at both nodes", async () => {
      const names = Array.from({ length: 60 }, new_user);
      const clients = await Promise.all(names.map((user, i) => connect(nodes[i % 2], user)));
      const key = `to many, ${adapter}`;
      const ids = await Promise.all(nodes.map((node) => notify(node, names, "all", { idempotency_key: key })));
      assert.equal(ids[0], ids[1]);
      assert.equal(await notify(nodes[1], names, "all", { idempotency_key: key }), ids[0]);
      const conflict = await refusal(notify_answer(nodes[1], names, "another", { idempotency_key: key }));
      assert.equal(conflict.status, 409);
      await notify(nodes[1], names, "next");
      for (const client of clients) {
        assert.deepEqual(data_of(await take(client, 2)), ["all", "next"]);
        client.close();
      }
      const { recipients } = await get(nodes[0], `/v1/notifications/${ids[0]}`);
      assert.deepEqual(recipients.map(({ user }) => user).sort(), [...names].sort());
    });

    it("one to a room reaches its members' users at all nodes", async () => {
      const names = Array.from({ length: 6 }, new_user);
      const clients = await Promise.all(names.map((user, i) => connect(nodes[i % 2], user)));
      for (const client of clients.slice(0, 4)) assert.deepEqual(await client.ask("subscribe", "news"), [{ rooms: ["news"] }]);
      const answer = await call(nodes[0], "/v1/notifications", { body: { to: { room: "news" }, data: 1 } });
      assert.equal(JSON.parse(answer.body).recipients, 4, answer.body);
      for (const client of clients.slice(0, 4)) assert.deepEqual(data_of(await take(client, 1)), [1]);
      for (const user of names.slice(4)) assert.deepEqual(await inbox_of(nodes[1], user), []);
      for (const client of clients) client.close();
    });

    it("a newer one with the collapse key takes the older one's place, at any node", async () => {
      const user = new_user();
      const old = await notify(nodes[0], user, 1, { collapse_key: "score" });
      await notify(nodes[1], user, 2, { collapse_key: "score" });
      for (const node of nodes) assert.deepEqual(await inbox_of(node, user), [2]);
      assert.equal((await get(nodes[1], `/v1/notifications/${old}`)).recipients[0].state, "collapsed");
      const client = await connect(nodes[1], user);
      assert.deepEqual(data_of(await take(client, 1)), [2]);
      client.close();
    });

    it("what is read on one device is told to another one at another node", async () => {
      for (const user of await setup.scattered_users()) await one_device_reads(nodes, user);
    });

    it("a master that has lost everything: its users are told, the others are not", async () => {
      const names = await setup.scattered_users();
      const clients = await Promise.all(names.map((user) => connect(nodes[1], user)));
      for (const n of [1, 2, 3]) await notify(nodes[0], names, n);
      for (const client of clients) await take(client, 3);
      await setup.redis.control(await setup.redis.master_of(await setup.redis.slot_of(key_of(names[0])))).flushall();
      await notify(nodes[0], names, 4);
      assert.equal((await clients[0].next("inbox:gap"))[0].reason, "epoch");
      for (const client of clients) {
        assert.deepEqual(data_of(await take(client, 1)), [4]);
        client.close();
      }
      for (const client of clients.slice(1)) assert.equal(client.queue("inbox:gap").items.length, 0);
      assert.deepEqual(await Promise.all(names.map((user) => inbox_of(nodes[0], user))), [[4], [1, 2, 3, 4], [1, 2, 3, 4]]);
    });

    it("go on at another node when theirs is killed", () => node_is_killed(nodes, () => setup.start_node(), new_user()));

    // Which of a log's keys have gone when somebody writes to it.
    for (const [what, gone] of [["its numbers and entries", ["log"]], ["what it knows of the past", ["ended"]]]) {
      it(`a slot of which ${what} alone have moved: it is refused, and nothing of the log is lost`, async () => {
        const user = new_user();
        const collapsing = { collapse_key: "score" };
        const ids = [await notify(nodes[0], user, 1, collapsing), await notify(nodes[0], user, 2, collapsing)];
        const slot = await setup.redis.slot_of(key_of(user));
        const from = await setup.redis.master_of(slot);
        const move = await setup.redis.begin_move(slot, setup.redis.servers.find((server) => server !== from));
        await move.move_keys(gone.map((name) => key_of(user).replace(/log$/, name)));
        const answer = await notify_answer(nodes[1], user, 3, collapsing);
        await move.end();
        assert.equal(answer.status, 503, answer.body);
        assert.deepEqual(await Promise.all(nodes.map((node) => readiness(node))), [200, 200]);
        ids.push(await notify(nodes[1], user, 3, collapsing));
        assert.deepEqual(await inbox_of(nodes[0], user), [3]);
        for (const id of ids.slice(0, 2))
          assert.equal((await get(nodes[0], `/v1/notifications/${id}`)).recipients[0]?.state, "collapsed");
      });
    }

    it("while slots move nothing is lost, out of order or seen twice", async (test) => {
      const storm = new InboxStorm(nodes, { users: 20, epochs_change: true, name: "moving-" });
      await storm.start();
      const slots = await Promise.all(storm.people.map(({ name }) => setup.redis.slot_of(key_of(name))));
      const move = async (is_over) => {
        while (!is_over())
          for (const to of setup.redis.servers) {
            await setup.redis.until_agreed();
            for (const slot of slots) await setup.redis.move_slot(slot, to);
          }
      };
      await storm.produce_amid(move, is_slow ? 300 : 3000, { producers: 8 });
      await storm.calm();
      await storm.end();
      test.diagnostic(JSON.stringify(storm.assess()));
    });

    it("while masters are killed, and come back with their files, nothing is lost, out of order or seen twice", async (test) => {
      const storm = new InboxStorm(nodes, { users: 20, epochs_change: true, name: "dying-" });
      await storm.start();
      const rage = async (is_over) => {
        for (const server of setup.redis.servers) {
          const before = storm.accepted;
          await eventually("traffic", () => is_over() || storm.accepted >= before + 50);
          await server.kill();
          await sleep(outage_ms);
          await server.start();
          await setup.redis.until_whole(server);
        }
      };
      await storm.produce_amid(rage, is_slow ? 300 : 2000, { producers: 8 });
      await storm.calm();
      await storm.end();
      test.diagnostic(JSON.stringify(storm.assess()));
    });
  });

  // Replication is not waited for: what a master had confirmed in its last moment may be lost with it.
  describe(`notifications on a Redis Cluster with replicas, ${adapter}`, { skip: skip_on_reference }, () => {
    const lag_ms_max = 1000;
    let setup;
    before(async () => { setup = await Setup.start(flags, { replicas: 1 }); });
    after(() => setup?.stop());

    // A user who is there all the time, and a producer who asks again with the same key until it is told 202.
    class Pair {
      static async start(user) {
        const pair = new Pair();
        Object.assign(pair, { user, n: 0, accepted: [], seen: [], gaps: 0, faults: [] });
        pair.client = await connect(setup.nodes[1], user, { deviceId: "phone" });
        pair.client.socket.on("inbox:gap", ({ reason }) => {
          ++pair.gaps;
          pair.last = 0;
          if (reason !== "epoch") pair.faults.push(`a gap because of ${reason}`);
        });
        pair.client.socket.on("notification", (n, { id, position }) => {
          const number = Number(position.split("-")[1]);
          if (pair.seen.some((other) => other.id === id)) return; // a repeat
          if (number <= pair.last) pair.faults.push(`number ${number} after ${pair.last}`);
          pair.last = number;
          pair.seen.push({ n, id });
        });
        return pair;
      }
      async produce() {
        const n = ++this.n;
        for (;;) {
          const answer = await notify_answer(setup.nodes[0], this.user, n, { idempotency_key: `${this.user} ${n}` });
          if (answer.status === 202) {
            this.accepted.push({ n, id: JSON.parse(answer.body).id, at: performance.now() });
            return;
          }
          assert.equal(answer.status, 503, answer.body);
          await sleep(50);
        }
      }
      async produce_until(is_over) { while (!is_over()) await this.produce(); }
      missing() { return this.accepted.filter(({ id }) => !this.seen.some((one) => one.id === id)); }
    }

    it("a master dies and its replica takes over: at most its last moment is lost, and all goes on in order", async (test) => {
      const pairs = await Promise.all(Array.from({ length: 12 }, (_, i) => Pair.start(`pair-${i}`)));
      let is_over = false;
      const producing = pairs.map((pair) => pair.produce_until(() => is_over));
      await eventually("traffic", () => pairs.every(({ accepted }) => accepted.length >= 10));
      const killed_at = performance.now();
      await setup.redis.fail_over(await setup.redis.master_of(await setup.redis.slot_of(key_of(pairs[0].user))));
      await setup.until_ready();
      is_over = true;
      await Promise.all(producing);
      for (let i = 0; i < 3; ++i) await Promise.all(pairs.map((pair) => pair.produce()));
      const later = (pair) => pair.missing().filter(({ at }) => at > killed_at + lag_ms_max || at < killed_at - lag_ms_max);
      await eventually(() => pairs.map((pair) => `${pair.user}: ${later(pair).map(({ n }) => n)}`).join("; "), () => pairs.every((pair) => later(pair).length === 0));
      for (const { user, faults } of pairs) assert.deepEqual(faults, [], user);
      const sum = (of) => pairs.reduce((total, pair) => total + of(pair), 0);
      test.diagnostic(`${sum(({ accepted }) => accepted.length)} accepted, ${sum((pair) => pair.missing().length)} lost, ${sum(({ gaps }) => gaps)} gaps told`);
      for (const pair of pairs) pair.client.close();
    });

    it("it comes back as a replica, and nothing happens", async () => {
      const dead = setup.redis.servers.find((server) => server.is_dead);
      await dead.start();
      dead.is_dead = false;
      await setup.redis.until_whole(dead);
      for (const user of await setup.scattered_users()) {
        await notify(setup.nodes[0], user, 1);
        const client = await connect(setup.nodes[1], user);
        assert.deepEqual(data_of(await take(client, 1)), [1]);
        client.close();
      }
    });
  });
}
