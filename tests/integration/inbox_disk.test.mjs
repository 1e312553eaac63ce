// A disk that is full, and one that cannot be written: a small file system of our own, where this user may mount one.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { call, refusal, until_ready } from "../support/api.mjs";
import { connect, data_of, inbox_of, notify, notify_answer, take, until_delivered } from "../support/inbox.mjs";
import { skip_on_reference, start_carillon, temporary_folder } from "../support/servers.mjs";

const disk = temporary_folder();
const mount = (...args) => execFileSync("mount", args, { stdio: "pipe" });
function mount_disk() {
  try {
    mount("-t", "tmpfs", "-o", "size=3m", "tmpfs", disk);
    return true;
  } catch {
    return false;
  }
}
const skip = skip_on_reference || (mount_disk() ? false : "nothing may be mounted here");
const data_dir = join(disk, "data");
const ready = async (node) => (await call(node, "/readyz", { method: "GET" })).body;
const ballast = join(disk, "ballast");
function fill_disk() {
  assert.throws(() => writeFileSync(ballast, Buffer.alloc(4_000_000)), { code: "ENOSPC" }, "it is larger than it should be");
}
// What the file of the database has room for is taken still: the next numbers are added to `accepted`. -> the answer of what was not
async function notify_until_refused(node, user, accepted) {
  for (let i = 0; i < 10_000; ++i) {
    const answer = await notify_answer(node, user, accepted.length);
    if (answer.status !== 202) return answer;
    accepted.push(accepted.length);
  }
  assert.fail("the disk has no end");
}

describe("the disk of notifications", { skip }, () => {
  after(() => execFileSync("umount", [disk]));

  it("full: 503, nothing is half accepted, what is there is delivered, live traffic goes on; with room again it goes on by itself", async () => {
    const node = await start_carillon(["--data-dir", data_dir]);
    await notify(node, "alice", "before");
    fill_disk();
    const accepted = [];
    const answer = await notify_until_refused(node, "bob", accepted);
    const { status, code } = await refusal(answer);
    assert.deepEqual([status, code], [503, "store_full"]);
    assert.equal(answer.headers["retry-after"], "1");
    assert.match(await ready(node), /the store of notifications is full/);
    assert.deepEqual(await inbox_of(node, "bob"), accepted.slice(0, 100));
    const alice = await connect(node, "alice");
    assert.deepEqual(data_of(await take(alice, 1)), ["before"]);
    assert.equal((await call(node, "/v1/emit", { body: { rooms: ["user:alice"], event: "live" } })).status, 202);
    await alice.next("live");
    rmSync(ballast);
    await until_ready(node);
    const id = await notify(node, "alice", "after");
    assert.deepEqual(data_of(await take(alice, 1)), ["after"]);
    await until_delivered(node, id);
    alice.close();
    assert.equal((await node.stop()).code, 0);
  });

  it("full, and the server dies: its successor gives out what is there, and goes on when there is room", async () => {
    const node = await start_carillon(["--data-dir", data_dir]);
    const carol = await connect(node, "carol", { deviceId: "phone" });
    const first = await notify(node, "carol", "first");
    await take(carol, 1);
    await until_delivered(node, first);
    carol.close();
    fill_disk();
    const accepted = [];
    assert.equal((await notify_until_refused(node, "carol", accepted)).status, 503);
    await node.program.kill();
    const successor = await start_carillon(["--data-dir", data_dir]);
    assert.equal((await notify_until_refused(successor, "carol", accepted)).status, 503); // it may find some more room
    const again = await connect(successor, "carol", { deviceId: "phone" });
    assert.deepEqual(data_of(await take(again, accepted.length)), accepted);
    rmSync(ballast);
    await until_ready(successor);
    const last = await notify(successor, "carol", "last");
    assert.deepEqual(data_of(await take(again, 1)), ["last"]);
    await until_delivered(successor, last);
    again.close();
    assert.equal((await successor.stop()).code, 0);
  });

  it("read-only at the start: 503 that says so, and all is there when it can be written", async () => {
    mount("-o", "remount,ro", disk);
    const node = await start_carillon(["--data-dir", data_dir]);
    const { status, code } = await refusal(notify_answer(node, "alice", "refused"));
    assert.deepEqual([status, code], [503, "store_read_only"]);
    assert.match(await ready(node), /the store of notifications/);
    const alice = await connect(node, "alice", { deviceId: "new" });
    mount("-o", "remount,rw", disk);
    await until_ready(node);
    await notify(node, "alice", "late");
    assert.deepEqual(await inbox_of(node, "alice"), ["before", "after", "late"]);
    assert.deepEqual(data_of(await take(alice, 1)), ["late"]);
    alice.close();
    assert.equal((await node.stop()).code, 0);
  });
});
