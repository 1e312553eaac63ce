// Notifications that are not lost: accepted over HTTP, delivered to the unmodified client.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { call, refusal } from "../support/api.mjs";
import { Client } from "../support/clients.mjs";
import { connect, data_of, get, notified, notify, state_of, take, until_delivered, until_state } from "../support/inbox.mjs";
import { until_metric } from "../support/metrics.mjs";
import { skip_on_reference, start_carillon } from "../support/servers.mjs";
import { eventually } from "../support/wait.mjs";

let node;
before(async () => { if (!skip_on_reference) node = await start_carillon(); });
after(() => node?.stop());

let users = 0;
const new_user = () => `user-${++users}`;
const number = (position) => Number(position.split("-")[1]);

describe("notifications", { skip: skip_on_reference }, () => {
  it("reach a client that is there, with their meta data", async () => {
    const user = new_user();
    const client = await connect(node, user);
    const { id, recipients } = await notified(node, user, { text: "hello", n: [1, null] });
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
    for (let i = 1; i <= 150; ++i) await notify(node, user, i, { event: "order" });
    const client = await connect(node, user);
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
      const id = await notify(node, user, 1);
      await client.next("notification");
      await until_delivered(node, id);
      const [step] = (await get(node, `/v1/notifications/${id}`)).recipients[0].steps.slice(1);
      assert.equal(step.step, "delivered");
      assert.equal(step.device, "phone");
      assert.equal(step.node, node.node);
      assert.equal(step.socket, client.socket.id);
      client.close();
      await notify(node, user, 2);
      client = await Client.connect(node.clients, options);
      assert.deepEqual(data_of(await take(client, 1)), [2]);
      client.close();
    });
  }

  it("reach each device, and each from its own place", async () => {
    const user = new_user();
    const phone = await connect(node, user, { deviceId: "phone" });
    let tablet = await connect(node, user, { deviceId: "tablet" });
    const first = await notify(node, user, 1);
    for (const client of [phone, tablet]) assert.deepEqual(data_of(await take(client, 1)), [1]);
    await eventually("proofs of both devices", async () => {
      const { steps } = (await get(node, `/v1/notifications/${first}`)).recipients[0];
      return steps.slice(1).map((step) => step.device).sort().join() === "phone,tablet";
    });
    tablet.close();
    const second = await notify(node, user, 2);
    await phone.next("notification");
    await until_delivered(node, second);
    tablet = await connect(node, user, { deviceId: "tablet" });
    assert.deepEqual(data_of(await take(tablet, 1)), [2]);
    phone.close();
    tablet.close();
  });

  it("go to many users, and to the users in a room", async () => {
    const [anna, bert, carl] = [new_user(), new_user(), new_user()];
    const clients = [await connect(node, anna), await connect(node, bert)];
    assert.equal((await notified(node, { users: [anna, bert, carl, anna] }, "all")).recipients, 3);
    for (const client of clients) assert.deepEqual(data_of(await take(client, 1)), ["all"]);
    assert.equal((await notified(node, { room: `user:${bert}` }, "room")).recipients, 1);
    assert.deepEqual(data_of(await take(clients[1], 1)), ["room"]);
    assert.equal((await notified(node, { room: "nobody here" }, 1)).recipients, 0);
    for (const client of clients) client.close();
  });

  it("count as delivered only when acknowledged, where the client asks for that", async () => {
    const user = new_user();
    let client = new Client(node.clients, { auth: { userId: user, deviceId: "d", ack: true } });
    const waiting = [];
    client.socket.on("notification", (data, meta, ack) => waiting.push({ data, meta, ack }));
    await client.connected;
    const ids = [];
    for (const data of ["a", "b", "c"]) ids.push(await notify(node, user, data));
    await eventually("three notifications", () => waiting.length === 3);
    waiting[0].ack();
    waiting[2].ack();
    await until_state(node, ids[2], "acknowledged");
    await until_state(node, ids[0], "acknowledged");
    assert.equal(await state_of(node, ids[1]), "accepted");
    client.close();
    waiting.length = 0;
    client = new Client(node.clients, { auth: { userId: user, deviceId: "d", ack: true } });
    client.socket.on("notification", (data, meta, ack) => waiting.push({ data, meta, ack }));
    await client.connected;
    await eventually("one notification", () => waiting.length === 1);
    assert.equal(waiting[0].data, "b");
    assert.equal(waiting[0].meta.id, ids[1]);
    waiting[0].ack();
    await until_state(node, ids[1], "acknowledged");
    client.close();
  });

  it("come again when no acknowledgement comes", async () => {
    const quick = await start_carillon(["--set", "inbox.ack_timeout_ms=200"]);
    const client = new Client(quick.clients, { auth: { userId: "u", ack: true } });
    const ids = [];
    client.socket.on("notification", (data, meta) => ids.push(meta.id));
    await client.connected;
    const id = await notify(quick, "u", 1);
    await until_metric(quick, "carillon_inbox_given_up_total", (value) => value === 1);
    assert.deepEqual(ids, [id, id, id]);
    client.close();
    await quick.stop();
  });

  it("are dropped when the user's limit is reached, and the client is told", async () => {
    const small = await start_carillon(["--set", "inbox.notifications_per_user_max=3"]);
    const ids = [];
    for (let i = 1; i <= 5; ++i) ids.push(await notify(small, "u", i));
    const client = await connect(small, "u");
    assert.deepEqual(data_of(await take(client, 3)), [3, 4, 5]);
    const [gap] = await client.next("inbox:gap");
    assert.equal(gap.reason, "limit");
    assert.deepEqual([number(gap.from), number(gap.to)], [1, 2]);
    assert.equal(await state_of(small, ids[0]), "dropped");
    assert.equal((await get(small, "/v1/users/u/inbox")).gap.to, gap.to);
    client.close();
    await small.stop();
  });

  it("expire", async () => {
    const user = new_user();
    const id = await notify(node, user, "gone", { ttl_s: 1 });
    await until_state(node, id, "expired");
    await notify(node, user, "here");
    const client = await connect(node, user);
    assert.deepEqual(data_of(await take(client, 1)), ["here"]);
    client.close();
  });

  it("collapse: a newer one takes the place of one that was not delivered", async () => {
    const user = new_user();
    const id = await notify(node, user, "1:0", { collapse_key: "score" });
    await notify(node, user, "other");
    await notify(node, user, "2:0", { collapse_key: "score" });
    assert.equal(await state_of(node, id), "collapsed");
    const client = await connect(node, user);
    assert.deepEqual(data_of(await take(client, 2)), ["other", "2:0"]);
    client.close();
  });
});

