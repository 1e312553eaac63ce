// Rooms, broadcasts, and what the server does to many sockets at once.
import assert from "node:assert/strict";
import { bytes } from "../support/clients.mjs";
import { matrix } from "../support/matrix.mjs";

// `count` clients in a room of their own; resolves with { room, clients }.
async function roomful(scene, count, name = "room") {
  const room = scene.unique(name);
  const clients = await Promise.all(Array.from({ length: count }, () => scene.connect()));
  await Promise.all(clients.map((client) => client.ask("join", room)));
  return { room, clients };
}

matrix("Rooms and broadcasts", {}, (feature) => {
  feature("join, leave, rooms", async (scene) => {
    const client = await scene.connect();
    assert.deepEqual(await client.ask("rooms"), [client.id]);
    await client.ask("join", ["b", "a"]);
    assert.deepEqual(await client.ask("rooms"), ["a", "b", client.id].sort());
    await client.ask("leave", "a");
    assert.deepEqual(await client.ask("rooms"), ["b", client.id].sort());
  });

  feature("io.to(room): its members, and nobody else", async (scene) => {
    const { room, clients: [first, second] } = await roomful(scene, 2);
    const outside = await scene.connect();
    await outside.ask("publish", { rooms: [room], event: "n", args: [1, "zwei"] });
    for (const client of [first, second]) assert.deepEqual(await client.next("n"), [1, "zwei"]);
    await outside.received_nothing("n");
  });

  feature("several rooms: once for each socket", async (scene) => {
    const { room, clients: [both, one] } = await roomful(scene, 2);
    const other = scene.unique("other");
    await both.ask("join", other);
    await one.ask("publish", { rooms: [room, other], event: "n", args: [1] });
    for (const client of [both, one]) assert.deepEqual(await client.next("n"), [1]);
    await both.received_nothing("n");
  });

  feature("except", async (scene) => {
    const { room, clients: [first, second, third] } = await roomful(scene, 3);
    const quiet = scene.unique("quiet");
    await second.ask("join", quiet);
    await first.ask("publish", { rooms: [room], except: [quiet, third.id], event: "n", args: [1] });
    assert.deepEqual(await first.next("n"), [1]);
    await second.received_nothing("n");
    await third.received_nothing("n");
  });

  feature("socket.to(room): without the sender", async (scene) => {
    const { room, clients: [sender, other] } = await roomful(scene, 2);
    await sender.ask("publish", { from: "socket", rooms: [room], event: "n", args: [1] });
    assert.deepEqual(await other.next("n"), [1]);
    await sender.received_nothing("n");
  });

  feature("io.emit and socket.broadcast: everyone in the namespace", async (scene) => {
    const namespace = `/dynamic-${scene.label.replace("-", "")}`;
    const [first, second] = await Promise.all([0, 1].map(() => scene.connect({ namespace })));
    await first.ask("publish", { event: "n", args: ["all"] });
    await first.ask("publish", { from: "socket", event: "n", args: ["others"] });
    assert.deepEqual(await second.queue("n").take(2), [["all"], ["others"]]);
    assert.deepEqual(await first.next("n"), ["all"]);
    await first.received_nothing("n");
  });

  feature("a socket's id is its room", async (scene) => {
    const { clients: [first, second] } = await roomful(scene, 2);
    await first.ask("publish", { rooms: [second.id], event: "n", args: ["private"] });
    assert.deepEqual(await second.next("n"), ["private"]);
    await first.received_nothing("n");
  });

  feature("binary broadcasts", async (scene) => {
    const { room, clients } = await roomful(scene, 3);
    await clients[0].ask("publish", { rooms: [room], event: "n", args: [{ deep: Buffer.from([1, 2]) }, "x"] });
    for (const client of clients) {
      const [{ deep }, text] = await client.next("n");
      assert.deepEqual([bytes(deep), text], [Buffer.from([1, 2]), "x"]);
    }
  });

  feature("local and volatile broadcasts", async (scene) => {
    const { room, clients: [sender, other] } = await roomful(scene, 2);
    await sender.ask("publish", { rooms: [room], flags: { local: true }, event: "n", args: [1] });
    assert.deepEqual(await other.next("n"), [1]);
    // One may be dropped whenever the connection is busy.
    for (let i = 0; !other.queue("v").items.length; ++i) {
      await sender.ask("publish", { rooms: [room], flags: { volatile: true }, event: "v", args: [i] });
      await other.settled();
    }
  });

  feature("broadcast with acknowledgements", async (scene) => {
    const { room, clients } = await roomful(scene, 3);
    clients.forEach((client, i) => client.on("who", (question, ack) => ack(`${question} ${i}`)));
    const { responses, missing } = await clients[0].ask("publish_ack", { rooms: [room], flags: { timeout: 20_000 }, event: "who", args: ["is"] });
    assert.deepEqual(responses.sort(), ["is 0", "is 1", "is 2"]);
    assert.equal(missing, false);
  });

  feature("broadcast with acknowledgements: some do not answer in time", async (scene) => {
    const { room, clients: [first, second] } = await roomful(scene, 2);
    first.on("who", (ack) => ack("first"));
    second.on("who", () => {});
    const { responses, missing } = await first.ask("publish_ack", { rooms: [room], flags: { timeout: 300 }, event: "who", args: [] });
    assert.deepEqual(responses, ["first"]);
    assert.equal(missing, true);
  });

  feature("broadcast with acknowledgements to nobody", async (scene) => {
    const client = await scene.connect();
    const outcome = await client.ask("publish_ack", { rooms: [scene.unique("empty")], flags: { timeout: 20_000 }, event: "who", args: [] });
    assert.deepEqual(outcome, { responses: [], missing: false });
  });

  feature("a room is empty once its last member has gone", async (scene) => {
    const { room, clients: [leaver, stayer] } = await roomful(scene, 2);
    await stayer.ask("leave", room);
    leaver.socket.disconnect();
    await scene.seen("left");
    assert.deepEqual(await stayer.ask("fetch_sockets", { rooms: [room] }), []);
  });
});

