// Notifications that are not lost: accepted over HTTP, delivered to the unmodified client, whatever dies in between.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { call, refusal } from "../support/api.mjs";
import { Client } from "../support/clients.mjs";
import { until_metric } from "../support/metrics.mjs";
import { run_carillon, skip_on_reference, start_carillon, temporary_folder } from "../support/servers.mjs";
import { eventually } from "../support/wait.mjs";

let node;
before(async () => { if (!skip_on_reference) node = await start_carillon(); });
after(() => node?.stop());

let users = 0;
const new_user = () => `user-${++users}`;

async function notify(to, data, more = {}, where = node) {
  const answer = await call(where, "/v1/notifications", { body: { to: typeof to === "string" ? { users: [to] } : to, data, ...more } });
  assert.equal(answer.status, 202, answer.body);
  return JSON.parse(answer.body);
}
async function get(path, where = node) {
  const answer = await call(where, path, { method: "GET" });
  assert.equal(answer.status, 200, answer.body);
  return JSON.parse(answer.body);
}
const connect = (user, { where = node, ...auth } = {}) => Client.connect(where.clients, { auth: { userId: user, ...auth } });
const number = (position) => Number(position.split("-")[1]);

// The next `count` notifications: [data, meta].
async function take(client, count, event = "notification") {
  const got = [];
  while (got.length < count) got.push(await client.next(event));
  return got;
}
const data_of = (items) => items.map(([data]) => data);
const state_of = async (id, where) => (await get(`/v1/notifications/${id}`, where)).recipients[0].state;
const until_delivered = (id, where = node, state = "delivered") =>
  eventually(`${id} ${state}`, async () => await state_of(id, where) === state);

