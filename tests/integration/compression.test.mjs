// permessage-deflate (RFC 7692) on the front-door server: what is agreed on, frame by frame, with `ws` and with the
// official client. Messages of 500 bytes and more are compressed there.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { Client } from "../support/clients.mjs";
import { WebSocketSession } from "../support/engine_session.mjs";
import { RawWebSocket, frame, opcodes } from "../support/raw.mjs";
import { is_reference, skip_on_reference, start_example } from "../support/servers.mjs";

const path = "/live/";
const offer = "permessage-deflate; client_max_window_bits";
const long = "message in a message, ".repeat(200);
const rsv1 = 4;

let server;
let witness;
const open = [];
before(async () => {
  server = await start_example("front-door");
  witness = await Client.connect(server.url, { path });
});
afterEach(async () => {
  for (const one of open.splice(0)) one.close();
  witness.emit("message", "still there?");
  assert.deepEqual(await witness.next("message-back"), ["still there?"]);
});
after(async () => {
  witness?.close();
  await server?.stop();
});

// The payload of a compressed message: DEFLATE data without the end of its last, empty block.
const compressed = (data) => deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
const inflated = (payload) => inflateRawSync(Buffer.concat([payload, Buffer.from([0, 0, 0xff, 0xff])]), { finishFlush: constants.Z_SYNC_FLUSH });