matrix("Operations on sockets", {}, (feature) => {
  feature("socket.data and fetch_sockets", async (scene) => {
    const { room, clients: [first, second] } = await roomful(scene, 2);
    await first.ask("set_data", { name: "first", deep: { x: [1] } });
    const found = await second.ask("fetch_sockets", { rooms: [room] });
    const expected = [
      { id: first.id, rooms: [first.id, room].sort(), data: { name: "first", deep: { x: [1] } } },
      { id: second.id, rooms: [second.id, room].sort(), data: {} },
    ];
    const by_id = (a, b) => (a.id < b.id ? -1 : 1);
    assert.deepEqual(found.sort(by_id), expected.sort(by_id));
    assert.deepEqual((await second.ask("fetch_sockets", { rooms: [room], except: [second.id] })).map(({ id }) => id), [first.id]);
  });

  feature("sockets_join and sockets_leave", async (scene) => {
    const { room, clients: [first, second, third] } = await roomful(scene, 3);
    const [more, most] = [scene.unique("more"), scene.unique("most")];
    await first.ask("sockets_join", { rooms: [room], except: [third.id], target: [more, most] });
    assert.deepEqual(await second.ask("rooms"), [more, most, room, second.id].sort());
    assert.deepEqual(await third.ask("rooms"), [room, third.id].sort());
    await third.ask("sockets_leave", { rooms: [more], target: [room, most] });
    assert.deepEqual(await first.ask("rooms"), [more, first.id].sort());
    assert.deepEqual(await third.ask("rooms"), [room, third.id].sort());
  });

  feature("disconnect_sockets, from the namespace", async (scene) => {
    const { room, clients: [first, second] } = await roomful(scene, 2);
    const outside = await scene.connect({ label: scene.unique("outside") });
    await outside.ask("disconnect_sockets", { rooms: [room], close: false });
    for (const client of [first, second]) {
      assert.equal(await client.until_disconnected(), "io server disconnect");
      assert.deepEqual((await scene.seen("left")).reason, "server namespace disconnect");
    }
    await outside.settled();
  });

  feature("disconnect_sockets, closing the connections", async (scene) => {
    const { room, clients: [first] } = await roomful(scene, 1);
    const orders = await scene.also(first, "/orders");
    const outside = await scene.connect({ label: scene.unique("outside") });
    await outside.ask("disconnect_sockets", { rooms: [room], close: true });
    assert.equal(await first.until_disconnected(), "io server disconnect");
    assert.match(await orders.until_disconnected(), /^(io server disconnect|transport close)$/);
    await outside.settled();
  });
});