describe("notifications", { skip: skip_on_reference }, () => {
  it("reach a client that is there, with their meta data", async () => {
    const user = new_user();
    const client = await connect(user);
    const { id, recipients } = await notify(user, { text: "hello", n: [1, null] });
    assert.equal(recipients, 1);
    const [data, meta] = await client.next("notification");
    assert.deepEqual(data, { text: "hello", n: [1, null] });
    assert.equal(meta.id, id);
    assert.match(meta.position, /^[0-9a-z]+-1$/);
    assert.match(meta.sent_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(Object.keys(meta), ["id", "position", "sent_at"]);
    client.close();
  });

  it("wait for a client that is away, in order", async () => {
    const user = new_user();
    for (let i = 1; i <= 150; ++i) await notify(user, i, { event: "order" });
    const client = await connect(user);
    const got = await take(client, 150, "order");
    assert.deepEqual(data_of(got), Array.from({ length: 150 }, (_, i) => i + 1));
    assert.deepEqual(got.map(([, meta]) => number(meta.position)), data_of(got));
    client.close();
  });

  for (const mode of ["polling", "websocket", "upgrade"]) {
    it(`are proven by a ping over ${mode}, long before the next heartbeat, and do not come again`, async () => {
      const user = new_user();
      const options = { mode, auth: { userId: user, deviceId: "phone" } };
      let client = await Client.connect(node.clients, options);
      const { id } = await notify(user, 1);
      await client.next("notification");
      await until_delivered(id);
      const [step] = (await get(`/v1/notifications/${id}`)).recipients[0].steps.slice(1);
      assert.equal(step.step, "delivered");
      assert.equal(step.device, "phone");
      assert.equal(step.node, node.node);
      assert.equal(step.socket, client.socket.id);
      client.close();
      await notify(user, 2);
      client = await Client.connect(node.clients, options);
      assert.deepEqual(data_of(await take(client, 1)), [2]);
      client.close();
    });
  }

  it("reach each device, and each from its own place", async () => {
    const user = new_user();
    const phone = await connect(user, { deviceId: "phone" });
    let tablet = await connect(user, { deviceId: "tablet" });
    const first = await notify(user, 1);
    for (const client of [phone, tablet]) assert.deepEqual(data_of(await take(client, 1)), [1]);
    await eventually("proofs of both devices", async () => {
      const { steps } = (await get(`/v1/notifications/${first.id}`)).recipients[0];
      return steps.slice(1).map((step) => step.device).sort().join() === "phone,tablet";
    });
    tablet.close();
    const second = await notify(user, 2);
    await phone.next("notification");
    await until_delivered(second.id);
    tablet = await connect(user, { deviceId: "tablet" });
    assert.deepEqual(data_of(await take(tablet, 1)), [2]);
    phone.close();
    tablet.close();
  });

  it("go to many users, and to the users in a room", async () => {
    const [anna, bert, carl] = [new_user(), new_user(), new_user()];
    const clients = [await connect(anna), await connect(bert)];
    assert.equal((await notify({ users: [anna, bert, carl, anna] }, "all")).recipients, 3);
    for (const client of clients) assert.deepEqual(data_of(await take(client, 1)), ["all"]);
    assert.equal((await notify({ room: `user:${bert}` }, "room")).recipients, 1);
    assert.deepEqual(data_of(await take(clients[1], 1)), ["room"]);
    assert.equal((await notify({ room: "nobody here" }, 1)).recipients, 0);
    for (const client of clients) client.close();
  });

  it("count as delivered only when acknowledged, where the client asks for that", async () => {
    const user = new_user();
    let client = new Client(node.clients, { auth: { userId: user, deviceId: "d", ack: true } });
    const waiting = [];
    client.socket.on("notification", (data, meta, ack) => waiting.push({ data, meta, ack }));
    await client.connected;
    const ids = [];
    for (const data of ["a", "b", "c"]) ids.push((await notify(user, data)).id);
    await eventually("three notifications", () => waiting.length === 3);
    waiting[0].ack();
    waiting[2].ack();
    await until_delivered(ids[2], node, "acknowledged");
    await until_delivered(ids[0], node, "acknowledged");
    assert.equal(await state_of(ids[1]), "accepted");
    client.close();
    waiting.length = 0;
    client = new Client(node.clients, { auth: { userId: user, deviceId: "d", ack: true } });
    client.socket.on("notification", (data, meta, ack) => waiting.push({ data, meta, ack }));
    await client.connected;
    await eventually("one notification", () => waiting.length === 1);
    assert.equal(waiting[0].data, "b");
    assert.equal(waiting[0].meta.id, ids[1]);
    waiting[0].ack();
    await until_delivered(ids[1], node, "acknowledged");
    client.close();
  });

  it("come again when no acknowledgement comes", async () => {
    const quick = await start_carillon(["--set", "inbox.ack_timeout_ms=200"]);
    const client = new Client(quick.clients, { auth: { userId: "u", ack: true } });
    const ids = [];
    client.socket.on("notification", (data, meta) => ids.push(meta.id));
    await client.connected;
    const { id } = await notify("u", 1, {}, quick);
    await until_metric(quick, "carillon_inbox_given_up_total", (value) => value === 1);
    assert.deepEqual(ids, [id, id, id]);
    client.close();
    await quick.stop();
  });

  it("are dropped when the user's limit is reached, and the client is told", async () => {
    const small = await start_carillon(["--set", "inbox.notifications_per_user_max=3"]);
    const ids = [];
    for (let i = 1; i <= 5; ++i) ids.push((await notify("u", i, {}, small)).id);
    const client = await connect("u", { where: small });
    assert.deepEqual(data_of(await take(client, 3)), [3, 4, 5]);
    const [gap] = await client.next("inbox:gap");
    assert.equal(gap.reason, "limit");
    assert.deepEqual([number(gap.from), number(gap.to)], [1, 2]);
    assert.equal(await state_of(ids[0], small), "dropped");
    assert.equal((await get("/v1/users/u/inbox", small)).gap.to, gap.to);
    client.close();
    await small.stop();
  });

  it("expire", async () => {
    const user = new_user();
    const { id } = await notify(user, "gone", { ttl_s: 1 });
    await until_delivered(id, node, "expired");
    await notify(user, "here");
    const client = await connect(user);
    assert.deepEqual(data_of(await take(client, 1)), ["here"]);
    client.close();
  });

  it("collapse: a newer one takes the place of one that was not delivered", async () => {
    const user = new_user();
    const { id } = await notify(user, "1:0", { collapse_key: "score" });
    await notify(user, "other");
    await notify(user, "2:0", { collapse_key: "score" });
    assert.equal(await state_of(id), "collapsed");
    const client = await connect(user);
    assert.deepEqual(data_of(await take(client, 2)), ["other", "2:0"]);
    client.close();
  });
});

describe("idempotency keys", { skip: skip_on_reference }, () => {
  it("give the same answer again, for the same request in any spelling", async () => {
    const user = new_user();
    const first = await notify(user, { a: 1, b: 2 }, { idempotency_key: `k-${user}` });
    const text = `{"idempotency_key":"k-${user}", "data":{"b":2,"a":1}, "to":{"users":["${user}"]}}`;
    const again = await call(node, "/v1/notifications", { body: text });
    assert.equal(again.status, 202);
    assert.equal(again.headers["idempotent-replayed"], "true");
    assert.deepEqual(JSON.parse(again.body), first);
    assert.equal((await get(`/v1/users/${user}/inbox`)).items.length, 1);
  });

  it("are refused for another request, and left free by a refused one", async () => {
    const user = new_user();
    const key = `k-${user}`;
    const bad = await refusal(call(node, "/v1/notifications", { body: { to: { users: [user] }, idempotency_key: key } }));
    assert.equal(bad.status, 400);
    await notify(user, 1, { idempotency_key: key });
    const conflict = await refusal(call(node, "/v1/notifications", { body: { to: { users: [user] }, data: 2, idempotency_key: key } }));
    assert.equal(conflict.status, 409);
    assert.equal(conflict.code, "idempotency_conflict");
  });
});

describe("the inbox screen", { skip: skip_on_reference }, () => {
  it("pages through what is kept, over HTTP and by the client", async () => {
    const user = `odd / ${new_user()} ?`;
    const ids = [];
    for (let i = 1; i <= 5; ++i) ids.push((await notify(user, i)).id);
    const path = `/v1/users/${encodeURIComponent(user)}/inbox`;
    const first = await get(`${path}?limit=3`);
    assert.deepEqual(first.items.map((item) => item.data), [1, 2, 3]);
    assert.deepEqual(Object.keys(first.items[0]), ["id", "event", "data", "position", "sent_at", "read"]);
    assert.equal(first.unread, 5);
    const second = await get(`${path}?after=${first.next}`);
    assert.deepEqual(second.items.map((item) => item.id), ids.slice(3));
    assert.equal(second.next, null);
    const client = await connect(user);
    const [page] = await client.ask("inbox:fetch", { after: first.next, limit: 1 });
    assert.deepEqual(page.items.map((item) => item.data), [4]);
    assert.equal(page.next, page.items[0].position);
    const changed = await get(`${path}?after=anotherepoch-4`);
    assert.equal(changed.epoch_changed, true);
    assert.equal(changed.items.length, 5);
    client.close();
  });

  it("marks as read, and tells the user's other sockets", async () => {
    const user = new_user();
    for (let i = 1; i <= 4; ++i) await notify(user, i);
    const phone = await connect(user, { deviceId: "phone" });
    const tablet = await connect(user, { deviceId: "tablet" });
    const positions = (await take(phone, 4)).map(([, meta]) => meta.position);
    assert.deepEqual(await phone.ask("inbox:read", { positions: [positions[3]] }), [{ unread: 3 }]);
    assert.deepEqual(await tablet.next("inbox:read"), [{ positions: [positions[3]], up_to: null, unread: 3 }]);
    assert.deepEqual(await phone.ask("inbox:read", { up_to: positions[1] }), [{ unread: 1 }]);
    assert.deepEqual(await tablet.next("inbox:read"), [{ positions: [], up_to: positions[1], unread: 1 }]);
    const { items, unread } = await get(`/v1/users/${user}/inbox`);
    assert.deepEqual(items.map((item) => item.read), [true, true, false, true]);
    assert.equal(unread, 1);
    assert.equal(phone.queue("inbox:read").items.length, 0);
    phone.close();
    tablet.close();
  });

  it("refuses more questions of a client at once than its limit", async () => {
    const user = new_user();
    await notify(user, 1);
    const client = await connect(user);
    const answers = await Promise.all(Array.from({ length: 300 }, (_, i) => client.ask(...i % 2 ? ["inbox:fetch"] : ["inbox:read", { up_to: "otherepoch-1" }])));
    const refused = answers.filter(([{ error }]) => error !== undefined);
    assert.ok(refused.length > 0 && refused.length <= 300 - 16, `${refused.length} refused`);
    for (const [{ error }] of refused) assert.match(error, /too many questions/);
    await until_metric(node, "carillon_inbox_questions_refused_total", (count) => count === refused.length);
    assert.equal((await client.ask("inbox:fetch"))[0].items.length, 1);
    client.close();
  });

  it("refuses what makes no sense", async () => {
    const user = new_user();
    await notify(user, 1);
    const client = await connect(user);
    for (const question of [[1], [{ limit: 0 }], [{ limit: 1001 }], [{ after: "x" }], [{ what: 1 }], [[]]])
      assert.match((await client.ask("inbox:fetch", ...question))[0].error, /\S/, JSON.stringify(question));
    for (const question of [[], [{}], [{ positions: ["a-1", "b-1"] }], [{ positions: [1] }], [{ up_to: "a-0" }], [{ positions: "a-1" }]])
      assert.match((await client.ask("inbox:read", ...question))[0].error, /\S/, JSON.stringify(question));
    assert.deepEqual(await client.ask("inbox:read", { positions: ["otherepoch-1"] }), [{ unread: 1 }]);
    for (const query of ["limit=0", "limit=x", "after=1", "what=1"])
      assert.equal((await refusal(call(node, `/v1/users/${user}/inbox?${query}`, { method: "GET" }))).status, 400, query);
    client.close();
  });
});

describe("bad requests", { skip: skip_on_reference }, () => {
  const to = { users: ["u"] };
  const cases = {
    "no recipients": [{ data: 1 }, 400], "nobody": [{ to: { users: [] }, data: 1 }, 400],
    "two kinds of recipients": [{ to: { users: ["u"], room: "r" }, data: 1 }, 400],
    "a user id with a control character": [{ to: { users: ["a\u0001"] }, data: 1 }, 400],
    "a user id that is too long": [{ to: { users: ["x".repeat(257)] }, data: 1 }, 400],
    "too many recipients": [{ to: { users: Array.from({ length: 10_001 }, (_, i) => `u${i}`) }, data: 1 }, 400],
    "no data": [{ to }, 400], "too much data": [{ to, data: "x".repeat(65_536) }, 413],
    "an unknown field": [{ to, data: 1, dta: 2 }, 400], "a reserved event": [{ to, data: 1, event: "connect" }, 400],
    "an event that is too long": [{ to, data: 1, event: "e".repeat(129) }, 400],
    "a time to live of zero": [{ to, data: 1, ttl_s: 0 }, 400],
    "a time to live of a thousand years": [{ to, data: 1, ttl_s: 31_536_000_000 }, 400],
    "a key that is too long": [{ to, data: 1, idempotency_key: "k".repeat(257) }, 400],
    "an empty key": [{ to, data: 1, collapse_key: "" }, 400], "no object": [[1], 400], "no JSON": ["{", 400],
  };
  for (const [title, [body, status]] of Object.entries(cases))
    it(`${title}: ${status}`, async () => {
      const answer = await refusal(call(node, "/v1/notifications", { body }));
      assert.equal(answer.status, status);
      assert.match(answer.message, /^[a-z_.[\]0-9]+: |the body/);
    });

  it("an unknown id: 404; a device id that is none: CONNECT_ERROR", async () => {
    assert.equal((await refusal(call(node, "/v1/notifications/unknown", { method: "GET" }))).status, 404);
    assert.equal((await refusal(call(node, "/v1/notifications/unknown", { method: "DELETE" }))).status, 405);
    await assert.rejects(connect("u", { deviceId: "a\nb" }), /auth.deviceId/);
  });
});

describe("POST /v1/batch", { skip: skip_on_reference }, () => {
  it("notifies and emits, and says of each item what became of it", async () => {
    const user = new_user();
    const client = await connect(user);
    const answer = await call(node, "/v1/batch", { body: { items: [
      { op: "notify", to: { users: [user] }, data: "kept" }, { op: "emit", rooms: [`user:${user}`], event: "live" },
      { op: "notify", to: { users: [user] } }, { op: "what" }] } });
    assert.equal(answer.status, 200, answer.body);
    const { results } = JSON.parse(answer.body);
    assert.deepEqual(results.map((result) => result.status), [202, 202, 400, 400]);
    await client.next("live");
    const [data, meta] = await client.next("notification");
    assert.deepEqual([data, meta.id], ["kept", results[0].id]);
    client.close();
  });
});

describe("a server that dies", { skip: skip_on_reference }, () => {
  it("has lost nothing: what was accepted is delivered by its successor, from the device's place", async () => {
    const flags = ["--data-dir", join(temporary_folder(), "data"), "--node-name", "n"];
    let server = await start_carillon(flags);
    let client = await connect("u", { where: server, deviceId: "d" });
    const before_it = await notify("u", "delivered", {}, server);
    await client.next("notification");
    await until_delivered(before_it.id, server);
    const accepted = [];
    // Killed in the middle of a burst: what has its 202 must be there.
    const burst = Promise.all(Array.from({ length: 300 }, async (_, i) => {
      const answer = await call(server, "/v1/notifications", { body: { to: { users: ["u"] }, data: i } }).catch(() => null);
      if (answer?.status === 202) accepted.push(JSON.parse(answer.body).id);
    }));
    await eventually("twenty accepted", () => accepted.length > 20);
    await server.program.kill();
    await burst;
    const got_before = client.queue("notification").items.splice(0).map(([, meta]) => meta.id);
    client.close();
    server = await start_carillon(flags);
    client = await connect("u", { where: server, deviceId: "d" });
    const got = [];
    const missing = new Set(accepted.filter((id) => !got_before.includes(id)));
    while (missing.size > 0) {
      got.push(await client.next("notification"));
      missing.delete(got.at(-1)[1].id);
    }
    const numbers = got.map(([, meta]) => number(meta.position));
    assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b), "in order");
    assert.ok(got.every(([, meta]) => meta.id !== before_it.id), "what was proven does not come again");
    client.close();
    await server.stop();
  });

  it("keeps read marks, keys and traces over a restart", async () => {
    const flags = ["--data-dir", join(temporary_folder(), "data")];
    let server = await start_carillon(flags);
    const client = await connect("u", { where: server });
    const first = await notify("u", 1, { idempotency_key: "k" }, server);
    const [, { position }] = await client.next("notification");
    await until_delivered(first.id, server);
    await client.ask("inbox:read", { positions: [position] });
    client.close();
    await server.stop();
    server = await start_carillon(flags);
    assert.deepEqual(await notify("u", 1, { idempotency_key: "k" }, server), first);
    const { items } = await get("/v1/users/u/inbox", server);
    assert.deepEqual(items.map((item) => [item.position, item.read]), [[position, true]]);
    assert.equal(await state_of(first.id, server), "delivered");
    await server.stop();
  });
});

