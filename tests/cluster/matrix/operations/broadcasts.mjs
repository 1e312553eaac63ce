// Broadcasts without answers.
import assert from "node:assert/strict";
import { all_get_volatile, bytes } from "../../../support/clients.mjs";
import { RedisCluster } from "../../../support/redis_cluster.mjs";

// Each of the clients gets `args` as its next `event`.
async function all_get(clients, event, args) {
  for (const got of await Promise.all(clients.map((client) => client.next(event)))) assert.deepEqual(got, args);
}

// The same for two messages on two channels, which are at two masters of a Redis Cluster perhaps: in any order.
async function all_get_both(clients, event, ...both) {
  for (const got of await Promise.all(clients.map((client) => client.queue(event).take(2)))) assert.deepEqual(got.flat().sort(), both.sort());
}

const values = [
  null, true, false, 0, -1, 127, 128, -129, 65_536, 2 ** 31, -(2 ** 31) - 1, 2 ** 53 - 1, -(2 ** 53) + 1, 0.1, -1.5e-300, 5e-324,
  "", "€ 𝄞 \u0000", [], {}, [[[]]], { "": { a: [null] } }, Array.from({ length: 20 }, (_, i) => i), "x".repeat(40), "x".repeat(70_000),
  Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, i])),
];
// They mean something to Redis or to the form of a channel; the last is 20 characters long, as ids are.
const odd_names = ["*", "a#b", "#", "[a]", "?", "a\\*b", "ö 𝄞", "{slot}", "1", "with space", "r".repeat(1024), "r".repeat(20)];

const without_order = ({ caller, adapter, backend }) => (caller === "node" && adapter === "pubsub" && backend === RedisCluster
  ? "ioredis publishes each message through any of the masters" : undefined);

