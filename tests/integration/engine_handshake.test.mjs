// Engine.IO: the handshake, and which error wins when a request has several (shared/reference.md 1-6).
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { PollingSession, WebSocketSession, engine_url, http } from "../support/engine_session.mjs";
import { RawConnection, RawWebSocket, upgrade_request } from "../support/raw.mjs";
import { start_example } from "../support/servers.mjs";

let server;
let witness;
before(async () => {
  server = await start_example("engine-echo");
  witness = await WebSocketSession.open(server);
});
after(async () => {
  await witness?.echoes(); // the connection from before all the errors
  witness?.close();
  await server?.stop();
});

describe("handshake", () => {
  it("over polling opens a session with the server's settings", async () => {
    const answer = await http(engine_url(server, "EIO=4&transport=polling"));
    assert.equal(answer.status, 200);
    assert.equal(answer.body[0], "0");
    const { sid, ...rest } = JSON.parse(answer.body.slice(1));
    assert.match(sid, /^[A-Za-z0-9_-]{20,}$/);
    assert.deepEqual(rest, { upgrades: ["websocket"], pingInterval: 300, pingTimeout: 200, maxPayload: 1_000_000 });
    assert.equal(answer.headers["content-type"], "text/plain; charset=UTF-8");
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.equal(answer.headers["content-length"], String(answer.bytes.length));
  });

  it("over WebSocket offers no upgrade", async () => {
    const session = await WebSocketSession.open(server);
    assert.deepEqual(session.handshake, { sid: session.sid, upgrades: [], pingInterval: 300, pingTimeout: 200, maxPayload: 1_000_000 });
    await session.echoes();
    session.close();
  });

  it("gives every session its own id", async () => {
    const sessions = await Promise.all(Array.from({ length: 20 }, () => PollingSession.open(server)));
    assert.equal(new Set(sessions.map(({ sid }) => sid)).size, 20);
  });

  it("takes an empty sid for none, and the last of repeated parameters", async () => {
    for (const query of ["EIO=4&transport=polling&sid=", "EIO=3&EIO=4&transport=nonsense&transport=polling"]) {
      const answer = await http(engine_url(server, query));
      assert.equal(answer.status, 200, query);
      assert.equal(answer.body[0], "0", query);
    }
  });

  it("ignores query parameters that it does not know", async () => {
    const answer = await http(engine_url(server, "EIO=4&transport=polling&t=abc&token=a%20b&x"));
    assert.equal(answer.status, 200);
  });
});

describe("refused requests", () => {
  const unknown_transport = { code: 0, message: "Transport unknown" };
  const unknown_sid = { code: 1, message: "Session ID unknown" };
  const bad_method = { code: 2, message: "Bad handshake method" };
  const bad_request = { code: 3, message: "Bad request" };
  const bad_version = { code: 5, message: "Unsupported protocol version" };

  const cases = [
    ["no transport", "GET", "EIO=4", unknown_transport],
    ["unknown transport", "GET", "EIO=4&transport=carrier-pigeon", unknown_transport],
    ["a transport named like an object's own property", "GET", "EIO=4&transport=constructor", unknown_transport],
    ["unknown transport before anything else", "POST", "EIO=9&transport=tram&sid=nobody", unknown_transport],
    ["unknown sid", "GET", "EIO=4&transport=polling&sid=nobody", unknown_sid],
    ["unknown sid before bad version", "POST", "EIO=9&transport=polling&sid=nobody", unknown_sid],
    ["a sid with odd characters", "GET", "EIO=4&transport=polling&sid=%00%ff..%2f", unknown_sid],
    ["POST without sid", "POST", "EIO=4&transport=polling", bad_method],
    ["POST without sid before bad version", "POST", "EIO=3&transport=polling", bad_method],
    ["PUT without sid", "PUT", "EIO=4&transport=polling", bad_method],
    ["websocket without Upgrade", "GET", "EIO=4&transport=websocket", bad_request],
    ["websocket without Upgrade before bad version", "GET", "EIO=3&transport=websocket", bad_request],
    ["Engine.IO 3", "GET", "EIO=3&transport=polling", bad_version],
    ["no version, which means 3", "GET", "transport=polling", bad_version],
    ["nonsense version", "GET", "EIO=four&transport=polling", bad_version],
  ];
  for (const [name, method, query, expected] of cases) {
    it(`${name}: code ${expected.code}`, async () => {
      const answer = await http(engine_url(server, query), { method, body: method === "GET" ? undefined : "4x" });
      assert.equal(answer.status, 400);
      assert.match(answer.headers["content-type"], /^application\/json/);
      assert.equal(answer.headers["access-control-allow-origin"], "*");
      assert.deepEqual(JSON.parse(answer.body), expected);
    });
  }

  it("a transport other than the session's: code 3, and the session lives on", async () => {
    const session = await WebSocketSession.open(server);
    const answer = await http(engine_url(server, `EIO=4&transport=polling&sid=${session.sid}`));
    assert.equal(answer.status, 400);
    assert.deepEqual(JSON.parse(answer.body), bad_request);
    await session.echoes();
    session.close();
  });

  for (const version of ["EIO=3&", "EIO=9&", ""]) {
    it(`another version than the session's (${version || "none"}): code 3, and the session lives on`, async () => {
      const session = await PollingSession.open(server);
      const answer = await http(engine_url(server, `${version}transport=polling&sid=${session.sid}`), { method: "POST", body: "4x" });
      assert.equal(answer.status, 400);
      assert.deepEqual(JSON.parse(answer.body), bad_request);
      await session.echoes();
    });
  }

  for (const method of ["PUT", "DELETE"]) {
    it(`${method} with a sid: 500, and the session lives on`, async () => {
      const session = await PollingSession.open(server);
      assert.equal((await http(session.url, { method })).status, 500);
      await session.echoes();
    });
  }
});

