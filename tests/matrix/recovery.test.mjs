// Connection state recovery: a client that lost its connection finds its session, its rooms, and what it has missed.
import assert from "node:assert/strict";
import { bytes } from "../support/clients.mjs";
import { matrix } from "../support/matrix.mjs";

const since = "connection state recovery came with version 4.6";
const skip = { 2: since, 3: since };
const reconnecting = { reconnection: true, reconnectionDelay: 10, reconnectionDelayMax: 50 };

// Events of a server with recovery end with an offset, which the official clients hand to the application.
const without_offset = (args) => args.slice(0, -1);

async function lost(scene, client, meanwhile) {
  await client.upgraded();
  // It comes back when the test says so.
  client.socket.io.reconnection(false);
  client.engine.close();
  await client.until_disconnected();
  await scene.seen("left");
  await meanwhile?.();
  client.socket.io.reconnection(true);
  client.socket.connect();
}

matrix("Connection state recovery", { flags: ["--recovery"] }, (feature) => {
  feature("missed events, rooms, data and the same id come back", async (scene) => {
    const client = await scene.connect(reconnecting);
    const other = await scene.connect({ label: scene.unique("other") });
    const room = scene.unique("room");
    const [{ id }] = await client.next("welcome");
    await client.ask("join", room);
    await client.ask("set_data", { kept: 1 });
    await other.ask("publish", { rooms: [room], event: "n", args: ["before"] });
    assert.deepEqual(without_offset(await client.next("n")), ["before"]);
    await lost(scene, client, async () => {
      await other.ask("publish", { rooms: [room], event: "n", args: ["missed", Buffer.from([1])] });
      await other.ask("publish", { rooms: [scene.unique("elsewhere")], event: "n", args: ["for others"] });
      await other.ask("publish", { rooms: [id], event: "n", args: ["to it alone"] });
    });
    const [text, binary] = await client.next("n");
    assert.deepEqual([text, bytes(binary)], ["missed", Buffer.from([1])]);
    assert.deepEqual(without_offset(await client.next("n")), ["to it alone"]);
    // The connection handler runs again.
    const [again] = await client.next("welcome");
    assert.deepEqual([again.id, again.recovered, client.id, client.socket.recovered], [id, true, id, true]);
    assert.deepEqual(await client.ask("rooms"), [id, room].sort());
    assert.deepEqual((await client.ask("fetch_sockets", { rooms: [id] }))[0].data, { kept: 1 });
    await client.received_nothing("n");
  }, { skip });

  feature("recovery works again and again", async (scene) => {
    const client = await scene.connect(reconnecting);
    const other = await scene.connect({ label: scene.unique("other") });
    const room = scene.unique("room");
    const [{ id }] = await client.next("welcome");
    await client.ask("join", room);
    for (let i = 0; i < 3; ++i) {
      await lost(scene, client, () => other.ask("publish", { rooms: [room], event: "n", args: [i] }));
      assert.deepEqual(without_offset(await client.next("n")), [i]);
      assert.equal((await client.next("welcome"))[0].id, id);
    }
    await client.received_nothing("n");
  }, { skip });

  feature("no recovery after the client has disconnected by itself", async (scene) => {
    const client = await scene.connect(reconnecting);
    const [{ id }] = await client.next("welcome");
    client.socket.disconnect();
    await scene.seen("left");
    client.socket.connect();
    const [again] = await client.next("welcome");
    assert.notEqual(again.id, id);
    assert.equal(again.recovered, false);
  }, { skip });

  feature("clients that know nothing of recovery are served", async (scene) => {
    const client = await scene.connect();
    client.emit("echo", 1);
    assert.deepEqual((await client.next("echo"))[0], 1);
    assert.equal(await client.ask("echo", 2), 2);
  });
});
