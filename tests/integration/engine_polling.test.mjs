// Engine.IO over HTTP long-polling: payloads, one request of each kind at a time, and what ends a session
// (shared/reference.md 3, 7-12).
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { PollingSession, WebSocketSession, http, separator, with_hanging_get } from "../support/engine_session.mjs";
import { RawConnection } from "../support/raw.mjs";
import { skip_on_reference, start_example } from "../support/servers.mjs";
import { eventually } from "../support/wait.mjs";

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

async function raw_post(session, length, body) {
  const raw = await RawConnection.open(server);
  const { pathname, search } = new URL(session.url);
  raw.write(`POST ${pathname}${search} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n${body}`);
  return raw;
}

// A POST that the server is reading.
async function half_post(session) {
  const raw = await raw_post(session, 100, "4half");
  await session.seen();
  return raw;
}

describe("payloads", () => {
  it("answers POST with ok, and GET with the packets", async () => {
    const session = await PollingSession.open(server);
    const posted = await session.post("4hello");
    assert.equal(posted.status, 200);
    assert.equal(posted.body, "ok");
    assert.match(posted.headers["content-type"], /^text\/html/);
    assert.equal(posted.headers["cache-control"], "no-store");
    assert.equal(posted.headers["access-control-allow-origin"], "*");
    const got = await session.get();
    assert.equal(got.status, 200);
    assert.equal(got.headers["content-type"], "text/plain; charset=UTF-8");
    assert.equal(got.headers["cache-control"], "no-store");
    assert.equal(got.headers["access-control-allow-origin"], "*");
    assert.ok(got.body.split(separator).includes("4hello"), got.body);
  });

  it("separates several packets by the record separator, in both directions, in order", async () => {
    const session = await PollingSession.open(server);
    const packets = ["4one", "4", "4two\n€ 𝄞", "4three"];
    await session.post(packets.join(separator));
    for (const packet of packets) assert.equal(await session.next(), packet);
  });

  it("carries binary as base64", async () => {
    const session = await PollingSession.open(server);
    for (const binary of ["bAQIDBA==", "b", "b/+8="]) {
      await session.post(["4text", binary].join(separator));
      assert.equal(await session.next(), "4text");
      assert.equal(await session.next(), binary);
    }
  });

  it("takes any content type, or none, as text", async () => {
    const session = await PollingSession.open(server);
    for (const headers of [{}, { "content-type": "application/json" }, { "content-type": "nonsense" }]) {
      assert.equal((await session.post("4x", headers)).status, 200);
      assert.equal(await session.next(), "4x");
    }
  });

  it("takes a chunked body", async () => {
    const session = await PollingSession.open(server);
    const answer = await http(session.url, { method: "POST", headers: { "transfer-encoding": "chunked" }, body: "4chunked" });
    assert.equal(answer.status, 200);
    assert.equal(await session.next(), "4chunked");
  });

  it("keeps packets that arrive while no GET hangs", async () => {
    const session = await PollingSession.open(server);
    for (let i = 0; i < 50; ++i) await session.post(`4${i}`);
    for (let i = 0; i < 50; ++i) assert.equal(await session.next(), `4${i}`);
  });
});

describe("one request of each kind at a time", () => {
  it("two GETs: the first gets a close packet, the second 400, the session is gone", () => (
    with_hanging_get(server, async (session, first) => {
      const second = await session.get();
      assert.equal((await first.answer).body, "1");
      assert.equal(second.status, 400);
      assert.ok(await session.is_gone());
    })
  ));

  it("two POSTs: the second gets 400, the first is cut, the session is gone", async () => {
    for (let attempt = 0; ; ++attempt) {
      const session = await PollingSession.open(server);
      const first = await half_post(session);
      const second = await session.post("4x");
      if (second.status === 200 && attempt < 5) continue; // it came first: see PollingSession.seen()
      assert.equal(second.status, 400);
      await first.until_ended();
      first.close();
      assert.ok(await session.is_gone());
      return;
    }
  });

  it("one GET and one POST together are fine", () => (
    with_hanging_get(server, async (session, get) => {
      await session.post("4both");
      assert.equal((await get.answer).body, "4both");
      await session.echoes();
    })
  ));
});

