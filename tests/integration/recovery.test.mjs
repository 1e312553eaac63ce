// Connection state recovery with the official client: `carillon serve` has it on, and the example with --recovery.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { emit } from "../support/api.mjs";
import { Client, modes } from "../support/clients.mjs";
import { skip_on_reference, start_carillon, start_example } from "../support/servers.mjs";
import { once } from "../support/wait.mjs";

// A client that comes back when it is told to, and what it was told since, in order.
async function returning_client(url, options = {}) {
  const client = await Client.connect(url, { ...options, mode: options.mode ?? "websocket" });
  client.seen = [];
  client.socket.onAny((event, ...args) => client.seen.push([event, ...args]));
  client.lose = async () => {
    const gone = once(client.socket, "disconnect");
    client.socket.io.engine.close();
    await gone;
  };
  client.come_back = async () => {
    const back = once(client.socket, "connect");
    client.socket.connect();
    await back;
  };
  return client;
}

for (const mode of Object.keys(modes)) {
  describe(`recovery over ${mode}`, { skip: skip_on_reference }, () => {
    let node;
    before(async () => { node = await start_carillon(["--shards", "2", "--set", 'clients.subscribe=["news:*"]']); });
    after(() => node?.stop());

    it("gives back the socket, its rooms and what it missed, before connect and once", async () => {
      const client = await returning_client(node.clients, { mode, auth: { userId: "ann" } });
      assert.deepEqual(await client.ask("subscribe", "news:sport"), [{ rooms: ["news:sport"] }]);
      const id = client.socket.id;
      await emit(node, { rooms: ["user:ann"], event: "n", args: [1] });
      await client.next("n");
      await client.lose();
      await emit(node, { rooms: ["user:ann"], event: "n", args: [2, "a text at the end"] });
      await emit(node, { rooms: ["news:sport"], event: "n", args: [3] });
      await emit(node, { rooms: ["user:bob"], event: "n", args: ["not for ann"] });
      await emit(node, { rooms: ["user:ann"], event: "n", args: ["volatile"], volatile: true });
      await emit(node, { event: "n", args: [{ binary: false }] });
      client.seen.length = 0;
      let seen_at_connect;
      client.socket.once("connect", () => { seen_at_connect = client.seen.length; });
      await client.come_back();
      assert.equal(client.socket.recovered, true);
      assert.equal(client.socket.id, id);
      assert.equal(seen_at_connect, 3, "missed events come before `connect`");
      assert.deepEqual(client.seen.map(([, ...args]) => args.slice(0, -1)), [[2, "a text at the end"], [3], [{ binary: false }]]);
      await emit(node, { rooms: ["news:sport"], event: "n", args: ["live"] });
      const end = once(client.socket, "end");
      await emit(node, { rooms: ["user:ann"], event: "end" });
      await end;
      assert.deepEqual(client.seen.slice(3).map(([event, arg]) => (event === "n" ? arg : event)), ["live", "end"]);
      client.close();
    });

    it("needs nothing to have been sent, and works again and again on any shard", async () => {
      const client = await returning_client(node.clients, { mode, auth: { userId: "cyd" } });
      const id = client.socket.id;
      for (let round = 0; round < 8; round++) {
        await client.lose();
        if (round % 2 === 1) await emit(node, { rooms: ["user:cyd"], event: "n", args: [round] });
        client.seen.length = 0;
        await client.come_back();
        assert.equal(client.socket.recovered, true, `round ${round}`);
        assert.equal(client.socket.id, id);
        assert.deepEqual(client.seen.map(([, arg]) => arg), round % 2 === 1 ? [round] : []);
      }
      client.close();
    });

    it("takes over a connection that the server believes alive", async () => {
      const client = await returning_client(node.clients, { mode, auth: { userId: "dan" } });
      const { id } = client.socket;
      const pid = client.socket._pid;
      // The client's side of a network that has gone: nothing is said to the server.
      client.socket.io.engine.transport.ws?.pause?.();
      const again = new Client(node.clients, { mode, auth: { userId: "dan" } });
      again.socket._pid = pid;
      await emit(node, { rooms: ["user:dan"], event: "n", args: ["lost on the way"] });
      await again.connected;
      assert.equal(again.socket.recovered, true);
      assert.equal(again.socket.id, id);
      assert.equal((await again.next("n"))[0], "lost on the way");
      again.close();
      client.socket.io.engine.transport.ws?.terminate?.();
      client.close();
    });

    it("is bound to the user", async () => {
      const client = await returning_client(node.clients, { mode, auth: { userId: "eve" } });
      const { id } = client.socket;
      await client.lose();
      await emit(node, { rooms: ["user:eve"], event: "n", args: ["for eve"] });
      client.socket.auth = { userId: "mallory" };
      await client.come_back();
      assert.equal(client.socket.recovered, false);
      assert.notEqual(client.socket.id, id);
      assert.deepEqual(client.seen, []);
      client.close();
    });
  });
}

