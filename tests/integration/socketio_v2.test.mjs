// Socket.IO v2 (on Engine.IO 3) against carillon-example-protocol: the official client, and packets by hand
// (shared/reference.md 37-39).
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import client_2 from "socket.io-client-2";
import { emit } from "../support/api.mjs";
import { Client, Witness, bytes, modes } from "../support/clients.mjs";
import { WebSocketSession, engine_url, http } from "../support/engine_session.mjs";
import { PollingSessionV3 } from "../support/engine_v3.mjs";
import { MatrixClient } from "../support/matrix.mjs";
import { skip_on_reference, start_carillon, start_example } from "../support/servers.mjs";
import { once } from "../support/wait.mjs";

let server;
let witness; // of version 4: both live side by side
before(async () => {
  server = await start_example("protocol", ["--allow-eio3"]);
  witness = await Witness.of(server.url);
});
afterEach(() => witness.is_served());
after(async () => {
  witness?.close();
  await server?.stop();
});

async function connect(mode, { namespace = "/", ...options } = {}) {
  const socket = client_2(server.url + namespace, { ...modes[mode], forceNew: true, reconnection: false, ...options });
  const client = new MatrixClient({ version: 2, mode, socket });
  await client.connected;
  return client;
}

for (const mode of Object.keys(modes)) {
  describe(`socket.io-client 2 over ${mode}`, () => {
    it("connects, over the transport that it chose", async () => {
      const client = await connect(mode);
      assert.deepEqual(await client.next("auth"), [{}]);
      await client.upgraded();
      assert.equal(client.transport, mode === "polling" ? "polling" : "websocket");
      client.close();
    });

    it("exchanges events and acknowledgements", async () => {
      const client = await connect(mode);
      for (const args of [[], [1], ["zwei \u20ac \u{1d11e}", { drei: [null, true, 4.5] }, []], ["\n\\n"]]) {
        client.emit("message", ...args);
        assert.deepEqual(await client.next("message-back"), args);
        assert.deepEqual(await client.ask_all("message-with-ack", ...args), args);
      }
      client.close();
    });

    it("exchanges binary events and binary acknowledgements", async () => {
      const client = await connect(mode);
      await client.upgraded();
      const first = Buffer.from([0, 1, 4, 254, 255]);
      const second = Buffer.alloc(3000, "zwei");
      client.emit("message", first, { deep: [second, Buffer.alloc(1)] }, "text \u{1d11e}");
      const back = await client.next("message-back");
      assert.deepEqual(bytes(back[0]), first);
      assert.deepEqual(back[1].deep.map(bytes), [second, Buffer.alloc(1)]);
      assert.equal(back[2], "text \u{1d11e}");
      const [text, data] = await client.ask_all("message-with-ack", "text", second);
      assert.equal(text, "text");
      assert.deepEqual(bytes(data), second);
      client.close();
    });

    it("keeps its connection by pings of its own", async () => {
      const client = await connect(mode);
      await client.upgraded();
      let pongs = 0;
      client.socket.on("pong", () => ++pongs);
      while (pongs < 4) await once(client.socket, "pong");
      client.emit("message", "still here");
      assert.deepEqual(await client.next("message-back"), ["still here"]);
      client.close();
    });

    it("joins a namespace with a query, which is its auth", async () => {
      const client = await connect(mode, { namespace: "/custom", query: { token: "a b&\u20ac", n: 1 } });
      assert.deepEqual(await client.next("auth"), [{ token: "a b&\u20ac", n: "1" }]);
      assert.equal(client.socket.id, `/custom#${client.engine.id}`);
      client.close();
    });

    it("leaves a namespace and joins it again on the same connection", async () => {
      const main = await connect(mode);
      const custom = new MatrixClient({ version: 2, mode, socket: main.socket.io.socket("/custom", { query: { a: 1 } }) });
      await custom.connected;
      assert.deepEqual(await custom.next("auth"), [{ a: "1" }]);
      custom.socket.disconnect();
      await main.ask("message-with-ack", "both in one segment would end a connection to the reference server");
      custom.socket.connect();
      assert.deepEqual(await custom.next("auth"), [{ a: "1" }]);
      assert.equal(await main.ask("message-with-ack", "the connection stays"), "the connection stays");
      main.close();
    });

    it("hears that a namespace is unknown", async () => {
      const main = await connect(mode);
      const socket = main.socket.io.socket("/unknown");
      assert.deepEqual(await once(socket, "error"), [{ message: "Invalid namespace" }]);
      assert.equal(await main.ask("message-with-ack", "the connection stays"), "the connection stays");
      main.close();
    });
  });
}

