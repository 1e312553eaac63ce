// What is published by processes that are no servers: where Carillon asks, by carillon::Emitter and `carillon emit`; where
// Node.js asks, by the published emitters.
import assert from "node:assert/strict";
import { all_get_volatile, bytes } from "../../../support/clients.mjs";
import { carillon_emitter, emit_by_command, node_emitter } from "../../../support/emitters.mjs";
import { eventually } from "../../../support/wait.mjs";

const unpublished = ({ caller, adapter }) => (caller === "node" && adapter === "sharded" ? "there is no emitter for the sharded adapter of Node.js" : undefined);
const not_of_node = ({ caller }) => (caller === "node" ? "`carillon emit` is Carillon's" : undefined);

function emitter_of({ caller, redis, adapter, mode, ends }) {
  if (caller === "node") return node_emitter(redis, adapter);
  const emitter = carillon_emitter(redis, adapter, mode);
  ends.push(() => emitter.stop());
  return emitter;
}

// Nothing of `event` has come, although what the emitter has published after it has.
async function received_nothing(scene, emitter, clients, event) {
  const marker = scene.unique(`marker-${Math.random()}`);
  await emitter.emit({ event: marker });
  await Promise.all(clients.map((client) => client.next(marker)));
  for (const client of clients) assert.deepEqual(client.queue(event).items, [], event);
}

export function emitters(operation) {
  operation("emitter: to everyone, rooms, single sockets, except", async (scene) => {
    const emitter = emitter_of(scene);
    const [a, b] = [scene.unique("a"), scene.unique("b")];
    const [in_a, in_b, in_none] = [await scene.everywhere({ rooms: [a] }), await scene.everywhere({ rooms: [b] }), await scene.everywhere()];
    const event = scene.unique("n");
    await emitter.emit({ event, args: [{ to: "everyone" }] });
    await emitter.emit({ rooms: [a], event, args: ["a"] });
    await emitter.emit({ rooms: [a, b], except: [in_b[1].socket.id], event, args: ["a and b"] });
    await emitter.emit({ except: [a], event, args: ["not a"] });
    for (const [i, { socket }] of in_none.entries()) await emitter.emit({ rooms: [socket.id], event, args: [i] });
    // In any order: ioredis publishes into a Redis Cluster through any of the masters.
    const sorted = (list) => list.map((item) => JSON.stringify(item)).sort();
    const all_get = async (clients, ...expected) => {
      for (const client of clients) assert.deepEqual(sorted((await client.queue(event).take(expected.length)).flat()), sorted(expected));
    };
    const everyone = { to: "everyone" };
    await all_get(in_a, everyone, "a", "a and b");
    await all_get([in_b[0], in_b[2]], everyone, "a and b", "not a");
    await all_get([in_b[1]], everyone, "not a");
    for (const [i, client] of in_none.entries()) await all_get([client], everyone, "not a", i);
    await received_nothing(scene, emitter, [...in_a, ...in_b, ...in_none], event);
  }, { skip: unpublished });

  operation("emitter: another namespace", async (scene) => {
    const emitter = emitter_of(scene);
    const [main, orders] = [await scene.everywhere(), await scene.everywhere({ namespace: "/orders" })];
    const event = scene.unique("n");
    await emitter.emit({ namespace: "/orders", event, args: [1] });
    for (const client of orders) assert.deepEqual(await client.next(event), [1]);
    await received_nothing(scene, emitter, main, event);
  }, { skip: unpublished });

  operation("emitter: volatile", async (scene) => {
    const emitter = emitter_of(scene);
    const clients = await scene.everywhere();
    const event = scene.unique("n");
    await all_get_volatile(clients, event, () => emitter.emit({ flags: { volatile: true }, event, args: [1] }));
  }, { skip: unpublished });

  operation("emitter: binary", async (scene) => {
    const room = scene.unique("room");
    const clients = await scene.everywhere({ rooms: [room] });
    await emitter_of(scene).emit({ rooms: [room], event: "n", args: [Buffer.from("one"), 2, Buffer.from("three")] });
    for (const client of clients) {
      const [one, two, three] = await client.next("n");
      assert.deepEqual([bytes(one).toString(), two, bytes(three).toString()], ["one", 2, "three"]);
    }
  }, { skip: unpublished });

  operation("emitter: sockets join, leave, are disconnected", async (scene) => {
    const emitter = emitter_of(scene);
    const [room, target] = [scene.unique("room"), scene.unique("target")];
    const clients = await scene.everywhere({ rooms: [room] });
    const until_rooms = (expected) => Promise.all(clients.map((client) => eventually(`rooms ${expected}`, async () => {
      const [rooms] = await client.ask("rooms");
      return rooms.sort().join() === [client.socket.id, ...expected].sort().join();
    })));
    await emitter.sockets_join({ rooms: [room], target: [target] });
    await until_rooms([room, target]);
    await emitter.sockets_leave({ rooms: [target], target: [room] });
    await until_rooms([target]);
    await emitter.disconnect_sockets({ rooms: [target], close: false });
    for (const client of clients) assert.match((await client.until_disconnected())[0], /io server disconnect/);
  }, { skip: unpublished });

  operation("emitter: server-side event", async (scene) => {
    const event = scene.unique("event");
    const clients = await scene.everywhere();
    await emitter_of(scene).server_side_emit(event, 1, { zwei: [2] });
    for (const client of clients) {
      const log = await eventually(`the log of ${event}`, async () => {
        const [entries] = await client.ask("server_side_log");
        return entries.find((entry) => entry.event === event);
      });
      assert.deepEqual(log.args, [1, { zwei: [2] }]);
    }
  }, { skip: unpublished });

  operation("emitter: from the command line", async (scene) => {
    const emit = (b) => emit_by_command(scene.redis, scene.adapter, scene.mode, b);
    const room = scene.unique("room");
    const [inside, outside] = [await scene.everywhere({ rooms: [room] }), await scene.everywhere()];
    const event = scene.unique("n");
    await emit({ rooms: [room], except: [inside[1].socket.id], event, args: [1, { zwei: "ö" }] });
    await emit({ event, args: ["all"] });
    for (const client of [inside[0], inside[2]]) assert.deepEqual(await client.next(event), [1, { zwei: "ö" }]);
    for (const client of [...inside, ...outside]) assert.deepEqual(await client.next(event), ["all"]);
  }, { skip: not_of_node });
}
