// The official client against carillon-example-bench: rooms, broadcasts, size and order, over each kind of transport.
// Heartbeats are slow here (25 s), so that a busy machine can take its time over the large ones.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, bytes, modes } from "../support/clients.mjs";
import { start_example } from "../support/servers.mjs";
import { once } from "../support/wait.mjs";

let server;
before(async () => { server = await start_example("bench"); });
after(() => server?.stop());

const users = (mode, ...names) => Promise.all(names.map((userId) => Client.connect(server.url, { mode, auth: { userId } })));

for (const mode of Object.keys(modes)) {
  describe(`socket.io-client over ${mode}`, () => {
    it("gets an echo of whatever it sends", async () => {
      const [client] = await users(mode, "echo");
      for (const p of [0, "", "text", null, [1, [2]], { a: { b: "c" } }]) assert.deepEqual(await client.ask("echo", p), [p]);
      assert.deepEqual(bytes((await client.ask("echo", Buffer.from("binary")))[0]), Buffer.from("binary"));
      client.close();
    });

    it("reaches everyone with pub, once each", async () => {
      const clients = await users(mode, "anna", "bert", "carl");
      clients[0].emit("pub", { text: "to all" });
      clients[0].emit("pub", Buffer.from("bytes to all"));
      for (const client of clients) {
        assert.deepEqual(await client.next("n"), [{ text: "to all" }]);
        assert.deepEqual(bytes((await client.next("n"))[0]), Buffer.from("bytes to all"));
        assert.deepEqual(client.queue("n").items, []);
      }
      for (const client of clients) client.close();
    });

    it("reaches one user with to, on all of that user's connections, and nobody else", async () => {
      const [sender, phone, laptop, other] = await users(mode, "anna", "bert", "bert", "carl");
      sender.emit("to", "user:bert", "for bert");
      sender.emit("to", "user:nobody", "for nobody");
      sender.emit("to", "user:carl", "for carl");
      assert.deepEqual(await phone.next("n"), ["for bert"]);
      assert.deepEqual(await laptop.next("n"), ["for bert"]);
      // The first that carl gets is carl's own: what was for others did not come before it.
      assert.deepEqual(await other.next("n"), ["for carl"]);
      for (const client of [sender, phone, laptop, other]) client.close();
    });

    it("carries large messages in both directions", async () => {
      const [client] = await users(mode, "large");
      for (const size of [10_000, 100_000, 900_000]) {
        const text = "x".repeat(size);
        assert.equal((await client.ask("echo", text))[0], text);
      }
      // Over polling, base64 makes a third more of it, and the limit is a million.
      const binary = Buffer.alloc(700_000, "binary");
      assert.deepEqual(bytes((await client.ask("echo", binary))[0]), binary);
      client.close();
    });

    it("loses the connection over a message beyond the limit, and others do not", async () => {
      const [client, other] = await users(mode, "large", "other");
      await client.upgraded();
      client.emit("echo", "x".repeat(1_000_001));
      await client.until_disconnected();
      assert.deepEqual(await other.ask("echo", "here"), ["here"]);
      other.close();
    });

    it("keeps the order of many messages from the first moment on, through an upgrade", async () => {
      const count = 3000;
      const client = new Client(server.url, { mode, auth: { userId: `order-${mode}` } });
      // Sent before there is a connection, during the upgrade and after it, some in every turn of the event loop.
      let state = "connecting";
      client.connected.then(() => client.upgraded()).then(() => { state = "done"; }, (error) => { state = error; });
      let sent = 0;
      while (sent < count || state === "connecting") {
        for (let i = 0; i < 20; ++i) client.emit("to", `user:order-${mode}`, sent++);
        await sleep(1);
      }
      assert.equal(state, "done");
      const received = (await client.queue("n").take(sent)).map(([p]) => p);
      assert.deepEqual(received, Array.from({ length: sent }, (_, i) => i));
      client.close();
    });
  });
}

describe("disconnection", () => {
  it("ends the membership of rooms", async () => {
    const [leaver, stayer, sender] = await users("websocket", "gone", "gone", "sender");
    leaver.close();
    sender.emit("to", "user:gone", 1);
    assert.deepEqual(await stayer.next("n"), [1]);
    stayer.close();
    sender.emit("to", "user:gone", 2);
    assert.deepEqual(await sender.ask("echo", "unharmed"), ["unharmed"]);
    sender.close();
  });

  it("of the server is noticed by the clients", async () => {
    const own = await start_example("bench");
    const clients = await Promise.all(Object.keys(modes).map((mode) => Client.connect(own.url, { mode })));
    const lost = clients.map((client) => once(client.socket, "disconnect"));
    const { code } = await own.stop();
    assert.equal(code, 0);
    await Promise.all(lost);
  });
});