describe("HEAD", () => {
  it("is answered without a body, and the connection goes on", async () => {
    const raw = await RawConnection.open(server);
    const path = "/engine.io/?EIO=4&transport=polling";
    raw.write(`HEAD ${path} HTTP/1.1\r\nHost: x\r\n\r\nGET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    const first = await raw.response_head();
    assert.equal(first.status, 400);
    assert.ok(Number(first.headers["content-length"] ?? 0) >= 0);
    assert.equal((await raw.response_head()).status, 200); // right behind it
    raw.close();
  });
});

describe("CORS", () => {
  it("allows every origin, with or without Origin", async () => {
    for (const headers of [{}, { origin: "http://example.org" }]) {
      const answer = await http(engine_url(server, "EIO=4&transport=polling"), { headers });
      assert.equal(answer.headers["access-control-allow-origin"], "*");
    }
  });

  it("answers a preflight before any check", async () => {
    for (const query of ["EIO=4&transport=polling", "EIO=9&transport=tram&sid=nobody"]) {
      const answer = await http(engine_url(server, query), {
        method: "OPTIONS",
        headers: { origin: "http://example.org", "access-control-request-method": "POST", "access-control-request-headers": "x-one,x-two" },
      });
      assert.equal(answer.status, 204);
      assert.equal(answer.body, "");
      assert.equal(answer.headers["access-control-allow-origin"], "*");
      assert.equal(answer.headers["access-control-allow-headers"], "x-one,x-two");
      assert.match(answer.headers["access-control-allow-methods"], /\bPOST\b/);
    }
  });
});

describe("WebSocket handshake", () => {
  const refused = [
    ["unknown sid", "EIO=4&transport=websocket&sid=nobody", "Session ID unknown"],
    ["unknown transport", "EIO=4&transport=tram", "Transport unknown"],
    ["no transport", "EIO=4", "Transport unknown"],
  ];
  for (const [name, query, text] of refused) {
    it(`${name}: a plain 400 that says so`, async () => {
      const raw = await RawConnection.open(server);
      raw.write(upgrade_request(`/engine.io/?${query}`));
      const head = await raw.response_head();
      assert.equal(head.status, 400);
      await raw.until((bytes) => (bytes.toString().includes(text) ? true : undefined), text);
      raw.close();
    });
  }

  for (const [name, version] of [["version 3", "EIO=3&"], ["no version", ""], ["a version that is none", "EIO=abc&"]]) {
    it(`${name} of the protocol: it ends, before or right after the 101`, async () => {
      const raw = await RawWebSocket.open(server, { path: `/engine.io/?${version}transport=websocket` });
      if (raw.head.status === 101) {
        // No open packet: nobody may take this for a session.
        const next = await raw.next().catch(() => undefined);
        assert.notEqual(next?.opcode, 1);
      } else {
        assert.equal(raw.head.status, 400);
      }
      raw.close();
    });
  }

  it("echoes the first of several subprotocols", async () => {
    const session = await WebSocketSession.open(server, { protocols: ["first", "second"] });
    assert.equal(session.ws.protocol, "first");
    session.close();
  });

  it("does not accept permessage-deflate", async () => {
    const session = await WebSocketSession.open(server, { perMessageDeflate: true });
    assert.equal(session.ws.extensions, "");
    await session.echoes();
    session.close();
  });

  it("computes Sec-WebSocket-Accept as RFC 6455 does", async () => {
    const raw = await RawWebSocket.open(server, { headers: { "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==" } });
    assert.equal(raw.head.status, 101);
    assert.equal(raw.head.headers["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    raw.close();
  });

  const broken = [
    ["no key", { "Sec-WebSocket-Key": undefined }],
    ["a key that is no key", { "Sec-WebSocket-Key": "short" }],
    ["version 12", { "Sec-WebSocket-Version": "12" }],
    ["no version", { "Sec-WebSocket-Version": undefined }],
    ["an upgrade to something else", { Upgrade: "h2c" }],
    ["no upgrade among the connection's options", { Connection: "keep-alive" }],
  ];
  for (const [name, headers] of broken) {
    it(`${name}: refused`, async () => {
      const raw = await RawWebSocket.open(server, { headers });
      assert.ok([400, 426].includes(raw.head.status), `status ${raw.head.status}`);
      raw.close();
    });
  }
});