describe("a store that does not work", { skip: skip_on_reference }, () => {
  it("a file that is no database: 503, /readyz says so, live traffic goes on, and it mends itself", async () => {
    const folder = temporary_folder();
    writeFileSync(join(folder, "inbox.db"), "x".repeat(5000));
    const server = await start_carillon(["--data-dir", folder]);
    const client = await connect("u", { where: server });
    const answer = await call(server, "/v1/notifications", { body: { to: { users: ["u"] }, data: 1 } });
    assert.equal(answer.status, 503, answer.body);
    assert.equal(answer.headers["retry-after"], "1");
    assert.equal(JSON.parse(answer.body).error.code, "store_corrupt");
    const ready = await call(server, "/readyz", { method: "GET" });
    assert.equal(ready.status, 503);
    assert.match(ready.body, /damaged/);
    assert.equal((await call(server, "/v1/emit", { body: { rooms: ["user:u"], event: "live" } })).status, 202);
    await client.next("live");
    writeFileSync(join(folder, "inbox.db"), "");
    await eventually("ready", async () => (await call(server, "/readyz", { method: "GET" })).status === 200);
    await notify("u", "late", {}, server);
    assert.deepEqual(data_of(await take(client, 1)), ["late"]);
    client.close();
    await server.stop();
  });

  it("a folder that cannot be made keeps the server from starting, with a sentence", async () => {
    const file = join(temporary_folder(), "file");
    writeFileSync(file, "");
    const { code, stderr } = await run_carillon(["serve", "--listen", "127.0.0.1:0", "--api-listen", "127.0.0.1:0", "--data-dir", join(file, "data")]);
    assert.notEqual(code, 0);
    assert.match(stderr, /file\/data/);
  });
});