export function broadcasts(operation) {
  operation("broadcast to everyone", async (scene) => {
    const clients = await scene.everywhere();
    const event = scene.unique("n");
    await scene.emit({ event, args: [1, "zwei", { drei: [null, true] }] });
    await all_get(clients, event, [1, "zwei", { drei: [null, true] }]);
    await scene.received_nothing(clients, event);
  });

  operation("to a room: its members, and nobody else", async (scene) => {
    const room = scene.unique("room");
    const [inside, outside] = [await scene.everywhere({ rooms: [room] }), await scene.everywhere()];
    await scene.emit({ rooms: [room], event: "n", args: [1] });
    await all_get(inside, "n", [1]);
    await scene.received_nothing([...inside, ...outside], "n");
  });

  operation("to several rooms: once for each socket", async (scene) => {
    const rooms = [scene.unique("a"), scene.unique("b")];
    const clients = [await scene.everywhere({ rooms }), await scene.everywhere({ rooms: [rooms[1]] })].flat();
    const outside = await scene.everywhere();
    await scene.emit({ rooms, event: "n", args: [1] });
    await all_get(clients, "n", [1]);
    await scene.received_nothing([...clients, ...outside], "n");
  });

  operation("except rooms and single sockets", async (scene) => {
    const [room, quiet] = [scene.unique("room"), scene.unique("quiet")];
    const loud = await scene.everywhere({ rooms: [room] });
    const others = [await scene.everywhere({ rooms: [room, quiet] }), await scene.everywhere({ rooms: [room] })].flat();
    const except = [quiet, ...others.slice(3).map((client) => client.socket.id)];
    await scene.emit({ rooms: [room], except, event: "n", args: ["room"] });
    await scene.emit({ except, event: "n", args: ["all"] });
    await all_get_both(loud, "n", "room", "all");
    await scene.received_nothing(others, "n");
  });

  operation("to a single socket of each server", async (scene) => {
    const clients = await scene.everywhere();
    for (const [i, client] of clients.entries()) await scene.emit({ rooms: [client.socket.id], event: "n", args: [i] });
    for (const [i, client] of clients.entries()) assert.deepEqual(await client.next("n"), [i]);
    await scene.received_nothing(clients, "n");
  });

  operation("from a socket: without the sender", async (scene) => {
    const room = scene.unique("room");
    const clients = await scene.everywhere({ rooms: [room] });
    const [sender, ...others] = clients;
    await sender.ask("socket_emit", { rooms: [room], event: "n", args: ["room"] });
    await sender.ask("socket_emit", { event: "n", args: ["all"] });
    await all_get_both(others, "n", "room", "all");
    await scene.received_nothing(clients, "n");
  });

  operation("binary", async (scene) => {
    const room = scene.unique("room");
    const clients = await scene.everywhere({ rooms: [room] });
    const large = Buffer.alloc(100_000, "\x00\xffbinary");
    await scene.emit({ rooms: [room], event: "n", args: [1, Buffer.from("two"), { three: [Buffer.from("3"), Buffer.alloc(0)] }, large] });
    for (const client of clients) {
      const [one, two, { three }, four] = await client.next("n");
      assert.deepEqual([one, ...[two, ...three].map((buffer) => bytes(buffer).toString())], [1, "two", "3", ""]);
      assert.deepEqual(bytes(four), large);
    }
  });

  operation("every kind of JSON value", async (scene) => {
    const room = scene.unique("room");
    const clients = await scene.everywhere({ rooms: [room] });
    for (const [i, value] of values.entries()) await scene.emit({ rooms: [room], event: "n", args: [i, value] });
    const by_number = ([a], [b]) => a - b;
    for (const client of clients) assert.deepEqual((await client.queue("n").take(values.length)).sort(by_number), [...values.entries()]);
  });

  operation("flag volatile", async (scene) => {
    const room = scene.unique("room");
    const clients = await scene.everywhere({ rooms: [room] });
    const got = await all_get_volatile(clients, "n", () => scene.emit({ rooms: [room], flags: { volatile: true }, event: "n", args: [1] }));
    assert.deepEqual(got, clients.map(() => [1]));
  });

  operation("flag local", async (scene) => {
    const clients = await scene.everywhere();
    const [own, ...others] = clients;
    const event = scene.unique("n");
    await scene.emit({ flags: { local: true }, event, args: [1] });
    assert.deepEqual(await own.next(event), [1]);
    await scene.received_nothing(others, event);
  });

  operation("in order, each once: 300 to a room", async (scene) => {
    const room = scene.unique("room");
    const clients = await scene.everywhere({ rooms: [room] });
    const numbers = Array.from({ length: 300 }, (_, i) => i);
    await Promise.all(numbers.map((i) => scene.emit({ rooms: [room], event: "n", args: [i] })));
    for (const client of clients) assert.deepEqual((await client.queue("n").take(300)).flat(), numbers);
    await scene.received_nothing(clients, "n");
  }, { skip: without_order });

  operation("namespaces are apart", async (scene) => {
    const room = scene.unique("room");
    const main = await scene.everywhere({ rooms: [room] });
    const orders = await scene.everywhere({ namespace: "/orders", rooms: [room] });
    const event = scene.unique("n");
    await orders[0].ask("emit", { event, args: ["all"] });
    await orders[0].ask("emit", { rooms: [room], event, args: ["room"] });
    await all_get_both(orders, event, "room", "all");
    await scene.received_nothing(main, event);
  });

  operation("rooms of any name", async (scene) => {
    const names = odd_names.map((name, i) => (i < odd_names.length - 1 ? `${name}-${scene.number}` : name));
    const inside = await scene.everywhere({ rooms: names });
    const outside = await scene.everywhere({ rooms: names.map((name) => `${name}x`) });
    for (const name of names) await scene.emit({ rooms: [name], event: "n", args: [name] });
    for (const client of inside) assert.deepEqual((await client.queue("n").take(names.length)).flat().sort(), [...names].sort());
    await scene.received_nothing([...inside, ...outside], "n");
  });
}
