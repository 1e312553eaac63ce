// WebSocket framing beyond what Engine.IO's clients send: every reserved opcode and bit, control frames in the middle of
// things, every way to cut UTF-8, and what comes around a close frame (RFC 6455). Engine.IO's own rules and the close
// codes one by one are in engine_websocket.test.mjs.
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

async function opened(options) {
  const raw = await RawWebSocket.open(server, options);
  assert.equal((await raw.text())[0], "0");
  return raw;
}

const nothing = Buffer.alloc(0);

// What the server answers to these frames, sent in one piece: texts, pongs as "pong:...", and the close code at the end.
async function answers(frames, { end = frame(close) } = {}) {
  const raw = await opened();
  raw.send(...frames, end);
  const seen = [];
  for (;;) {
    const next = await raw.next().catch((error) => { throw new Error(`${error.message}, after ${JSON.stringify(seen)}`); });
    if (next.opcode === close) {
      seen.push(next.payload.length ? next.payload.readUInt16BE(0) : 1005);
      break;
    }
    const payload = next.payload.toString();
    seen.push({ [text]: payload, [binary]: `binary:${payload}`, [pong]: `pong:${payload}` }[next.opcode]);
  }
  raw.send(frame(close)); // who has seen a close frame answers it; the server may have stopped to listen
  await raw.connection.until_ended();
  raw.close();
  return seen;
}

// The same bytes, each in a segment of its own.
async function answers_byte_by_byte(frames, count) {
  const raw = await opened();
  for (const byte of Buffer.concat(frames)) raw.connection.write(Buffer.of(byte));
  const seen = [];
  while (seen.length < count) seen.push((await raw.next()).payload.toString());
  raw.close();
  return seen;
}

const split = (bytes, at) => [bytes.subarray(0, at), bytes.subarray(at)];
const fragments = (opcode, parts) => parts.map((part, i) => (
  frame(i === 0 ? opcode : continuation, part, { fin: i === parts.length - 1 })
));

describe("reserved", () => {
  for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) {
    it(`opcode ${opcode}: 1002, behind the answer to what came before`, async () => {
      for (const payload of ["", "x"]) assert.deepEqual(await answers([frame(text, "4first"), frame(opcode, payload)]), ["4first", 1002]);
    });

    it(`opcode ${opcode} in the middle of a fragmented message: 1002`, async () => {
      assert.deepEqual(await answers([frame(text, "4", { fin: false }), frame(opcode, ""), frame(continuation, "x")]), [1002]);
    });
  }

  for (let rsv = 1; rsv < 8; ++rsv) {
    it(`bits ${rsv.toString(2).padStart(3, "0")}: 1002 on frames of every kind`, async () => {
      for (const opcode of [text, binary, ping, pong, close]) assert.deepEqual(await answers([frame(text, "4a"), frame(opcode, "", { rsv })]), ["4a", 1002]);
      assert.deepEqual(await answers([frame(text, "4", { fin: false }), frame(continuation, "x", { rsv })]), [1002]);
    });
  }
});

describe("control frames", () => {
  it("pings are answered each, in order, with whatever they carry", async () => {
    const raw = await opened();
    const payloads = ["", "x", Buffer.from([0x00, 0xff, 0xfe, 0xc0]), Buffer.alloc(125, 0xfe)];
    raw.send(...payloads.map((payload) => frame(ping, payload)));
    for (const payload of payloads) {
      const next = await raw.next();
      assert.equal(next.opcode, pong);
      assert.deepEqual(next.payload, Buffer.from(payload));
    }
    raw.close();
  });

  it("a ping cut into bytes is answered", async () => {
    assert.deepEqual(await answers_byte_by_byte([frame(ping, "x".repeat(125))], 1), ["x".repeat(125)]);
  });

  it("pongs that nobody asked for are ignored", async () => {
    assert.deepEqual(await answers([frame(pong), frame(pong, "x".repeat(125)), frame(ping, "here")]), ["pong:here", 1005]);
  });

  it("between fragments they are handled at once, and the message stays whole", async () => {
    const [one, two, three] = fragments(text, ["4one ", "two ", "three"]);
    assert.deepEqual(await answers([one, frame(ping, "a"), frame(pong), two, frame(ping, "b"), frame(ping, "c"), three]), ["pong:a", "pong:b", "pong:c", "4one two three", 1005]);
  });

  for (const [name, opcode] of [["ping", ping], ["pong", pong], ["close frame", close]]) {
    it(`a fragmented ${name}: 1002`, async () => {
      assert.deepEqual(await answers([frame(opcode, "", { fin: false })]), [1002]);
      assert.deepEqual(await answers([frame(opcode, opcode === close ? close_payload(1000) : "x", { fin: false }), frame(continuation, "y")]), [1002]);
    });

    it(`a ${name} of 126 bytes: 1002, as soon as its header says so`, async () => {
      assert.deepEqual(await answers([frame(opcode, "", { length: 126 })], { end: nothing }), [1002]);
      assert.deepEqual(await answers([frame(opcode, "", { length: 70_000 })], { end: nothing }), [1002]);
    });
  }
});