describe("the inbox screen", { skip: skip_on_reference }, () => {
  it("pages through what is kept, over HTTP and by the client", async () => {
    const user = `odd / ${new_user()} ?`;
    const ids = [];
    for (let i = 1; i <= 5; ++i) ids.push(await notify(node, user, i));
    const path = `/v1/users/${encodeURIComponent(user)}/inbox`;
    const first = await get(node, `${path}?limit=3`);
    assert.deepEqual(first.items.map((item) => item.data), [1, 2, 3]);
    assert.deepEqual(Object.keys(first.items[0]), ["id", "event", "data", "position", "sent_at", "read"]);
    assert.equal(first.unread, 5);
    const second = await get(node, `${path}?after=${first.next}`);
    assert.deepEqual(second.items.map((item) => item.id), ids.slice(3));
    assert.equal(second.next, null);
    const client = await connect(node, user);
    const [page] = await client.ask("inbox:fetch", { after: first.next, limit: 1 });
    assert.deepEqual(page.items.map((item) => item.data), [4]);
    assert.equal(page.next, page.items[0].position);
    const changed = await get(node, `${path}?after=anotherepoch-4`);
    assert.equal(changed.epoch_changed, true);
    assert.equal(changed.items.length, 5);
    client.close();
  });

  it("marks as read, and tells the user's other sockets", async () => {
    const user = new_user();
    for (let i = 1; i <= 4; ++i) await notify(node, user, i);
    const phone = await connect(node, user, { deviceId: "phone" });
    const tablet = await connect(node, user, { deviceId: "tablet" });
    const positions = (await take(phone, 4)).map(([, meta]) => meta.position);
    assert.deepEqual(await phone.ask("inbox:read", { positions: [positions[3]] }), [{ unread: 3 }]);
    assert.deepEqual(await tablet.next("inbox:read"), [{ positions: [positions[3]], up_to: null, unread: 3 }]);
    assert.deepEqual(await phone.ask("inbox:read", { up_to: positions[1] }), [{ unread: 1 }]);
    assert.deepEqual(await tablet.next("inbox:read"), [{ positions: [], up_to: positions[1], unread: 1 }]);
    const { items, unread } = await get(node, `/v1/users/${user}/inbox`);
    assert.deepEqual(items.map((item) => item.read), [true, true, false, true]);
    assert.equal(unread, 1);
    assert.equal(phone.queue("inbox:read").items.length, 0);
    phone.close();
    tablet.close();
  });

  it("refuses more questions of a client at once than its limit", async () => {
    const user = new_user();
    await notify(node, user, 1);
    const client = await connect(node, user);
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
    await notify(node, user, 1);
    const client = await connect(node, user);
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
