// The official client against carillon-example-protocol, over each kind of transport.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Manager } from "socket.io-client";
import { Client, bytes, modes } from "../support/clients.mjs";
import { start_example } from "../support/servers.mjs";
import { once } from "../support/wait.mjs";

let server;
before(async () => { server = await start_example("protocol"); });
after(() => server?.stop());

for (const mode of Object.keys(modes)) {
  describe(`socket.io-client over ${mode}`, () => {
    it("connects with its auth, over the transport that it chose", async () => {
      const auth = { userId: "42", nested: { list: [1, "zwei", null] } };
      const client = await Client.connect(server.url, { mode, auth });
      assert.deepEqual(await client.next("auth"), [auth]);
      await client.upgraded();
      assert.equal(client.transport, mode === "polling" ? "polling" : "websocket");
      client.close();
    });

    it("exchanges events", async () => {
      const client = await Client.connect(server.url, { mode });
      for (const args of [[], [1], ["zwei € 𝄞", { drei: [null, true, 4.5] }, []], [" "]]) {
        client.emit("message", ...args);
        assert.deepEqual(await client.next("message-back"), args);
      }
      client.close();
    });

    it("exchanges acknowledgements", async () => {
      const client = await Client.connect(server.url, { mode });
      const questions = [[], [1], ["zwei", { drei: 3 }]];
      assert.deepEqual(await Promise.all(questions.map((args) => client.ask("message-with-ack", ...args))), questions);
      client.close();
    });

    it("exchanges binary events and binary acknowledgements", async () => {
      const client = await Client.connect(server.url, { mode });
      const first = Buffer.from([0, 1, 254, 255]);
      const second = Buffer.alloc(3000, "zwei");
      client.emit("message", first, { deep: [second, Buffer.alloc(0)] }, "text");
      const back = await client.next("message-back");
      assert.deepEqual(bytes(back[0]), first);
      assert.deepEqual(back[1].deep.map(bytes), [second, Buffer.alloc(0)]);
      assert.equal(back[2], "text");
      const acknowledged = await client.ask("message-with-ack", "text", second);
      assert.equal(acknowledged[0], "text");
      assert.deepEqual(bytes(acknowledged[1]), second);
      client.close();
    });

    it("joins several namespaces on one connection", async () => {
      const main = await Client.connect(server.url, { mode, auth: { main: true } });
      const custom = main.also("/custom", { auth: { custom: 1 } });
      await custom.connected;
      assert.deepEqual(await main.next("auth"), [{ main: true }]);
      assert.deepEqual(await custom.next("auth"), [{ custom: 1 }]);
      assert.notEqual(main.socket.id, custom.socket.id);
      assert.equal(main.socket.io, custom.socket.io);
      custom.socket.disconnect();
      main.emit("message", "the connection stays");
      assert.deepEqual(await main.next("message-back"), ["the connection stays"]);
      main.close();
    });

    it("joins a namespace without the main one", async () => {
      const client = await Client.connect(`${server.url}/custom`, { mode, auth: { a: 1 } });
      assert.deepEqual(await client.next("auth"), [{ a: 1 }]);
      client.close();
    });

    it("hears that a namespace is unknown, and goes on in the others", async () => {
      const main = await Client.connect(server.url, { mode });
      const nowhere = main.also("/nowhere");
      await assert.rejects(nowhere.connected, { message: "Invalid namespace" });
      assert.equal(nowhere.socket.connected, false);
      main.emit("message", 1);
      assert.deepEqual(await main.next("message-back"), [1]);
      main.close();
    });

    it("disconnects and connects again, under a new id", async () => {
      const client = await Client.connect(server.url, { mode });
      const first = client.socket.id;
      const disconnected = once(client.socket, "disconnect");
      client.socket.disconnect();
      assert.deepEqual((await disconnected)[0], "io client disconnect");
      const again = once(client.socket, "connect");
      client.socket.connect();
      await again;
      assert.notEqual(client.socket.id, first);
      client.emit("message", "again");
      client.close();
    });

    it("lives on by heartbeats", async () => {
      const client = await Client.connect(server.url, { mode });
      // Beyond interval and timeout of the server (500 ms), in pings.
      for (let i = 0; i < 3; ++i) await once(client.socket.io, "ping");
      client.emit("message", "alive");
      assert.deepEqual(await client.next("message-back"), ["alive"]);
      client.close();
    });
  });
}

describe("connect timeout", () => {
  it("closes a connection that joins no namespace", async () => {
    const manager = new Manager(server.url, { transports: ["websocket"], reconnection: false });
    const since = performance.now();
    const [reason] = await once(manager, "close");
    assert.equal(reason, "transport close");
    assert.ok(performance.now() - since > 900, "before its time");
  });
});

describe("many clients at once", () => {
  it("get their own answers", async () => {
    const clients = await Promise.all(Array.from({ length: 30 }, (_, i) => (
      Client.connect(server.url, { mode: Object.keys(modes)[i % 3], auth: { i } })
    )));
    assert.deepEqual(await Promise.all(clients.map((client) => client.next("auth"))), clients.map((_, i) => [{ i }]));
    assert.deepEqual(await Promise.all(clients.map((client, i) => client.ask("message-with-ack", i))), clients.map((_, i) => [i]));
    for (const client of clients) client.close();
  });
});