async function raw_socket(extensions = offer, { joined = true } = {}) {
  const raw = await RawWebSocket.open(server, {
    path: `${path}?EIO=4&transport=websocket`, headers: { "Sec-WebSocket-Extensions": extensions ?? undefined },
  });
  open.push(raw);
  if (raw.head.status !== 101) return raw;
  assert.equal((await raw.text())[0], "0");
  if (joined) {
    raw.send(frame(opcodes.text, "40"));
    assert.match(await raw.text(), /^40\{"sid"/);
  }
  return raw;
}

const agreed = (raw) => raw.head.headers["sec-websocket-extensions"];
const event = (text) => `42["message","${text}"]`;
const echo = (text) => `42["message-back","${text}"]`;

describe("permessage-deflate is agreed on", () => {
  const plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
  const same = (a, b) => assert.deepEqual(new Set(a?.split("; ")), new Set(b?.split("; ")));
  const offers = [
    ["permessage-deflate", plain],
    [offer, plain],
    ["permessage-deflate; client_max_window_bits=10", `${plain}; client_max_window_bits=10`],
    ["permessage-deflate; server_max_window_bits=15", `${plain}; server_max_window_bits=15`],
    ["permessage-deflate; server_no_context_takeover; client_no_context_takeover", plain],
    ["permessage-bzip2, permessage-deflate", plain],
    [`permessage-deflate; server_max_window_bits="15"`, `${plain}; server_max_window_bits=15`],
    ["x-webkit-deflate-frame", undefined],
  ];
  for (const [offered, answer] of offers) {
    it(`${offered}: ${answer}`, async () => { same(agreed(await raw_socket(offered)), answer); });
  }

  // Where the RFC wants an offer declined, the reference server refuses the connection.
  const declined = [
    "permessage-deflate; unknown", "permessage-deflate; server_max_window_bits", "permessage-deflate; server_max_window_bits=16",
    "permessage-deflate; client_max_window_bits=7", "permessage-deflate; server_no_context_takeover=1",
    "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
  ];
  for (const offered of declined) {
    it(`${offered}: declined`, async () => {
      const raw = await raw_socket(offered);
      if (is_reference) assert.equal(raw.head.status, 400);
      else assert.equal(agreed(raw), undefined);
    });
  }

  // The server's window is the same for all, because all share one compressed frame; the reference server has one each.
  it("a client that can take a small window only goes uncompressed", { skip: skip_on_reference }, async () => {
    assert.equal(agreed(await raw_socket("permessage-deflate; server_max_window_bits=10")), undefined);
    same(agreed(await raw_socket("permessage-deflate; server_max_window_bits=10, permessage-deflate")), plain);
  });

  it("a header against its grammar: 400", async () => {
    for (const malformed of ["permessage-deflate;", "permessage-deflate; a=", "permessage-deflate; =", ","])
      assert.equal((await raw_socket(malformed)).head.status, 400, malformed);
  });

  it("nothing where nothing is offered", async () => {
    assert.equal(agreed(await raw_socket(null)), undefined);
  });
});

describe("compressed messages", () => {
  it("come from the server where they are long enough", async () => {
    const raw = await raw_socket();
    raw.send(frame(opcodes.text, event("short")));
    const short = await raw.next();
    assert.deepEqual([short.rsv, short.payload.toString()], [0, echo("short")]);
    raw.send(frame(opcodes.text, event(long)));
    const answer = await raw.next();
    assert.deepEqual([answer.rsv, answer.opcode, answer.fin], [rsv1, opcodes.text, true]);
    assert.ok(answer.payload.length < 200, String(answer.payload.length));
    assert.equal(inflated(answer.payload).toString(), echo(long));
  });

  it("are taken from the client, whole or in fragments, with a ping in between", async () => {
    const raw = await raw_socket();
    const payload = compressed(event("compressed"));
    raw.send(frame(opcodes.text, payload, { rsv: rsv1 }));
    assert.equal(await raw.text(), echo("compressed"));
    raw.send(frame(opcodes.text, payload.subarray(0, 5), { rsv: rsv1, fin: false }));
    raw.send(frame(opcodes.ping, "?"), frame(opcodes.continuation, "", { fin: false }));
    raw.send(frame(opcodes.continuation, payload.subarray(5)));
    const pong = await raw.next();
    assert.deepEqual([pong.opcode, pong.payload.toString()], [opcodes.pong, "?"]);
    assert.equal(await raw.text(), echo("compressed"));
    raw.send(frame(opcodes.text, event("plain")));
    assert.equal(await raw.text(), echo("plain"));
  });

  it("stand each for themselves: none looks back on the one before", async () => {
    const raw = await raw_socket();
    const sizes = [];
    for (let i = 0; i < 3; ++i) {
      raw.send(frame(opcodes.text, event(long)));
      const answer = await raw.next();
      assert.equal(inflated(answer.payload).toString(), echo(long));
      sizes.push(answer.payload.length);
    }
    assert.equal(new Set(sizes).size, 1);
  });

  it("go to those who can read them, of one broadcast", async () => {
    const deflating = await raw_socket();
    const plain = await raw_socket(null);
    deflating.send(frame(opcodes.text, `42["pub","${long}"]`));
    const [one, other] = await Promise.all([deflating.next(), plain.next()]);
    assert.equal(one.rsv, rsv1);
    assert.equal(other.rsv, 0);
    assert.equal(inflated(one.payload).toString(), other.payload.toString());
    await witness.next("n");
  });

  // The reference server's WebSockets do not look at the flag any more.
  it("are not made where the flag forbids it", { skip: skip_on_reference }, async () => {
    const raw = await raw_socket();
    raw.send(frame(opcodes.text, `42["pub-plain","${long}"]`));
    const answer = await raw.next();
    assert.deepEqual([answer.rsv, answer.payload.toString()], [0, `42["n","${long}"]`]);
    await witness.next("n");
  });

  it("may be binary", async () => {
    const raw = await raw_socket();
    const bytes = Buffer.alloc(3000, "b");
    raw.send(frame(opcodes.text, `451-["message",{"_placeholder":true,"num":0}]`));
    raw.send(frame(opcodes.binary, compressed(bytes), { rsv: rsv1 }));
    assert.equal(await raw.text(), `451-["message-back",{"_placeholder":true,"num":0}]`);
    const answer = await raw.next();
    assert.deepEqual([answer.rsv, answer.opcode], [rsv1, opcodes.binary]);
    assert.deepEqual(inflated(answer.payload), bytes);
  });
});

describe("what is wrong with compressed frames", () => {
  const cases = [
    ["RSV1 on a continuation", 1002, () => [frame(opcodes.text, "", { fin: false }), frame(opcodes.continuation, "", { rsv: rsv1 })]],
    ["RSV1 on a ping", 1002, () => [frame(opcodes.ping, "", { rsv: rsv1 })]],
    ["RSV1 on a close", 1002, () => [frame(opcodes.close, "", { rsv: rsv1 })]],
    ["RSV2", 1002, () => [frame(opcodes.text, compressed(event("x")), { rsv: 6 })]],
    ["no DEFLATE data", 1007, () => [frame(opcodes.text, Buffer.alloc(20, 0xff), { rsv: rsv1 })]],
    ["no DEFLATE data in the second fragment", 1007, () => [
      frame(opcodes.text, compressed(long), { fin: false, rsv: rsv1 }), frame(opcodes.continuation, Buffer.alloc(20, 0xff))]],
    ["text that is not UTF-8", 1007, () => [frame(opcodes.text, compressed(Buffer.from([0xc3, 0x28])), { rsv: rsv1 })]],
    ["a bomb", 1009, () => [frame(opcodes.binary, compressed(Buffer.alloc(50_000_000)), { rsv: rsv1 })]],
    ["a bomb in fragments", 1009, () => {
      const bomb = compressed(Buffer.alloc(50_000_000));
      return [frame(opcodes.binary, bomb.subarray(0, 1000), { rsv: rsv1, fin: false }), frame(opcodes.continuation, bomb.subarray(1000))];
    }],
    ["one byte more than the limit", 1009, () => [frame(opcodes.binary, compressed(Buffer.alloc(1_000_001)), { rsv: rsv1 })]],
  ];
  for (const [name, code, frames] of cases) {
    it(`${name}: ${code}`, async () => {
      const raw = await raw_socket();
      raw.send(...frames());
      assert.equal(await raw.close_code(), code);
    });
  }

  it("RSV1 where nothing was agreed on: 1002", async () => {
    const raw = await raw_socket(null);
    raw.send(frame(opcodes.text, compressed(event("x")), { rsv: rsv1 }));
    assert.equal(await raw.close_code(), 1002);
  });

  // `ws` gives what there is of it, as if that were the message.
  it("data that is cut off: 1007", { skip: skip_on_reference }, async () => {
    const raw = await raw_socket();
    raw.send(frame(opcodes.text, compressed(event(long)).subarray(0, 30), { rsv: rsv1 }));
    assert.equal(await raw.close_code(), 1007);
  });
});

describe("clients with permessage-deflate", () => {
  it("ws", async () => {
    const session = await WebSocketSession.open(server, { path, perMessageDeflate: { threshold: 0 } });
    open.push(session);
    assert.match(session.ws.extensions, /^permessage-deflate/);
    session.send("40");
    assert.match(await session.next(), /^40/);
    for (const text of ["a", "", long, "\u00fc\u{1f514}".repeat(1000), "y".repeat(900_000)]) {
      session.send(event(text));
      assert.equal(await session.next(), echo(text));
    }
  });

  for (const mode of ["websocket", "upgrade"]) {
    it(`the official one, ${mode}`, async () => {
      const client = await Client.connect(server.url, { path, mode, perMessageDeflate: { threshold: 10 } });
      open.push(client);
      await client.upgraded();
      const sent = [long, { list: [1, "two", null] }, Buffer.alloc(5000, "z")];
      for (let i = 0; i < 5; ++i) {
        client.emit("message", i, ...sent);
        const [number, text, object, binary] = await client.next("message-back");
        assert.deepEqual([number, text, object, Buffer.from(binary)], [i, ...sent]);
      }
    });
  }
});
