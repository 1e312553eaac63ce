// The msgpack parser: socket.io-client with socket.io-msgpack-parser against carillon-example-protocol --msgpack, and
// packets by hand.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import msgpack_parser from "socket.io-msgpack-parser";
import { Client, Witness, bytes, modes } from "../support/clients.mjs";
import { WebSocketSession } from "../support/engine_session.mjs";
import { skip_on_reference, start_example } from "../support/servers.mjs";

let server;
let witness;
before(async () => {
  server = await start_example("protocol", ["--msgpack"]);
  witness = await Witness.of(server.url, { parser: msgpack_parser });
});
afterEach(() => witness.is_served());
after(async () => {
  witness?.close();
  await server?.stop();
});

const connect = (url, options) => Client.connect(url, { parser: msgpack_parser, ...options });
const encode = (packet) => new msgpack_parser.Encoder().encode(packet)[0];
function decode(message) {
  let packet;
  const decoder = new msgpack_parser.Decoder();
  decoder.on("decoded", (decoded) => { packet = decoded; });
  decoder.add(message);
  return packet;
}

for (const mode of Object.keys(modes)) {
  describe(`socket.io-client with the parser, over ${mode}`, () => {
    it("connects with its auth", async () => {
      const auth = { userId: "42", nested: { list: [1, "zwei", null, -1.5] } };
      const client = await connect(server.url, { mode, auth });
      assert.deepEqual(await client.next("auth"), [auth]);
      client.close();
    });

    it("exchanges events and acknowledgements", async () => {
      const client = await connect(server.url, { mode });
      for (const args of [[], [0, -1, 127, 128, 255, 65536, -32769, 4294967296, 9007199254740991, 0.1, 1.5e-300], ["zwei \u20ac \u{1d11e}", "x".repeat(300), { drei: [null, true, 4.5] }, []]]) {
        client.emit("message", ...args);
        assert.deepEqual(await client.next("message-back"), args);
        assert.deepEqual(await client.ask("message-with-ack", ...args), args);
      }
      client.close();
    });

    it("exchanges binary, and what looks like its placeholder", async () => {
      const client = await connect(server.url, { mode });
      const first = Buffer.from([0, 1, 254, 255]);
      const second = Buffer.alloc(70000, "zwei");
      const fake = { _placeholder: true, num: 1 };
      client.emit("message", first, { deep: [second, Buffer.alloc(0)] }, fake);
      const back = await client.next("message-back");
      assert.deepEqual(bytes(back[0]), first);
      assert.deepEqual(back[1].deep.map(bytes), [second, Buffer.alloc(0)]);
      assert.deepEqual(back[2], fake);
      const [data] = await client.ask("message-with-ack", new Uint8Array(second).buffer);
      assert.deepEqual(bytes(data), second);
      client.close();
    });

    it("joins and leaves namespaces, and hears of unknown ones", async () => {
      const main = await connect(server.url, { mode });
      const custom = main.also("/custom", { auth: { custom: 1 } });
      await custom.connected;
      assert.deepEqual(await custom.next("auth"), [{ custom: 1 }]);
      custom.socket.disconnect();
      await assert.rejects(main.also("/unknown").connected, { message: "Invalid namespace" });
      assert.deepEqual(await main.ask("message-with-ack", "the connection stays"), ["the connection stays"]);
      main.close();
    });
  });
}

describe("packets by hand", () => {
  async function connected() {
    const session = await WebSocketSession.open(server, { path: "/socket.io/" });
    session.send(encode({ type: 0, nsp: "/" }));
    assert.equal(typeof decode(await session.next()).data.sid, "string");
    assert.deepEqual(decode(await session.next()).data, ["auth", {}]);
    return session;
  }

  it("members that the parser does not know are ignored", async () => {
    const session = await connected();
    session.send(encode({ more: { type: 9 }, data: ["message", 1], options: { compress: true }, nsp: "/", type: 2 }));
    const { type, nsp, data } = decode(await session.next());
    assert.deepEqual({ type, nsp, data }, { type: 2, nsp: "/", data: ["message-back", 1] });
    session.close();
  });

  for (const [title, packet] of [
    ["text", '2["message"]'],
    ["an empty message", Buffer.alloc(0)],
    ["bytes that are no MessagePack", Buffer.from([0xc1])],
    ["a cut packet", encode({ type: 2, nsp: "/", data: ["message", "x"] }).subarray(0, -1)],
    ["a byte too many", Buffer.concat([encode({ type: 2, nsp: "/", data: ["message"] }), Buffer.from([0])])],
    ["an array that claims more than there is", Buffer.from("84a474797065", "hex")],
    ["null", encode(null)],
    ["an array", encode([2, "/"])],
    ["no type", encode({ nsp: "/", data: ["message"] })],
    ["an unknown type", encode({ type: 7, nsp: "/", data: ["message"] })],
    ["a type for binary", encode({ type: 5, nsp: "/", data: ["message"] })],
    ["a type that is text", encode({ type: "2", nsp: "/", data: ["message"] })],
    ["no namespace", encode({ type: 2, data: ["message"] })],
    ["a namespace that is no text", encode({ type: 2, nsp: 1, data: ["message"] })],
    ["an event without data", encode({ type: 2, nsp: "/" })],
    ["an event whose data is no array", encode({ type: 2, nsp: "/", data: { 0: "message" } })],
    ["an id that is text", encode({ type: 2, nsp: "/", data: ["message-with-ack"], id: "1" })],
    ["an id that is not whole", encode({ type: 2, nsp: "/", data: ["message-with-ack"], id: 1.5 })],
    ["a second CONNECT", encode({ type: 0, nsp: "/" })],
    ["a CONNECT whose auth is an array", encode({ type: 0, nsp: "/custom", data: [] })],
    ["a DISCONNECT with data", encode({ type: 1, nsp: "/", data: {} })],
    ["an event for a namespace that was not joined", encode({ type: 2, nsp: "/custom", data: ["message"] })],
    ["an error from the client", encode({ type: 4, nsp: "/", data: "no" })],
  ]) {
    it(`${title} ends the connection`, async () => {
      const session = await connected();
      session.send(packet);
      await session.until_closed();
    });
  }

  for (const [title, packet] of [
    ["an event of a name of the protocol", encode({ type: 2, nsp: "/", data: ["disconnect"] })],
    ["an event that is named by nothing", encode({ type: 2, nsp: "/", data: [{}] })],
    ["a negative id", encode({ type: 2, nsp: "/", data: ["message-with-ack"], id: -1 })],
    ["nesting without end", Buffer.concat([Buffer.from("83a47479706502a36e7370a12fa46461746192a178", "hex"), Buffer.alloc(50000, 0x91), Buffer.from([1])])],
  ]) {
    it(`${title} ends the connection`, { skip: skip_on_reference }, async () => {
      const session = await connected();
      session.send(packet);
      await session.until_closed();
    });
  }
});
