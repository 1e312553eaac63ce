// What servers ask each other.
import assert from "node:assert/strict";
import { bytes } from "../../../support/clients.mjs";
import { eventually, is_slow } from "../../../support/wait.mjs";

const log_of = async (client, event) => (await client.ask("server_side_log"))[0].filter((entry) => entry.event === event);

// The arguments with which each server has been told of `event`.
const until_logged = (clients, event) => Promise.all(clients.map((client) => eventually(`the log of ${event}`, async () => {
  const log = await log_of(client, event);
  return log.length && log.map(({ args }) => args);
})));

const only_pubsub = ({ adapter }) => (adapter === "pubsub" ? undefined : "only the pub/sub adapter can ask for all rooms");
const not_pubsub = ({ adapter }) => (adapter === "pubsub" ? "the pub/sub adapter sends server-side events as JSON" : undefined);

export function servers(operation) {
  operation("server-side event: the others, each once, not itself", async (scene) => {
    const [own, ...others] = await scene.everywhere();
    const event = scene.unique("event");
    assert.equal(await scene.ask("server_side_emit", { event, args: [1, "zwei", { drei: [null] }] }), undefined);
    for (const log of await until_logged(others, event)) assert.deepEqual(log, [[1, "zwei", { drei: [null] }]]);
    assert.deepEqual(await log_of(own, event), []);
  });

  operation("server-side event: binary", async (scene) => {
    const [, ...others] = await scene.everywhere();
    const event = scene.unique("event");
    await scene.ask("server_side_emit", { event, args: [Buffer.from("bytes")] });
    for (const [[got]] of await until_logged(others, event)) assert.equal(bytes(got).toString(), "bytes");
  }, { skip: not_pubsub });

  operation("server-side event: only in its namespace", async (scene) => {
    const [main, [asker, ...orders]] = [await scene.everywhere(), await scene.everywhere({ namespace: "/orders" })];
    const event = scene.unique("event");
    await asker.ask("server_side_emit", { event, args: [] });
    for (const log of await until_logged(orders, event)) assert.deepEqual(log, [[]]);
    for (const client of main) assert.deepEqual(await log_of(client, event), []);
  });

  operation("server-side event with acknowledgement", async (scene) => {
    const answer = await scene.ask("server_side_emit_ack", { event: scene.unique("event"), args: [1] });
    assert.deepEqual({ ...answer, responses: answer.responses.sort() }, { responses: ["other-1", "other-2"], error: null });
  });

  operation("all rooms", async (scene) => {
    const clients = await scene.everywhere();
    const names = clients.map((_, i) => scene.unique(`room${i}`));
    for (const [i, client] of clients.entries()) await client.ask("join", names[i]);
    const rooms = await scene.ask("all_rooms");
    for (const name of [...names, ...clients.map(({ socket }) => socket.id)]) assert.ok(rooms.includes(name), name);
    assert.equal(new Set(rooms).size, rooms.length);
  }, { skip: only_pubsub });

  operation("server count", async (scene) => {
    for (const client of await scene.everywhere()) assert.deepEqual(await client.ask("server_count"), [3]);
  });

  operation("a server that was killed is not counted, and not waited for", async (scene) => {
    const room = scene.unique("room");
    const clients = await scene.everywhere({ rooms: [room] });
    const until_count = (count, patience_ms) => eventually(`${count} servers`, async () => await scene.ask("server_count") === count, patience_ms);
    const { program } = await scene.start_member("late", scene.other);
    await until_count(4);
    await program.kill();
    await until_count(3, is_slow ? 20_000 : 2000);
    const began = performance.now();
    assert.equal((await scene.ask("fetch_sockets", { rooms: [room] })).length, clients.length);
    const { responses } = await scene.ask("server_side_emit_ack", { event: scene.unique("event"), args: [] });
    assert.equal(responses.length, 2);
    assert.ok(performance.now() - began < 4000, "waited for the server that is gone");
  });
}
