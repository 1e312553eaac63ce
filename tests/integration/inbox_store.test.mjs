// Notifications outlive their server, and a store that does not work costs nothing but them.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { call, emit } from "../support/api.mjs";
import { connect, data_of, get, notify, state_of, take, until_delivered } from "../support/inbox.mjs";
import { run_carillon, skip_on_reference, start_carillon, temporary_folder } from "../support/servers.mjs";
import { eventually } from "../support/wait.mjs";

const number = (position) => Number(position.split("-")[1]);

describe("a server that dies", { skip: skip_on_reference }, () => {
  it("has lost nothing: what was accepted is delivered by its successor, from the device's place", async () => {
    const flags = ["--data-dir", join(temporary_folder(), "data"), "--node-name", "n"];
    let server = await start_carillon(flags);
    let client = await connect(server, "u", { deviceId: "d" });
    const before_it = await notify(server, "u", "delivered");
    await client.next("notification");
    await until_delivered(server, before_it);
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
    client = await connect(server, "u", { deviceId: "d" });
    const got = [];
    const missing = new Set(accepted.filter((id) => !got_before.includes(id)));
    while (missing.size > 0) {
      got.push(await client.next("notification"));
      missing.delete(got.at(-1)[1].id);
    }
    const numbers = got.map(([, meta]) => number(meta.position));
    assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b), "in order");
    assert.ok(got.every(([, meta]) => meta.id !== before_it), "what was proven does not come again");
    client.close();
    await server.stop();
  });

  it("keeps read marks, keys and traces over a restart", async () => {
    const flags = ["--data-dir", join(temporary_folder(), "data")];
    let server = await start_carillon(flags);
    const client = await connect(server, "u");
    const first = await notify(server, "u", 1, { idempotency_key: "k" });
    const [, { position }] = await client.next("notification");
    await until_delivered(server, first);
    await client.ask("inbox:read", { positions: [position] });
    client.close();
    await server.stop();
    server = await start_carillon(flags);
    assert.deepEqual(await notify(server, "u", 1, { idempotency_key: "k" }), first);
    const { items } = await get(server, "/v1/users/u/inbox");
    assert.deepEqual(items.map((item) => [item.position, item.read]), [[position, true]]);
    assert.equal(await state_of(server, first), "delivered");
    await server.stop();
  });
});

describe("a store that does not work", { skip: skip_on_reference }, () => {
  it("a file that is no database: 503, /readyz says so, live traffic goes on, and it mends itself", async () => {
    const folder = temporary_folder();
    writeFileSync(join(folder, "inbox.db"), "x".repeat(5000));
    const server = await start_carillon(["--data-dir", folder]);
    const client = await connect(server, "u");
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
    await notify(server, "u", "late");
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
