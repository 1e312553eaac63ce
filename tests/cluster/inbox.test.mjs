// Notifications that lie in Redis: accepted at any node, delivered by any other, whatever dies in between.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { call, readiness, refusal, until_ready } from "../support/api.mjs";
import { connect, data_of, get, inbox_of, notify, notify_answer, numbers_to, take, until_delivered } from "../support/inbox.mjs";
import { node_is_killed, one_device_reads } from "../support/inbox_scenarios.mjs";
import { metrics } from "../support/metrics.mjs";
import { RedisServer } from "../support/redis.mjs";
import { start_carillon, temporary_folder } from "../support/servers.mjs";
import { eventually } from "../support/wait.mjs";

const folder = temporary_folder();
let redis;
let nodes;
const start_node = (more = []) => start_carillon(["--redis", redis.url, "--set", "redis.timeout_ms=3000", ...more]);

before(async () => {
  redis = await RedisServer.start(["--appendonly", "yes", "--appendfsync", "always", "--dir", folder]);
  nodes = await Promise.all([start_node(), start_node()]);
  await Promise.all(nodes.map((node) => until_ready(node)));
});
after(async () => {
  await Promise.all((nodes ?? []).map((node) => node.stop()));
  await redis?.stop();
});

let users = 0;
const new_user = () => `user-${++users}`;
const script = (name) => readFileSync(new URL(`../../src/inbox/redis_scripts/${name}.lua`, import.meta.url), "utf8");
// What a node would append, but its signal goes where nobody listens.
function append_unheard(connection, user, id, data) {
  const [now, day, event] = [Date.now(), 24 * 3600 * 1000, "notification"];
  const head = Buffer.alloc(22);
  head.writeUIntLE(now + day, 0, 6);
  head.writeUIntLE(now, 6, 6);
  head.writeUInt16LE(id.length, 12);
  head.writeUInt32LE(event.length, 14);
  const record = Buffer.concat([head, Buffer.from(id + event + JSON.stringify(data))]);
  // What does nothing takes the place of PUBLISH.
  return connection.eval(script("common") + script("append"), 1, `socket.io-inbox:{u:${user}}:log`,
                         1000, 4 * 1024 * 1024, day, day, "anepoch", "HMGET", now, day, 1, 0, 0, record);
}

