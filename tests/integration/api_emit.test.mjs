// POST /v1/emit of `carillon serve`: what arrives where, and how each mistake is answered.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { call, emit, refusal } from "../support/api.mjs";
import { Client, all_get_volatile } from "../support/clients.mjs";
import { RawConnection } from "../support/raw.mjs";
import { skip_on_reference, start_carillon } from "../support/servers.mjs";

let node;
const clients = {};
before(async () => {
  node = await start_carillon();
  for (const user of ["anna", "bert", "carl"]) clients[user] = await Client.connect(node.clients, { auth: { userId: user } });
});
after(async () => {
  for (const client of Object.values(clients)) client.close();
  await node?.stop();
});

// What each client has got, by an event to all that comes last.
let flushes = 0;
async function received() {
  const mark = `flush-${++flushes}`;
  await emit(node, { event: mark });
  const got = {};
  for (const [user, client] of Object.entries(clients)) {
    await client.next(mark);
    got[user] = client.queue("e").items.splice(0).map(([first]) => first);
  }
  return got;
}

describe("POST /v1/emit", () => {
  it("without rooms reaches everyone, with all arguments", async () => {
    const args = [1, "zwei € 𝄞", { drei: [null, true] }, 4.5, []];
    await emit(node, { event: "all", args });
    for (const client of Object.values(clients)) assert.deepEqual(await client.next("all"), args);
  });

  it("needs no arguments", async () => {
    await emit(node, { event: "bare" });
    assert.deepEqual(await clients.anna.next("bare"), []);
  });

  it("answers with an empty object", async () => {
    const answer = await call(node, "/v1/emit", { body: { event: "x" } });
    assert.equal(answer.status, 202);
    assert.match(answer.headers["content-type"], /^application\/json/);
    assert.deepEqual(JSON.parse(answer.body), {});
  });

  it("reaches the rooms and leaves out the excepted ones, each receiver once", async () => {
    await emit(node, { rooms: ["user:anna"], event: "e", args: ["one room"] });
    await emit(node, { rooms: ["user:anna", "user:bert", "user:bert", "user:nobody"], event: "e", args: ["rooms"] });
    await emit(node, { except: ["user:bert"], event: "e", args: ["all but bert"] });
    await emit(node, { rooms: ["user:anna", "user:carl"], except: ["user:carl"], event: "e", args: ["both"] });
    await emit(node, { rooms: ["user:nobody"], event: "e", args: ["nobody"] });
    assert.deepEqual(await received(), {
      anna: ["one room", "rooms", "all but bert", "both"], bert: ["rooms"], carl: ["all but bert"],
    });
  });

  it("reaches one socket by its id, which is a room too", async () => {
    await emit(node, { rooms: [clients.carl.socket.id], event: "e", args: ["by id"] });
    assert.deepEqual(await received(), { anna: [], bert: [], carl: ["by id"] });
  });

  it("with volatile reaches those who can take it at once", async () => {
    const send = () => emit(node, { event: "v", args: ["volatile"], volatile: true });
    const all = await all_get_volatile(Object.values(clients), "v", send);
    assert.deepEqual(all, [["volatile"], ["volatile"], ["volatile"]]);
  });

  it("into another namespace is none of theirs", async () => {
    await emit(node, { namespace: "/elsewhere", event: "e", args: ["elsewhere"] });
    assert.deepEqual(await received(), { anna: [], bert: [], carl: [] });
  });

  it("with ack_timeout_ms answers what the clients answer, and how many did not", { skip: skip_on_reference }, async () => {
    clients.anna.socket.once("q", (n, ack) => ack({ from: "anna", n }, "not the first"));
    clients.bert.socket.once("q", (n, ack) => ack(new Uint8Array([1, 2, 3])));
    clients.carl.socket.once("q", () => {});
    const ask = async (body) => {
      const answer = await call(node, "/v1/emit", { body: { event: "q", args: [7], ...body } });
      assert.equal(answer.status, 200, answer.body);
      return JSON.parse(answer.body);
    };
    const { responses, missing } = await ask({ ack_timeout_ms: 300 });
    assert.equal(missing, 1);
    assert.equal(responses.length, 2);
    assert.ok(responses.some((value) => value.from === "anna" && value.n === 7));
    assert.ok(responses.includes("AQID"));
    assert.deepEqual(await ask({ rooms: ["user:nobody"], ack_timeout_ms: 10_000 }), { responses: [], missing: 0 });
  });

  it("with ack_timeout_ms does not wait for a client that goes, nor holds up others", { skip: skip_on_reference }, async () => {
    const dora = await Client.connect(node.clients, { auth: { userId: "dora" } });
    const asked = new Promise((resolve) => dora.socket.once("q", resolve));
    const answer = call(node, "/v1/emit", { body: { rooms: ["user:dora"], event: "q", ack_timeout_ms: 60_000 } });
    await asked;
    await emit(node, { event: "e", args: ["meanwhile"] });
    assert.deepEqual((await received()).anna, ["meanwhile"]);
    dora.close();
    assert.deepEqual(JSON.parse((await answer).body), { responses: [], missing: 1 });
  });

  it("keeps the order of calls", async () => {
    for (let i = 0; i < 200; ++i) await emit(node, { event: "e", args: [i] });
    assert.deepEqual((await received()).anna, Array.from({ length: 200 }, (_, i) => i));
  });

  it("takes a body without a content type, and one with a charset", async () => {
    const body = JSON.stringify({ event: "e" });
    assert.equal((await call(node, "/v1/emit", { body, headers: { "content-type": "application/json; charset=utf-8" } })).status, 202);
    const raw = await RawConnection.open({ host: "127.0.0.1", port: new URL(node.api).port });
    raw.write(`POST /v1/emit HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    assert.equal((await raw.response_head()).status, 202);
    raw.close();
    await received();
  });
});

describe("refusals", { skip: skip_on_reference }, () => {
  const post = (body, options) => refusal(call(node, "/v1/emit", { body, ...options }));

  const bodies = [
    ["no JSON", "{"], ["an empty body", ""], ["no object", []], ["null", "null"], ["text behind the object", '{"event":"e"} x'],
    ["no event", {}], ["an event that is no text", { event: 1 }], ["an empty event", { event: "" }],
    ["an event of 129 bytes", { event: "x".repeat(129) }], ["a reserved event", { event: "disconnect" }],
    ["args that are no array", { event: "e", args: {} }], ["rooms that are no array", { event: "e", rooms: "user:anna" }],
    ["a room that is no text", { event: "e", rooms: [1] }], ["no room at all", { event: "e", rooms: [] }],
    ["except that is no array", { event: "e", except: "x" }], ["volatile that is no boolean", { event: "e", volatile: 1 }],
    ["a namespace that is no text", { event: "e", namespace: 1 }], ["an unknown field", { event: "e", romos: ["x"] }],
    ["10,001 rooms", { event: "e", rooms: Array.from({ length: 10_001 }, (_, i) => `r${i}`) }],
    ["invalid UTF-8", Buffer.concat([Buffer.from('{"event":"e'), Buffer.of(0xff), Buffer.from('"}')])],
    ["JSON 10,000 levels deep", `{"event":"e","args":${"[".repeat(10_000)}${"]".repeat(10_000)}}`],
  ];
  for (const [name, body] of bodies) {
    it(`${name}: 400`, async () => {
      assert.equal((await post(body)).status, 400);
    });
  }

  it("names the field that is wrong", async () => {
    assert.match((await post({ event: "e", romos: [] })).message, /romos/);
    assert.match((await post({ event: "e", args: 7 })).message, /args/);
  });

  it("another content type: 415", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"]) {
      assert.equal((await post('{"event":"e"}', { headers: { "content-type": type } })).status, 415, type);
    }
  });

  it("another method: 405", async () => {
    for (const method of ["GET", "PUT", "DELETE"]) {
      const answer = await call(node, "/v1/emit", { method });
      assert.equal((await refusal(answer)).status, 405, method);
      assert.match(answer.headers.allow ?? "", /POST/);
    }
  });

  it("an unknown path: 404", async () => {
    for (const path of ["/v1/emits", "/v1", "/v1/emit/", "/nowhere", "/../etc/passwd"]) {
      assert.equal((await refusal(call(node, path, { method: "GET" }))).status, 404, path);
    }
  });

  it("more than 1 MiB, said or sent: 413", async () => {
    // A connection of its own: the server may end it without having read all.
    const large = JSON.stringify({ event: "e", args: ["x".repeat(1_100_000)] });
    for (const headers of [{}, { "transfer-encoding": "chunked", "content-length": undefined }]) {
      const answer = call(node, "/v1/emit", { body: large, headers, agent: false }).catch((error) => error);
      const outcome = await answer;
      if (outcome instanceof Error) assert.match(outcome.code, /EPIPE|ECONNRESET/);
      else assert.equal((await refusal(outcome)).status, 413);
    }
    const raw = await RawConnection.open({ host: "127.0.0.1", port: new URL(node.api).port });
    raw.write("POST /v1/emit HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n{");
    assert.equal((await raw.response_head()).status, 413);
    raw.close();
  });

  it("errors of the HTTP parser are JSON too", async () => {
    for (const [bytes, status] of [["nonsense\r\n\r\n", 400], [`GET / HTTP/1.1\r\nLong: ${"x".repeat(1 << 20)}\r\n\r\n`, 431]]) {
      const raw = await RawConnection.open({ host: "127.0.0.1", port: new URL(node.api).port });
      raw.write(bytes);
      const head = await raw.response_head();
      assert.equal(head.status, status);
      assert.match(head.headers["content-type"], /^application\/json/);
      raw.close();
    }
  });

  it("nothing of all that was delivered, and the next call is", async () => {
    assert.deepEqual(await received(), { anna: [], bert: [], carl: [] });
  });
});

describe("api.keys", { skip: skip_on_reference }, () => {
  let guarded;
  before(async () => { guarded = await start_carillon(["--set", 'api.keys=["first-key","second-key"]']); });
  after(() => guarded?.stop());

  const with_header = (authorization) => call(guarded, "/v1/emit", { body: { event: "e" }, headers: authorization ? { authorization } : {} });

  it("any of them opens the API", async () => {
    for (const key of ["first-key", "second-key"]) assert.equal((await with_header(`Bearer ${key}`)).status, 202);
    assert.equal((await with_header("bearer first-key")).status, 202);
  });

  for (const wrong of [undefined, "Bearer", "Bearer ", "Bearer first", "Bearer first-key2", "Basic first-key", "first-key"]) {
    it(`${wrong ?? "no header"}: 401`, async () => {
      const answer = await with_header(wrong);
      assert.equal((await refusal(answer)).status, 401);
      assert.match(answer.headers["www-authenticate"] ?? "", /Bearer/);
    });
  }

  it("guard metrics and unknown paths, but not health and the page", async () => {
    const open = { "/healthz": 200, "/readyz": 200, "/": 200, "/metrics": 401, "/v1/nowhere": 401 };
    for (const [path, status] of Object.entries(open)) {
      const answer = await call(guarded, path, { method: "GET" });
      assert.ok(answer.status === status || (path === "/v1/nowhere" && answer.status === 404), `${path}: ${answer.status}`);
    }
  });

  it("without keys, a page of another site is refused: 403", async () => {
    const from = (origin) => call(node, "/v1/emit", { body: { event: "e" }, headers: { origin } });
    assert.equal((await refusal(from("http://evil.example"))).status, 403);
    assert.equal((await from("http://127.0.0.1:3001")).status, 202);
    await received();
  });
});