describe("fragments", () => {
  it("empty ones count for nothing", async () => {
    for (const parts of [["", "4x"], ["4x", ""], ["", "4x", "", ""], ["", "4", "", "x", ""]]) assert.deepEqual(await answers(fragments(text, parts)), ["4x", 1005]);
    assert.deepEqual(await answers(fragments(binary, ["", "a", "", "b"])), ["binary:ab", 1005]);
    assert.deepEqual(await answers(fragments(binary, ["", "", ""])), ["binary:", 1005]);
  });

  it("many small ones make one message, also when TCP cuts everywhere", async () => {
    const parts = Array.from(`4${"abcdefgh".repeat(40)}`);
    assert.deepEqual(await answers(fragments(text, parts)), [parts.join(""), 1005]);
    assert.deepEqual(await answers_byte_by_byte(fragments(text, parts), 1), [parts.join("")]);
  });

  for (const [name, frames] of [
    ["a last continuation of nothing", [frame(continuation, "x")]],
    ["a first continuation of nothing", [frame(continuation, "x", { fin: false }), frame(text, "4y")]],
    ["a continuation behind a whole message", [frame(text, "4a"), frame(continuation, "x")]],
    ["a continuation behind the last fragment", [...fragments(text, ["4", "a"]), frame(continuation, "x")]],
    ["a text inside a fragmented text", [frame(text, "4", { fin: false }), frame(text, "4y")]],
    ["a binary inside a fragmented text", [frame(text, "4", { fin: false }), frame(binary, "y")]],
    ["a fragmented text inside a fragmented binary", [frame(binary, "4", { fin: false }), frame(text, "y", { fin: false })]],
  ]) {
    it(`${name}: 1002`, async () => {
      assert.equal((await answers(frames)).at(-1), 1002);
    });
  }
});

describe("UTF-8", () => {
  // Of one to four bytes, the first and last code points of each length, and noncharacters, which are valid.
  const valid = ["\u0000", "\u007f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\ufffe", "\ufdd0", "\u{10000}", "\u{10ffff}", "\u{1fffe}", "κόσμε"];
  it("whatever is valid comes back, however fragments cut it", async () => {
    for (const characters of valid) {
      const bytes = Buffer.from(`4${characters}`);
      for (let at = 0; at <= bytes.length; ++at) assert.deepEqual(await answers(fragments(text, split(bytes, at))), [`4${characters}`, 1005], `${JSON.stringify(characters)} cut at ${at}`);
    }
  });

  it("one byte per fragment, with pings between", async () => {
    const message = "4Hello-µ@ßöäüàá-UTF-8!! 𝄞";
    const parts = fragments(text, [...Buffer.from(message)].map((byte) => Buffer.of(byte)));
    const seen = await answers(parts.flatMap((part) => [frame(ping, "p"), part]));
    assert.deepEqual(seen.filter((each) => each !== "pong:p"), [message, 1005]);
  });

  const invalid = {
    "a byte that never occurs": "ff", "a lonely continuation byte": "80", "a lonely first byte": "c3", "a lonely first byte, then ASCII": "c341",
    "three bytes without the last": "e282", "four bytes without the last": "f09d84", "an overlong slash of two bytes": "c0af",
    "an overlong slash of three bytes": "e080af", "an overlong slash of four bytes": "f08080af", "an overlong NUL": "c080",
    "a high surrogate": "eda080", "a low surrogate": "edbfbf", "a pair of surrogates": "eda080edb080", "beyond U+10FFFF": "f4908080",
    "five bytes": "f888808080", "six bytes": "fc8480808080", "valid, then invalid": "cebaceb5f4908080656469746564",
  };
  for (const [name, hex] of Object.entries(invalid)) {
    it(`${name}: 1007, however fragments cut it`, async () => {
      const bytes = Buffer.concat([Buffer.from("4"), Buffer.from(hex, "hex")]);
      for (let at = 0; at <= bytes.length; ++at) assert.deepEqual(await answers(fragments(text, split(bytes, at))), [1007], `cut at ${at}`);
    });

    it(`${name} in the reason of a close frame: 1007`, async () => {
      assert.deepEqual(await answers([], { end: frame(close, Buffer.concat([close_payload(1000), Buffer.from(hex, "hex")])) }), [1007]);
    });

    it(`${name} is fine as binary`, async () => {
      const raw = await opened();
      raw.send(frame(binary, Buffer.from(hex, "hex")));
      assert.equal((await raw.next()).payload.toString("hex"), hex);
      raw.close();
    });
  }
});