describe("notifications in Redis", () => {
  it("accepted at one node they reach a client at another, with proof, and do not come again", async () => {
    const user = new_user();
    let client = await connect(nodes[1], user);
    const ids = [];
    for (const n of numbers_to(20)) ids.push(await notify(nodes[0], user, n));
    assert.deepEqual(data_of(await take(client, 20)), numbers_to(20));
    await until_delivered(nodes[0], ids[19]);
    const { recipients: [{ steps }] } = await get(nodes[0], `/v1/notifications/${ids[19]}`);
    assert.equal(steps.at(-1).node, nodes[1].node);
    client.close();
    await notify(nodes[1], user, 21);
    client = await connect(nodes[0], user);
    assert.deepEqual(data_of(await take(client, 1)), [21]);
    client.close();
  });

  it("to many users are published to those who are there", async () => {
    const users = Array.from({ length: 300 }, new_user);
    const clients = [await connect(nodes[0], users[7]), await connect(nodes[1], users[290])];
    const operator = redis.connect();
    await operator.config("RESETSTAT");
    await notify(nodes[0], users, 1);
    for (const client of clients) {
      assert.deepEqual(data_of(await take(client, 1)), [1]);
      client.close();
    }
    const [, published] = (await operator.info("commandstats")).match(/cmdstat_publish:calls=(\d+)/);
    assert.ok(published < 30, `${published} of 300`);  // nodes have things to say to each other, too
    assert.equal((await get(nodes[1], `/v1/users/${users[100]}/inbox`)).unread, 1);
    operator.disconnect();
  });

  it("wait for a client that is away, and are known by their key at any node", async () => {
    const user = new_user();
    const first = await notify(nodes[0], user, 1, { idempotency_key: "the key" });
    assert.equal(await notify(nodes[1], user, 1, { idempotency_key: "the key" }), first);
    assert.equal((await notify_answer(nodes[1], user, 2, { idempotency_key: "the key" })).status, 409);
    await notify(nodes[1], user, 3);
    const client = await connect(nodes[1], user);
    assert.deepEqual(data_of(await take(client, 2)), [1, 3]);
    client.close();
  });

  it("what is read on one device is told to another one at another node", () => one_device_reads(nodes, new_user()));

  it("go on at another node when theirs is killed", () => node_is_killed(nodes, start_node, new_user()));

  it("survive a Redis that is killed, and connected clients go on without a gap", async () => {
    const user = new_user();
    const client = await connect(nodes[1], user);
    const gaps = [];
    client.socket.on("inbox:gap", (gap) => gaps.push(gap));
    const id = await notify(nodes[0], user, 1);
    await take(client, 1);
    await until_delivered(nodes[0], id);
    await redis.kill();
    await until_ready(nodes[0], 503);
    assert.equal((await notify_answer(nodes[0], user, "refused")).status, 503);
    await redis.start();
    await Promise.all(nodes.map((node) => until_ready(node)));
    for (const n of [2, 3]) await notify(nodes[0], user, n);
    assert.deepEqual(data_of(await take(client, 2)), [2, 3]);
    assert.deepEqual(gaps, []);
    assert.equal((await get(nodes[0], `/v1/users/${user}/inbox`)).items.length, 3);
    client.close();
  });

  // Redis takes no writes when it was to save its data and could not: a folder is in the way of its file.
  const in_the_way = join(folder, "dump.rdb");
  const until_saved = (operator, status) => eventually(`a save that ends ${status}`, async () => {
    await operator.bgsave().catch(() => undefined);  // one is on its way
    return (await operator.info("persistence")).includes(`rdb_last_bgsave_status:${status}`);
  });
  const spoil_saving = async (operator) => {
    mkdirSync(join(in_the_way, "something"), { recursive: true });
    await operator.config("SET", "save", "3600 1");
    await until_saved(operator, "err");
  };
  const mend_saving = async (operator) => {
    rmSync(in_the_way, { recursive: true });
    await until_saved(operator, "ok");
    await operator.config("SET", "save", "");
  };
  // What makes Redis refuse writes, and what makes it good again.
  const refusals = [
    ["without memory", "store_full", (operator) => operator.config("SET", "maxmemory", "1"), (operator) => operator.config("SET", "maxmemory", "0")],
    ["that cannot save and takes no writes", "store_read_only", spoil_saving, mend_saving],
  ];
  for (const [what, code, spoil, mend] of refusals) {
    it(`a Redis ${what} refuses, is named by /readyz, and is used again without a restart`, async () => {
      const together = [new_user(), new_user(), new_user()];
      const [user] = together;
      const client = await connect(nodes[1], user, { deviceId: "phone" });
      await notify(nodes[0], user, 1);
      await take(client, 1);
      const body = { to: { users: together }, data: 2, idempotency_key: code };
      const operator = redis.connect();
      await spoil(operator);
      try {
        const answer = await refusal(call(nodes[0], "/v1/notifications", { body }));
        assert.deepEqual([answer.status, answer.code], [503, code]);
        assert.equal((await notify_answer(nodes[0], user, "refused")).status, 503);
        const ready = await call(nodes[0], "/readyz", { method: "GET" });
        assert.equal(ready.status, 503);
        assert.match(ready.body, /the store of notifications/);
        // What was accepted is still there, at any node; what was refused is nowhere.
        for (const node of nodes) assert.deepEqual(await inbox_of(node, user), [1]);
        for (const other of together.slice(1)) assert.deepEqual(await inbox_of(nodes[0], other), []);
      } finally {
        await mend(operator);
      }
      await until_ready(nodes[0]);
      for (let i = 0; i < 2; ++i) assert.equal((await call(nodes[i], "/v1/notifications", { body })).status, 202);
      await notify(nodes[1], user, 3);
      assert.deepEqual(data_of(await take(client, 2)), [2, 3]);
      for (const other of together.slice(1)) assert.deepEqual(await inbox_of(nodes[0], other), [2]);
      client.close();
    });
  }

  it("a Redis that has become a replica counts as away until it is a master again", async () => {
    const user = new_user();
    await notify(nodes[0], user, 1);
    const operator = redis.connect();
    await operator.replicaof("127.0.0.1", "1");
    try {
      assert.equal((await notify_answer(nodes[0], user, "refused")).status, 503);
      await until_ready(nodes[0], 503);
    } finally {
      await operator.replicaof("NO", "ONE");
    }
    await Promise.all(nodes.map((node) => until_ready(node)));
    await notify(nodes[1], user, 2);
    assert.deepEqual(await inbox_of(nodes[0], user), [1, 2]);
  });

  it("one that reaches only some of its users is refused, and completed by the same request", async () => {
    const [good, bad] = [new_user(), new_user()];
    const body = { to: { users: [good, bad] }, data: 1, idempotency_key: "some" };
    const operator = redis.connect();
    const key = `socket.io-inbox:{u:${bad}}:log`;
    await operator.set(key, "something else");
    const answer = await refusal(call(nodes[0], "/v1/notifications", { body }));
    assert.deepEqual([answer.status, answer.code], [503, "store_corrupt"]);
    assert.equal(await readiness(nodes[0]), 200, "the others' logs are good");
    await notify(nodes[0], good, 2);
    await operator.del(key);
    assert.equal((await call(nodes[1], "/v1/notifications", { body })).status, 202);
    assert.deepEqual(await inbox_of(nodes[0], good), [1, 2]);
    assert.deepEqual(await inbox_of(nodes[0], bad), [1]);
  });

  it("a request that is completed by its repeat comes with the id that its first answer had", async () => {
    const [there, late] = [new_user(), new_user()];
    const body = { to: { users: [there, late] }, data: 1, idempotency_key: "completed" };
    const first = JSON.parse((await call(nodes[0], "/v1/notifications", { body })).body);
    const operator = redis.connect();
    await operator.setrange("socket.io-inbox:key:completed", 0, "open");
    await operator.del(`socket.io-inbox:{u:${late}}:log`);
    const client = await connect(nodes[0], late);
    const again = await call(nodes[0], "/v1/notifications", { body });
    assert.equal(again.status, 202);
    assert.equal(JSON.parse(again.body).id, first.id);
    const [[, meta]] = await take(client, 1);
    assert.equal(meta.id, first.id);
    client.close();
  });

  it("are delivered though their signal was lost: heads are checked every now and then", async () => {
    const user = new_user();
    const node = await start_node(["--set", "inbox.head_check_interval_ms=500"]);
    await until_ready(node);
    const client = await connect(node, user);
    await notify(nodes[0], user, 1);
    assert.deepEqual(data_of(await take(client, 1)), [1]);
    const { carillon_inbox_signals_total: before } = await metrics(node);
    await append_unheard(redis.connect(), user, "unheard", 2);
    assert.deepEqual(data_of(await take(client, 1)), [2]);
    assert.equal((await metrics(node)).carillon_inbox_signals_total, before);
    client.close();
    await node.stop();
  });

  it("a Redis that comes back empty: the client is told, and hears what is new", async () => {
    const user = new_user();
    const client = await connect(nodes[1], user);
    for (const n of [1, 2, 3]) await notify(nodes[0], user, n);
    await take(client, 3);
    await redis.connect().flushall();
    for (const n of [4, 5]) await notify(nodes[0], user, n);
    const [gap] = await client.next("inbox:gap");
    assert.equal(gap.reason, "epoch");
    assert.deepEqual(data_of(await take(client, 2)), [4, 5]);
    client.close();
  });
});
