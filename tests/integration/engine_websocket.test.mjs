// Engine.IO over WebSocket, frame by frame: RFC 6455's rules, its close codes, and what of Engine.IO ends a session
// (shared/reference.md 16-20).
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { WebSocketSession } from "../support/engine_session.mjs";
import { RawWebSocket, close_payload, frame, opcodes } from "../support/raw.mjs";
import { start_example } from "../support/servers.mjs";

let server;
let witness;
before(async () => {
  server = await start_example("engine-echo");
  witness = await WebSocketSession.open(server);
});
afterEach(() => witness.echoes());
after(async () => {
  witness?.close();
  await server?.stop();
});

const { binary, close, continuation, ping, pong, text } = opcodes;

async function opened() {
  const raw = await RawWebSocket.open(server);
  assert.equal((await raw.text())[0], "0");
  return raw;
}

async function echoes(raw, message = "4still here") {
  raw.send(frame(text, message));
  assert.equal(await raw.text(), message);
}

describe("frames", () => {
  it("echoes text and binary in unmasked, unfragmented frames", async () => {
    const raw = await opened();
    for (const [opcode, payload, expected] of [[text, "4€ 𝄞", "4€ 𝄞"], [text, "4", "4"], [binary, "\x00\xff", "\x00\xff"], [binary, "", ""]]) {
      raw.send(frame(opcode, payload));
      const next = await raw.next();
      assert.deepEqual(
        { opcode: next.opcode, payload: next.payload.toString(), fin: next.fin, rsv: next.rsv, masked: next.masked },
        { opcode, payload: expected, fin: true, rsv: 0, masked: false },
      );
    }
    raw.close();
  });

  for (const length of [125, 126, 127, 65_535, 65_536, 1_000_000]) {
    it(`echoes a message of ${length} bytes`, async () => {
      const raw = await opened();
      await echoes(raw, `4${"x".repeat(length - 1)}`);
      raw.close();
    });
  }

  it("joins fragments, also when control frames come between them and characters are split", async () => {
    const raw = await opened();
    const message = Buffer.from("4€uro");
    raw.send(
      frame(text, message.subarray(0, 2), { fin: false }), frame(ping, "between"), frame(continuation, "", { fin: false }),
      frame(continuation, message.subarray(2, 3), { fin: false }), frame(pong, "unasked"), frame(continuation, message.subarray(3)),
    );
    const first = await raw.next();
    assert.equal(first.opcode, pong);
    assert.equal(first.payload.toString(), "between");
    assert.equal(await raw.text(), "4€uro");
    raw.close();
  });

  it("reads frames however TCP cuts them", async () => {
    const raw = await opened();
    const all = Buffer.concat([frame(text, "4one"), frame(binary, "two"), frame(text, `4${"3".repeat(300)}`)]);
    // Byte by byte: each write is a segment of its own, since Nagle's algorithm is off.
    for (const byte of all) raw.connection.write(Buffer.of(byte));
    assert.equal(await raw.text(), "4one");
    assert.equal((await raw.next()).payload.toString(), "two");
    assert.equal((await raw.text()).length, 301);
    raw.close();
  });

  it("answers a ping with its payload, up to 125 bytes", async () => {
    const raw = await opened();
    for (const payload of ["", "x".repeat(125)]) {
      raw.send(frame(ping, payload));
      const next = await raw.next();
      assert.equal(next.opcode, pong);
      assert.equal(next.payload.toString(), payload);
    }
    raw.close();
  });
});