describe("closing", () => {
  it("a reason of 123 bytes is allowed", async () => {
    assert.deepEqual(await answers([], { end: frame(close, close_payload(1000, "x".repeat(123))) }), [1000]);
  });

  it("what comes behind a close frame is not answered", async () => {
    for (const behind of [frame(text, "4late"), frame(ping, "late"), frame(close, close_payload(1001)), frame(3, ""), frame(text, Buffer.from([0xff]))]) {
      assert.deepEqual(await answers([frame(text, "4in time")], { end: Buffer.concat([frame(close, close_payload(1000)), behind]) }), ["4in time", 1000]);
    }
  });

  it("in the middle of a fragmented message", async () => {
    assert.deepEqual(await answers([frame(text, "4never", { fin: false })], { end: frame(close, close_payload(1001, "going")) }), [1001]);
  });

  it("cut into bytes", async () => {
    const raw = await opened();
    for (const byte of frame(close, close_payload(1000, "bye €"))) raw.connection.write(Buffer.of(byte));
    assert.equal(await raw.close_code(), 1000);
    raw.close();
  });
});

describe("sizes", () => {
  const max = 1_000_000; // of the example

  for (const [name, head] of [
    ["2^63 bytes", [0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]], ["2^64 - 1 bytes", [0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ["2^53 bytes", [0x82, 0xff, 0, 0x20, 0, 0, 0, 0, 0, 0]],
  ]) {
    it(`a header that announces ${name}: 1009 or 1002, at once`, async () => {
      const [code] = await answers([Buffer.from(head)], { end: nothing });
      assert.ok([1002, 1009].includes(code), `code ${code}`);
    });
  }

  it("exactly the limit in one frame and in fragments comes back, one byte more is 1009", async () => {
    const whole = `4${"x".repeat(max - 1)}`;
    assert.deepEqual(await answers([frame(text, whole)]), [whole, 1005]);
    assert.deepEqual(await answers(fragments(text, [whole.slice(0, 400_000), whole.slice(400_000)])), [whole, 1005]);
    assert.deepEqual(await answers([frame(text, `${whole}x`)], { end: nothing }), [1009]);
    assert.deepEqual(await answers(fragments(text, [whole, "x"]), { end: nothing }), [1009]);
    assert.deepEqual(await answers(fragments(text, [whole.slice(0, 10), "", "x".repeat(max)]), { end: nothing }), [1009]);
  });

  it("length written in more bytes than needed is understood", async () => {
    const raw = await opened();
    const masked = Buffer.from("4ok").map((byte, i) => byte ^ [1, 2, 3, 4][i]);
    raw.send(Buffer.concat([Buffer.from([0x81, 0xfe, 0, 3, 1, 2, 3, 4]), masked]), Buffer.concat([Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3, 4]), masked]));
    assert.deepEqual([await raw.text(), await raw.text()], ["4ok", "4ok"]);
    raw.close();
  });
});

describe("frames in one segment with the handshake", () => {
  it("are read behind it", async () => {
    const raw = await opened({ behind: Buffer.concat([frame(text, "4early"), frame(ping, "early")]) });
    // The reference opens its session late, and answers the ping first.
    const seen = [await raw.next(), await raw.next()].map(({ opcode, payload }) => `${opcode} ${payload}`);
    assert.deepEqual(seen.sort(), [`${text} 4early`, `${pong} early`]);
    raw.close();
  });
});