describe("subscribe and unsubscribe", { skip: skip_on_reference }, () => {
  let node;
  before(async () => { node = await start_carillon(["--set", 'clients.subscribe=["news:*", "shop"]']); });
  after(() => node?.stop());

  it("join and leave the rooms that are allowed", async () => {
    const client = await Client.connect(node.clients, { auth: { userId: "ann" } });
    assert.deepEqual(await client.ask("subscribe", ["news:a", "shop"]), [{ rooms: ["news:a", "shop"] }]);
    await emit(node, { rooms: ["shop"], event: "n", args: ["in"] });
    assert.equal((await client.next("n"))[0], "in");
    assert.deepEqual(await client.ask("unsubscribe", "shop"), [{ rooms: ["shop"] }]);
    await emit(node, { rooms: ["shop"], event: "n", args: ["out"] });
    await emit(node, { rooms: ["news:a"], event: "n", args: ["still"] });
    assert.equal((await client.next("n"))[0], "still");
    client.close();
  });

  it("refuse what is not, and then change nothing", async () => {
    const client = await Client.connect(node.clients, { auth: { userId: "ann" } });
    for (const rooms of ["user:bob", ["shop", "secret"], [], "", 7, null, [["shop"]], "x".repeat(257), Array(101).fill("shop")]) {
      const [{ error, ...rest }] = await client.ask("subscribe", rooms);
      assert.equal(typeof error, "string", JSON.stringify(rooms));
      assert.deepEqual(rest, {});
    }
    await emit(node, { rooms: ["shop", "secret", "user:bob"], event: "n", args: ["none of it"] });
    await emit(node, { rooms: ["user:ann"], event: "n", args: ["mine"] });
    assert.equal((await client.next("n"))[0], "mine");
    client.close();
  });
});

describe("the protocol example with --recovery", () => {
  let server;
  before(async () => { server = await start_example("protocol", ["--recovery"]); });
  after(() => server?.stop());

  it("recovers after the connection is lost, in both namespaces apart from each other", async () => {
    const client = await returning_client(server.url);
    const custom = client.also("/custom");
    await custom.connected;
    await custom.next("auth");
    client.emit("message", "one");
    await client.next("message-back");
    const ids = [client.socket.id, custom.socket.id];
    assert.notEqual(client.socket._pid, custom.socket._pid);
    const back = once(custom.socket, "connect");
    await client.lose();
    custom.socket.connect();
    await client.come_back();
    await back;
    assert.deepEqual([client.socket.recovered, custom.socket.recovered], [true, true]);
    assert.deepEqual([client.socket.id, custom.socket.id], ids);
    client.close();
  });

  it("does not bring back who has left", async () => {
    const client = await returning_client(server.url);
    client.emit("message", "one");
    await client.next("message-back");
    const { id } = client.socket;
    client.socket.disconnect();
    await client.come_back();
    assert.equal(client.socket.recovered, false);
    assert.notEqual(client.socket.id, id);
    client.close();
  });
});