describe("carillon notify and carillon trace", { skip: skip_on_reference }, () => {
  it("send and tell", async () => {
    const user = new_user();
    const client = await connect(user, { deviceId: "phone" });
    const sent = await run_carillon(["notify", "--api", node.api, "--user", user, "--event", "e", "--data", '{"a":1}']);
    assert.equal(sent.code, 0, sent.stderr);
    const { id } = JSON.parse(sent.stdout);
    assert.deepEqual((await client.next("e"))[0], { a: 1 });
    await until_delivered(id);
    const traced = await run_carillon(["trace", id, "--api", node.api]);
    assert.equal(traced.code, 0, traced.stderr);
    assert.match(traced.stdout, new RegExp(`${user}  \\S+-1  delivered\n  \\S+Z  accepted\n  \\S+Z  delivered  device phone  node ${node.node}`));
    client.close();
  });

  it("say what is wrong", async () => {
    const bad = await run_carillon(["notify", "--api", node.api, "--user", "u", "--data", "{"]);
    assert.equal(bad.code, 2);
    assert.match(bad.stderr, /--data: expected JSON/);
    const nobody = await run_carillon(["notify", "--api", node.api, "--data", "1"]);
    assert.equal(nobody.code, 2);
    const unknown = await run_carillon(["trace", "unknown", "--api", node.api]);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /404/);
  });
});