describe("aborted requests", () => {
  // Nothing tells the client when the server has seen the abort; a GET of a living session would be the second one.
  const ends = (session) => eventually("end of the session", async () => (await session.post("3")).status === 400);

  it("an aborted pending GET ends the session", async () => {
    const session = await PollingSession.open(server);
    const { answer } = await session.hang();
    answer.abort();
    await ends(session);
  });

  it("a half-sent POST that is aborted ends the session", async () => {
    const session = await PollingSession.open(server);
    const raw = await half_post(session);
    raw.socket.resetAndDestroy();
    await eventually("end of the session", () => session.is_gone());
  });

  it("dropping an idle keep-alive connection does not", async () => {
    const session = await PollingSession.open(server);
    const raw = await raw_post(session, 2, "4x");
    assert.equal((await raw.response_head()).status, 200);
    raw.close();
    assert.equal(await session.next(), "4x");
    await session.echoes();
  });
});

describe("packets that mean nothing from a client", () => {
  for (const packet of ["0", "0{}", "5", "6", "3"]) {
    it(`${packet} is ignored`, async () => {
      const session = await PollingSession.open(server);
      assert.equal((await session.post([packet, "4x"].join(separator))).status, 200);
      assert.equal(await session.next(), "4x");
    });
  }
});

describe("packets that end the session", () => {
  const invalid = [
    ["an unknown type", "7x"], ["a letter", "abc"], ["type 9", "9"], ["a ping, which only the server sends", "2"],
    ["a probe over polling", "2probe"], ["a trailing separator", `4x${separator}`], ["an empty body", ""],
    ["invalid base64's type", "B"], ["an invalid packet behind a good one", `4x${separator}8`],
  ];
  for (const [name, body] of invalid) {
    it(`${name}`, () => with_hanging_get(server, async (session, get) => {
      const posted = await session.post(body);
      assert.ok([200, 400].includes(posted.status), `status ${posted.status}`);
      // The echo of a good packet in front may have answered the GET already.
      const { body: last_words } = await get.answer;
      if (!body.startsWith("4x")) assert.equal(last_words, "1");
      else assert.match(last_words, /^(4x|1|4x\x1e1)$/);
      assert.ok(await session.is_gone());
    }));
  }

  it("a close packet: 200, a pending GET gets a noop", () => with_hanging_get(server, async (session, get) => {
    assert.equal((await session.post("1")).status, 200);
    assert.equal((await get.answer).body, "6");
    assert.ok(await session.is_gone());
  }));

  // The reference puts U+FFFD in the place of what it cannot read.
  for (const bytes of [[0x34, 0xff], [0x34, 0xed, 0xa0, 0x80], [0x34, 0x78, 0x1e, 0x34, 0xc3]]) {
    it(`bytes that are no UTF-8 (${Buffer.from(bytes).toString("hex")})`, { skip: skip_on_reference }, async () => {
      const session = await PollingSession.open(server);
      assert.equal((await session.post(Buffer.from(bytes))).status, 400);
      assert.ok(await session.is_gone());
    });
  }

  it("application/octet-stream: 400", async () => {
    const session = await PollingSession.open(server);
    const posted = await session.post(Buffer.from([4, 1, 2]), { "content-type": "application/octet-stream" });
    assert.equal(posted.status, 400);
    assert.ok(await session.is_gone());
  });
});

describe("maxPayload", () => {
  it("exactly that many bytes are fine", async () => {
    const session = await PollingSession.open(server);
    const packet = `4${"x".repeat(999_999)}`;
    assert.equal((await session.post(packet)).status, 200);
    assert.equal(await session.next(), packet);
  });

  const too_much = [
    ["one byte more", `4${"x".repeat(1_000_000)}`, {}],
    ["more bytes, though fewer characters", `4${"€".repeat(400_000)}`, {}],
    ["more bytes in chunks", `4${"x".repeat(1_100_000)}`, { "transfer-encoding": "chunked" }],
  ];
  for (const [name, body, headers] of too_much) {
    it(`${name}: 413, and the session lives on`, async () => {
      const session = await PollingSession.open(server);
      // A connection of its own: the server may close it without having read all of the body.
      const answer = await http(session.url, { method: "POST", headers, body, agent: false }).catch((error) => error);
      if (answer instanceof Error) assert.match(answer.code, /EPIPE|ECONNRESET/);
      else assert.equal(answer.status, 413);
      await session.echoes();
    });
  }

  // The reference waits for the body.
  it("a declared length over the limit: 413 without waiting for the body", { skip: skip_on_reference }, async () => {
    const session = await PollingSession.open(server);
    const raw = await raw_post(session, 999_999_999_999, "4");
    assert.equal((await raw.response_head()).status, 413);
    raw.close();
    await session.echoes();
  });
});
