// Disks that are full or read-only, real ones: what was accepted is readable, and the server goes on by itself when it can.
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { call } from "../support/api.mjs";
import { connect, get, notify, notify_answer, state_of, take, until_delivered } from "../support/inbox.mjs";
import { skip_on_reference, start_carillon } from "../support/servers.mjs";
import { can_mount, SmallDisk } from "../support/small_disk.mjs";
import { eventually } from "../support/wait.mjs";

const skip = skip_on_reference || (await can_mount() ? false : "nothing can be mounted here");
const is_ready = async (server) => (await call(server, "/readyz", { method: "GET" })).status === 200;
const code_of = (answer) => JSON.parse(answer.body).error.code;
const unread_of = async (server, user) => (await get(server, `/v1/users/${user}/inbox?limit=1`)).unread;

// Ids of what was accepted before it was refused, and that answer.
async function notify_until_refused(server, user) {
  const ids = [];
  for (let i = 0; i < 1_000; ++i) {
    const answer = await notify_answer(server, user, "x".repeat(20_000), { ttl_s: 3600 });
    if (answer.status !== 202) return { ids, answer };
    ids.push(JSON.parse(answer.body).id);
  }
  throw new Error("the disk has no end");
}

async function with_disk(size, use) {
  const disk = await SmallDisk.mount(size);
  const start = () => start_carillon(["--data-dir", join(disk.folder, "data")], { through: disk.entry });
  try {
    await use(disk, start);
  } finally {
    await disk.stop();
  }
}

describe("a full disk", { skip }, () => {
  it("takes nothing more, also after a crash, and keeps what it has; with room it goes on", () => with_disk("6m", async (disk, start) => {
    await disk.use(3_000_000);
    let server = await start();
    const phone = await connect(server, "u", { deviceId: "phone" });
    const noted = await notify(server, "u", "first");
    await take(phone, 1);
    await until_delivered(server, noted);
    phone.close();

    const { ids, answer } = await notify_until_refused(server, "u");
    assert.equal(answer.status, 503);
    assert.equal(code_of(answer), "store_full");
    assert.ok(ids.length > 20, `${ids.length}`);
    assert.equal(await is_ready(server), false);
    assert.equal(await unread_of(server, "u"), ids.length + 1);

    await server.program.kill();
    await disk.fill();
    server = await start();
    ids.push(...(await notify_until_refused(server, "u")).ids); // its own file has some room
    assert.equal(await unread_of(server, "u"), ids.length + 1);
    const again = await connect(server, "u", { deviceId: "phone" });
    const got = await take(again, ids.length);
    assert.deepEqual(got.map(([, { id }]) => id), ids);
    again.close();

    await disk.empty();
    await eventually("ready", () => is_ready(server));
    const late = await notify(server, "u", "late");
    const last = await connect(server, "u", { deviceId: "phone" });
    await until_delivered(server, late);
    assert.equal(await state_of(server, ids.at(-1)), "delivered");
    last.close();
    await server.stop();
  }));
});

describe("a read-only disk", { skip }, () => {
  it("at the start: 503 until it can be written, then all is there", () => with_disk("8m", async (disk, start) => {
    let server = await start();
    const id = await notify(server, "u", 1);
    await server.stop();
    assert.equal(await disk.run("mount -o remount,ro ."), 0);
    server = await start();
    const answer = await notify_answer(server, "u", 2);
    assert.equal(answer.status, 503);
    assert.equal(code_of(answer), "store_read_only");
    assert.equal(await is_ready(server), false);
    assert.equal(await disk.run("mount -o remount,rw ."), 0);
    await eventually("ready", () => is_ready(server));
    assert.equal(await state_of(server, id), "accepted");
    await notify(server, "u", 2);
    assert.equal(await unread_of(server, "u"), 2);
    await server.stop();
  }));
});
