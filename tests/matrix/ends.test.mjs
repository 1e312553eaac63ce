// How connections end, what each side is told, and how clients come back.
import assert from "node:assert/strict";
import { Agent } from "node:http";
import { matrix } from "../support/matrix.mjs";
import { is_reference, start_example } from "../support/servers.mjs";
import { eventually, once } from "../support/wait.mjs";

const connections = (by_host) => Object.values(by_host).flat();

matrix("Disconnect reasons", {}, (feature) => {
  feature("the client leaves: `client namespace disconnect`, `io client disconnect`", async (scene) => {
    const client = await scene.connect();
    const orders = await scene.also(client, "/orders");
    client.socket.disconnect();
    assert.equal(await client.until_disconnected(), "io client disconnect");
    // On its way out it is still in its rooms.
    assert.deepEqual(await scene.seen("leaving"), { namespace: "/", reason: "client namespace disconnect", rooms: 1 });
    assert.deepEqual(await scene.seen("left"), { namespace: "/", reason: "client namespace disconnect" });
    await orders.settled();
  });

  feature("the server disconnects: `server namespace disconnect`, `io server disconnect`", async (scene) => {
    const client = await scene.connect();
    const orders = await scene.also(client, "/orders");
    client.emit("leave_me", false);
    assert.equal(await client.until_disconnected(), "io server disconnect");
    assert.deepEqual(await scene.seen("left"), { namespace: "/", reason: "server namespace disconnect" });
    await orders.settled();
  });

  feature("the server closes the connection: `server namespace disconnect`, `io server disconnect`", async (scene) => {
    const client = await scene.connect();
    client.emit("leave_me", true);
    assert.equal(await client.until_disconnected(), "io server disconnect");
    assert.deepEqual(await scene.seen("left"), { namespace: "/", reason: "server namespace disconnect" });
  });

  feature("the client closes its connection: `transport close`", async (scene) => {
    const client = await scene.connect();
    const orders = await scene.also(client, "/orders");
    await client.upgraded();
    client.engine.close();
    assert.match(await client.until_disconnected(), /^(forced close|transport close)$/);
    const left = [await scene.seen("left"), await scene.seen("left")];
    for (const { reason } of left) assert.equal(reason, "transport close");
    assert.deepEqual(left.map(({ namespace }) => namespace).sort(), ["/", "/orders"]);
    orders.close();
  });

  feature("the client's connection is cut: `transport close` or `transport error`", async (scene) => {
    const agent = new Agent();
    const client = await scene.connect({ agent });
    await client.upgraded();
    await client.settled();
    const used = () => connections(agent.sockets);
    const is_sent = ({ connecting, bytesWritten }) => !connecting && bytesWritten > 0;
    if (scene.mode === "polling") await eventually("a request that hangs", () => used().length && used().every(is_sent));
    for (const connection of used()) connection.destroy();
    client.engine.transport.ws?._socket.destroy();
    assert.match(await client.until_disconnected(), /^transport (close|error)$/);
    assert.match((await scene.seen("left")).reason, /^transport (close|error)$/);
  });

  feature("the client falls silent: `ping timeout`", async (scene) => {
    const client = await scene.connect();
    await client.upgraded();
    if (is_reference && scene.version === 2 && scene.mode === "upgrade") return scene.skip("the reference stops its timer at the upgrade");
    client.engine.transport.send = () => {};
    client.engine.onClose = () => {}; // version 2 misses the answers to its own pings at the same time
    assert.equal((await scene.seen("left")).reason, "ping timeout");
  });

  feature("the server falls silent, as the client sees it: `ping timeout`", async (scene) => {
    const client = await scene.connect();
    await client.upgraded();
    // It hears nothing any more, not even that the server gives it up.
    for (const hears of ["onPacket", "onClose", "onError"]) client.engine.transport[hears] = () => {};
    assert.equal(await client.until_disconnected(), "ping timeout");
    assert.match((await scene.seen("left")).reason, /^(transport (close|error)|ping timeout)$/);
  });

  feature("the client sends nonsense: `parse error`", async (scene) => {
    const client = await scene.connect();
    await client.upgraded();
    client.engine.write("2[nonsense]");
    assert.match(await client.until_disconnected(), /^transport close$/);
    assert.match((await scene.seen("left")).reason, /^(parse error|forced close)$/);
  });
});

matrix("Coming back", {}, (feature) => {
  const reconnecting = { reconnection: true, reconnectionDelay: 10, reconnectionDelayMax: 50 };

  feature("disconnect, then connect again: a new session", async (scene) => {
    const client = await scene.connect();
    const [{ id }] = await client.next("welcome");
    const closed = once(client.engine, "close"); // version 3 loses its way without
    client.socket.disconnect();
    await closed;
    client.socket.connect();
    const [again] = await client.next("welcome");
    assert.notEqual(again.id, id);
    assert.equal(again.recovered, false);
    assert.equal(await client.ask("echo", 1), 1);
  });

  feature("reconnection after the connection was lost", async (scene) => {
    const client = await scene.connect(reconnecting);
    const orders = await scene.also(client, "/orders");
    const [{ id }] = await client.next("welcome");
    await orders.next("welcome");
    await client.upgraded();
    client.engine.close();
    const [again] = await client.next("welcome");
    assert.notEqual(again.id, id);
    await orders.next("welcome");
    assert.equal(await client.ask("echo", "both"), "both");
    assert.equal(await orders.ask("echo", "namespaces"), "namespaces");
  });

  feature("what is emitted meanwhile is sent after the reconnection", async (scene) => {
    const client = await scene.connect(reconnecting);
    await client.upgraded();
    client.engine.close();
    assert.match(await client.until_disconnected(), /close/);
    for (let i = 0; i < 3; ++i) client.emit("echo", i);
    assert.deepEqual((await client.queue("echo").take(3)).flat(), [0, 1, 2]);
  });

  feature("no reconnection after the server has disconnected the client", async (scene) => {
    const main = await scene.connect(reconnecting);
    const orders = await scene.also(main, "/orders");
    await orders.next("welcome");
    orders.emit("leave_me", false);
    assert.equal(await orders.until_disconnected(), "io server disconnect");
    await main.settled();
    assert.equal(orders.socket.connected, false);
    orders.socket.connect();
    await orders.next("welcome");
  });

  feature("the server shuts down and comes back: `server shutting down`, `transport close`, reconnection", async (scene) => {
    const flags = ["--allow-eio3"];
    const first = await start_example("features", flags);
    let second;
    try {
      scene.server = first;
      const client = await scene.connect(reconnecting);
      await client.next("welcome");
      await client.upgraded();
      const ended = first.stop();
      // Not "io server disconnect", after which official clients stay away.
      assert.match(await client.until_disconnected(), /^transport (close|error)$/);
      assert.equal((await ended).code, 0);
      assert.match(first.program.stdout, new RegExp(`^left ${scene.label} server shutting down$`, "m"));
      second = await start_example("features", flags, { port: first.port });
      await client.next("welcome");
      assert.equal(await client.ask("echo", "again"), "again");
      client.close();
    } finally {
      await first.stop();
      await second?.stop();
    }
  });
});
