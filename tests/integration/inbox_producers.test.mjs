// What producers of notifications are answered: keys, mistakes, batches, the commands.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { call, emit, refusal } from "../support/api.mjs";
import { connect, get, notified, notify, until_delivered } from "../support/inbox.mjs";
import { run_carillon, skip_on_reference, start_carillon } from "../support/servers.mjs";

let node;
before(async () => { if (!skip_on_reference) node = await start_carillon(); });
after(() => node?.stop());

let users = 0;
const new_user = () => `user-${++users}`;

describe("idempotency keys", { skip: skip_on_reference }, () => {
  it("give the same answer again, for the same request in any spelling", async () => {
    const user = new_user();
    const first = await notified(node, user, { a: 1, b: 2 }, { idempotency_key: `k-${user}` });
    const text = `{"idempotency_key":"k-${user}", "data":{"b":2,"a":1}, "to":{"users":["${user}"]}}`;
    const again = await call(node, "/v1/notifications", { body: text });
    assert.equal(again.status, 202);
    assert.equal(again.headers["idempotent-replayed"], "true");
    assert.deepEqual(JSON.parse(again.body), first);
    assert.equal((await get(node, `/v1/users/${user}/inbox`)).items.length, 1);
  });

  it("are refused for another request, and left free by a refused one", async () => {
    const user = new_user();
    const key = `k-${user}`;
    const bad = await refusal(call(node, "/v1/notifications", { body: { to: { users: [user] }, idempotency_key: key } }));
    assert.equal(bad.status, 400);
    await notify(node, user, 1, { idempotency_key: key });
    const conflict = await refusal(call(node, "/v1/notifications", { body: { to: { users: [user] }, data: 2, idempotency_key: key } }));
    assert.equal(conflict.status, 409);
    assert.equal(conflict.code, "idempotency_conflict");
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
    await assert.rejects(connect(node, "u", { deviceId: "a\nb" }), /auth.deviceId/);
  });
});

describe("POST /v1/batch", { skip: skip_on_reference }, () => {
  it("notifies and emits, and says of each item what became of it", async () => {
    const user = new_user();
    const client = await connect(node, user);
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

describe("carillon notify and carillon trace", { skip: skip_on_reference }, () => {
  it("send and tell", async () => {
    const user = new_user();
    const client = await connect(node, user, { deviceId: "phone" });
    const sent = await run_carillon(["notify", "--api", node.api, "--user", user, "--event", "e", "--data", '{"a":1}']);
    assert.equal(sent.code, 0, sent.stderr);
    const { id } = JSON.parse(sent.stdout);
    assert.deepEqual((await client.next("e"))[0], { a: 1 });
    await until_delivered(node, id);
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