describe("violations", () => {
  const euro = Buffer.from("4€");
  const cases = [
    ["an unmasked frame", 1002, frame(text, "4x", { masked: false })],
    ["reserved bit 1", 1002, frame(text, "4x", { rsv: 4 })],
    ["reserved bit 2", 1002, frame(text, "4x", { rsv: 2 })],
    ["reserved bit 3", 1002, frame(text, "4x", { rsv: 1 })],
    ["reserved bit on a control frame", 1002, frame(ping, "", { rsv: 4 })],
    ["opcode 3", 1002, frame(3, "4x")],
    ["opcode 11", 1002, frame(11, "")],
    ["a continuation of nothing", 1002, frame(continuation, "x")],
    ["a new message inside a fragmented one", 1002, frame(text, "4x", { fin: false }), frame(text, "4y")],
    ["a fragmented ping", 1002, frame(ping, "x", { fin: false })],
    ["a ping of 126 bytes", 1002, frame(ping, "x".repeat(126))],
    ["a close frame of one byte", 1002, frame(close, "x")],
    ["invalid UTF-8", 1007, frame(text, Buffer.from([0x34, 0xff]))],
    ["an overlong encoding", 1007, frame(text, Buffer.from([0x34, 0xc0, 0x80]))],
    ["a surrogate in UTF-8", 1007, frame(text, Buffer.from([0x34, 0xed, 0xa0, 0x80]))],
    ["UTF-8 cut off at the end of the message", 1007, frame(text, euro.subarray(0, 3))],
    ["invalid UTF-8 in a later fragment", 1007, frame(text, "4", { fin: false }), frame(continuation, Buffer.from([0xff]))],
    ["invalid UTF-8 in the reason of a close frame", 1007, frame(close, Buffer.concat([close_payload(1000), Buffer.from([0xff])]))],
    ["a header that announces more than maxPayload", 1009, frame(text, "4", { length: 1_000_001 })],
    ["a header that announces 2^62 bytes", 1009, frame(binary, "", { length: 2 ** 62 })],
    ["a length with the top bit set", 1009, frame(binary, "", { length: 2n ** 63n })],
    ["fragments that are too much together", 1009, frame(binary, "x".repeat(600_000), { fin: false }), frame(continuation, "x", { length: 400_001 })],
  ];
  for (const [name, code, ...frames] of cases) {
    it(`${name}: ${code}`, async () => {
      const raw = await opened();
      raw.send(...frames);
      assert.equal(await raw.close_code(), code);
      raw.send(frame(close, close_payload(code)));
      await raw.connection.until_ended();
      raw.close();
    });
  }

  for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535]) {
    it(`close code ${code} from a client: 1002`, async () => {
      const raw = await opened();
      raw.send(frame(close, close_payload(code)));
      assert.equal(await raw.close_code(), 1002);
      raw.close();
    });
  }
});

describe("closing", () => {
  for (const code of [1000, 1001, 1003, 1007, 1009, 1011, 1012, 1014, 3000, 4999]) {
    it(`echoes close code ${code} and ends the connection`, async () => {
      const raw = await opened();
      raw.send(frame(close, close_payload(code, "grüß Gott")));
      assert.equal(await raw.close_code(), code);
      await raw.connection.until_ended();
      raw.close();
    });
  }

  it("answers an empty close frame with an empty one", async () => {
    const raw = await opened();
    raw.send(frame(close));
    assert.equal(await raw.close_code(), 1005);
    await raw.connection.until_ended();
    raw.close();
  });

  it("answers a half-closed connection with its own end, without a close frame", async () => {
    const raw = await opened();
    raw.connection.socket.end();
    assert.equal(await raw.close_code(), 1006);
    await raw.connection.until_ended();
    raw.close();
  });
});

describe("Engine.IO packets", () => {
  for (const packet of ["7", "9x", "x", "hello", ""]) {
    it(`${JSON.stringify(packet)} ends the session with an empty close frame`, async () => {
      const raw = await opened();
      raw.send(frame(text, packet));
      assert.equal(await raw.close_code(), 1005);
      raw.close();
    });
  }

  it("of types 0, 5, 6 and a stray pong are ignored", async () => {
    const raw = await opened();
    for (const packet of ["0", "0{}", "5", "6", "3"]) raw.send(frame(text, packet));
    await echoes(raw);
    raw.close();
  });

  it("a close packet ends the session or is ignored, and harms nobody", async () => {
    const raw = await opened();
    raw.send(frame(text, "1"), frame(text, "4x"));
    const next = await raw.next().catch(() => ({ opcode: close }));
    assert.ok(next.opcode === close || next.payload.toString() === "4x");
    raw.close();
  });
});