describe("packets by hand", () => {
  // A session that pings for as long as it lives; what it gets is without the pongs.
  async function open() {
    const session = await WebSocketSession.open(server, { path: "/socket.io/", query: "EIO=3&transport=websocket", heartbeat: false });
    const pings = setInterval(() => session.send("2"), 100);
    session.closed.then(() => clearInterval(pings));
    session.packet = async () => {
      for (;;) {
        const packet = await session.next();
        if (packet !== "3") return packet;
      }
    };
    return session;
  }
  async function connected() {
    const session = await open();
    assert.equal(await session.packet(), "40");
    assert.equal(await session.packet(), '42["auth",{}]');
    return session;
  }

  it("over polling CONNECT and the first event come unasked", async () => {
    const session = await PollingSessionV3.open(server, { path: "/socket.io/" });
    assert.deepEqual([await session.next(), await session.next()], ["40", '42["auth",{}]']);
  });

  for (const [sent, answer, auth] of [
    ["40/custom", "40/custom,", {}],
    ["40/custom,", "40/custom,", {}],
    ["40/custom?token=abc", "40/custom,", { token: "abc" }],
    ["40/custom?token=abc,", "40/custom,", { token: "abc" }],
    ["40/custom?a=1&b=%20x+y&a=2", "40/custom,", { a: "2", b: " x y" }],
    ['40/custom,{"token":"ignored"}', "40/custom,", {}],
  ]) {
    it(`${sent} is answered ${answer}`, async () => {
      const session = await connected();
      session.send(sent);
      assert.equal(await session.packet(), answer);
      const prefix = "42/custom,";
      const event = await session.packet();
      assert.ok(event.startsWith(prefix), event);
      assert.deepEqual(JSON.parse(event.slice(prefix.length)), ["auth", auth]);
      session.close();
    });
  }

  it("an unknown namespace is an error, without its query, and the connection stays", async () => {
    const session = await connected();
    session.send("40/unknown?token=abc");
    assert.equal(await session.packet(), '44/unknown,{"message":"Invalid namespace"}');
    session.send('42["message",1]');
    assert.equal(await session.packet(), '42["message-back",1]');
    session.close();
  });

  it("binary bears the packet type", async () => {
    const session = await connected();
    session.send('451-7["message-with-ack",{"_placeholder":true,"num":0}]');
    session.send(Buffer.from([4, 1, 2, 3]));
    assert.equal(await session.packet(), '461-7[{"_placeholder":true,"num":0}]');
    assert.deepEqual(await session.packet(), Buffer.from([4, 1, 2, 3]));
    session.close();
  });

  it("binary in base64, for a client that asks for it", async () => {
    const session = await WebSocketSession.open(server, { path: "/socket.io/", query: "EIO=3&transport=websocket&b64=1", heartbeat: false });
    session.send('451-["message",{"_placeholder":true,"num":0}]');
    session.send("b4AQID");
    assert.deepEqual(await session.queue.take(4), ["40", '42["auth",{}]', '451-["message-back",{"_placeholder":true,"num":0}]', "b4AQID"]);
    session.close();
  });

  it("41 leaves a namespace and says nothing", async () => {
    const session = await connected();
    session.send("40/custom");
    assert.deepEqual([await session.packet(), await session.packet()], ["40/custom,", '42/custom,["auth",{}]']);
    session.send("41/custom,");
    session.send('42["message",1]');
    assert.equal(await session.packet(), '42["message-back",1]');
    session.close();
  });

  for (const [title, ...packets] of [
    ["a second CONNECT", "40"],
    ["a second CONNECT to a namespace", "40/custom", "40/custom?again=1"],
    ["an event for a namespace that was not joined", '42/custom,["message"]'],
    ["an error from the client", '44"no"'],
    ["an event that is no array", '42{"a":1}'],
    ["an event of a name of the protocol", '42["disconnect"]'],
    ["binary that nobody announced", Buffer.from([4, 1])],
    ["text before the last attachment", '451-["message",{"_placeholder":true,"num":0}]', '42["message"]'],
    ["a packet type that there is not", "47"],
  ]) {
    it(`${title} ends the connection`, async () => {
      const session = await connected();
      for (const packet of packets) session.send(packet);
      await session.until_closed();
    });
  }
});

describe("binary messages that the reference server ignores", { skip: skip_on_reference }, () => {
  for (const message of [Buffer.alloc(0), Buffer.from([7, 1]), Buffer.from("4")]) {
    it(`[${[...message]}] ends the connection`, async () => {
      const session = await WebSocketSession.open(server, { path: "/socket.io/", query: "EIO=3&transport=websocket", heartbeat: false });
      await session.queue.take(2);
      session.send('451-["message",{"_placeholder":true,"num":0}]');
      session.send(message);
      await session.until_closed();
    });
  }
});

describe("beside version 3", () => {
  it("a client of version 4 may ask for base64, too", async () => {
    for (const mode of Object.keys(modes)) {
      const client = await Client.connect(server.url, { mode, forceBase64: true });
      await client.upgraded();
      const [data] = await client.ask("message-with-ack", Buffer.from([1, 2, 254]));
      assert.deepEqual(bytes(data), Buffer.from([1, 2, 254]));
      client.close();
    }
  });

  it("a session keeps its version", async () => {
    const session = await PollingSessionV3.open(server, { path: "/socket.io/" });
    const answer = await http(engine_url(server, `EIO=4&transport=polling&sid=${session.sid}`, "/socket.io/"));
    assert.deepEqual([answer.status, JSON.parse(answer.body)], [400, { code: 3, message: "Bad request" }]);
    assert.equal(await session.next(), "40");
  });
});

describe("carillon serve", { skip: skip_on_reference }, () => {
  it("takes a version 2 client for whom its connection's query says it is", async () => {
    const node = await start_carillon(["--set", "engine.allow_eio3=true"]);
    const socket = client_2(node.clients, { ...modes.upgrade, forceNew: true, reconnection: false, query: { userId: "alice" } });
    const client = new MatrixClient({ version: 2, mode: "upgrade", socket });
    await client.connected;
    await emit(node, { rooms: ["user:alice"], event: "notification", args: ["for alice"] });
    assert.equal((await client.next("notification"))[0], "for alice"); // and the offset of recovery
    client.close();
    await node.stop();
  });

  it("refuses version 2 where nobody has allowed it", async () => {
    const node = await start_carillon();
    const answer = await http(`${node.clients}/socket.io/?EIO=3&transport=polling`);
    assert.deepEqual([answer.status, JSON.parse(answer.body)], [400, { code: 5, message: "Unsupported protocol version" }]);
    await node.stop();
  });
});
