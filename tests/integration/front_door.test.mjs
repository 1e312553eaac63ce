// What a server says at its door: who may connect, cookies, headers, CORS, paths, compressed polls.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { gunzipSync, inflateSync } from "node:zlib";
import WebSocket from "ws";
import { Client } from "../support/clients.mjs";
import { http } from "../support/engine_session.mjs";
import { RawConnection, upgrade_request } from "../support/raw.mjs";
import { skip_on_reference, start_example } from "../support/servers.mjs";
import { once } from "../support/wait.mjs";

const path = "/live/";
let server;
const clients = [];
before(async () => { server = await start_example("front-door"); });
afterEach(() => { for (const client of clients.splice(0)) client.close(); });
after(() => server?.stop());

const polling = (query = "", options) => http(`${server.url}${path}?EIO=4&transport=polling${query}`, options);
async function connect(options) {
  const client = await Client.connect(server.url, { path, ...options });
  clients.push(client);
  return client;
}

// The head of the answer to a WebSocket handshake, and its first bytes as text.
async function upgrade(query = "", headers = {}, at = path) {
  const raw = await RawConnection.open(server);
  raw.write(upgrade_request(`${at}?EIO=4&transport=websocket${query}`, headers));
  const head = await raw.response_head();
  const text = head.status === 101 ? "" : await raw.until(() => raw.received.length ? raw.received.toString() : undefined, "the answer");
  raw.close();
  return { ...head, text };
}

describe("allow_request", () => {
  it("lets in", async () => {
    for (const mode of ["polling", "websocket", "upgrade"]) {
      for (const ticket of ["yes", "later"]) {
        const client = await connect({ mode, query: { ticket } });
        await client.upgraded();
      }
    }
  });

  const refusals = [["no", "Forbidden"], ["why", "the show is sold out"]];
  for (const [ticket, message] of refusals) {
    it(`refuses with code 4: ${message}`, async () => {
      const answer = await polling(`&ticket=${ticket}`, { headers: { origin: "https://app.example" } });
      assert.equal(answer.status, 403);
      assert.match(answer.headers["content-type"], /^application\/json/);
      assert.equal(answer.headers["access-control-allow-origin"], "https://app.example");
      assert.deepEqual(JSON.parse(answer.body), { code: 4, message });
    });

    it(`refuses a WebSocket with a plain 400: ${message}`, async () => {
      const answer = await upgrade(`&ticket=${ticket}`);
      assert.equal(answer.status, 400);
      assert.equal(answer.text, message);
    });
  }

  it("tells the official client", async () => {
    for (const mode of ["polling", "websocket"]) {
      const client = new Client(server.url, { path, mode, query: { ticket: "no" } });
      clients.push(client);
      const error = await client.connected.then(() => undefined, (reason) => reason);
      assert.match(error.message, mode === "polling" ? /xhr poll error/ : /websocket error/);
      if (mode === "polling") assert.equal(error.context.status, 403);
    }
  });

  it("is asked for handshakes only", async () => {
    const handshake = JSON.parse((await polling()).body.slice(1));
    const answer = await polling(`&ticket=no&sid=${handshake.sid}`, { method: "POST", body: "40" });
    assert.equal(answer.body, "ok");
  });

  it("costs only the client when it never answers", { skip: skip_on_reference }, async () => {
    const [answer, refused] = await Promise.all([polling("&ticket=never"), upgrade("&ticket=never"), connect()]);
    assert.equal(answer.status, 403);
    assert.equal(refused.status, 400);
  });
});

describe("cookie and headers", () => {
  it("the cookie holds the session's id and comes with the first answer over polling", async () => {
    const answer = await polling();
    const { sid } = JSON.parse(answer.body.slice(1));
    assert.deepEqual(answer.headers["set-cookie"], [`sticky=${sid}; Path=/; HttpOnly; SameSite=Lax`]);
    const posted = await polling(`&sid=${sid}`, { method: "POST", body: "40" });
    assert.equal(posted.headers["set-cookie"], undefined);
    assert.equal((await upgrade()).headers["set-cookie"], undefined);
  });

  it("the application's headers are on every answer, its first ones on the first", async () => {
    const answer = await polling();
    assert.equal(answer.headers["x-welcome"], "hello");
    assert.equal(answer.headers["x-served-by"], "front-door");
    const { sid } = JSON.parse(answer.body.slice(1));
    for (const next of [await polling(`&sid=${sid}`, { method: "POST", body: "40" }), await polling(`&sid=${sid}`)]) {
      assert.equal(next.headers["x-served-by"], "front-door");
      assert.equal(next.headers["x-welcome"], undefined);
    }
    const websocket = await upgrade();
    assert.equal(websocket.headers["x-welcome"], "hello");
    assert.equal(websocket.headers["x-served-by"], "front-door");
    const second = await upgrade(`&sid=${sid}`);
    assert.equal(second.headers["x-served-by"], "front-door");
    assert.equal(second.headers["x-welcome"], undefined);
  });
});

describe("CORS", () => {
  it("names the origin that asked, if it is allowed", async () => {
    for (const origin of ["https://app.example", "https://admin.example"]) {
      const answer = await polling("", { headers: { origin } });
      assert.equal(answer.headers["access-control-allow-origin"], origin);
      assert.equal(answer.headers["access-control-allow-credentials"], "true");
      assert.equal(answer.headers["access-control-expose-headers"], "x-served-by");
      assert.match(answer.headers.vary, /\bOrigin\b/);
    }
    const answer = await polling("", { headers: { origin: "https://evil.example" } });
    assert.equal(answer.headers["access-control-allow-origin"], undefined);
    assert.match(answer.headers.vary, /\bOrigin\b/);
  });

  it("answers a preflight with all that is allowed", async () => {
    const answer = await polling("", {
      method: "OPTIONS",
      headers: { origin: "https://app.example", "access-control-request-method": "POST", "access-control-request-headers": "x-other" },
    });
    assert.equal(answer.status, 204);
    assert.equal(answer.headers["access-control-allow-origin"], "https://app.example");
    assert.equal(answer.headers["access-control-allow-credentials"], "true");
    assert.equal(answer.headers["access-control-allow-methods"], "GET,POST");
    assert.equal(answer.headers["access-control-allow-headers"], "x-request-id");
    assert.equal(answer.headers["access-control-max-age"], "600");
  });

  it("is on the answer to a WebSocket handshake, too", async () => {
    const answer = await upgrade("", { Origin: "https://app.example" });
    assert.equal(answer.status, 101);
    assert.equal(answer.headers["access-control-allow-origin"], "https://app.example");
    assert.equal(answer.headers["access-control-allow-credentials"], "true");
  });
});

describe("path", () => {
  // The reference server leaves other paths to the application, and there is none.
  it("is not the default one", { skip: skip_on_reference }, async () => {
    assert.equal((await http(`${server.url}/socket.io/?EIO=4&transport=polling`)).status, 404);
  });

  it("elsewhere a WebSocket gets nowhere", async () => {
    const ws = new WebSocket(`${server.url.replace("http", "ws")}/elsewhere/?EIO=4&transport=websocket`);
    await once(ws, "error");
  });

  // The reference server takes one form only, as its option addTrailingSlash says.
  it("may come without the slash at its end", { skip: skip_on_reference }, async () => {
    for (const mode of ["polling", "websocket", "upgrade"]) {
      const client = await connect({ mode, path: "/live", addTrailingSlash: false });
      client.emit("message", "hi");
      assert.deepEqual(await client.next("message-back"), ["hi"]);
    }
  });
});

describe("compressed polls", () => {
  const long = "x".repeat(3000);
  const decoders = { gzip: gunzipSync, deflate: inflateSync };

  // The answer to a poll behind which `event` waits.
  async function poll(headers, event = `42["message","${long}"]`) {
    const { sid } = JSON.parse((await polling()).body.slice(1));
    await polling(`&sid=${sid}`, { method: "POST", body: "40" });
    await polling(`&sid=${sid}`);
    await polling(`&sid=${sid}`, { method: "POST", body: event });
    return polling(`&sid=${sid}`, { headers });
  }

  const choices = [
    ["gzip, deflate, br", "gzip"], ["deflate", "deflate"], ["deflate, gzip", "deflate"], ["gzip;q=0.2, deflate;q=0.9", "deflate"],
    ["*", "gzip"], ["gzip;q=0, *", "deflate"], ["br", undefined], ["gzip;q=0", undefined], ["identity", undefined], [undefined, undefined],
  ];
  for (const [accept, coding] of choices) {
    it(`Accept-Encoding ${accept}: ${coding ?? "as it is"}`, async () => {
      const answer = await poll(accept === undefined ? {} : { "accept-encoding": accept });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers["content-encoding"], coding);
      const body = coding ? decoders[coding](answer.bytes).toString() : answer.body;
      assert.equal(body, `42["message-back","${long}"]`);
      assert.equal(answer.bytes.length < 200, coding !== undefined);
    });
  }

  it("leaves short payloads as they are", async () => {
    const answer = await poll({ "accept-encoding": "gzip" }, `42["message","short"]`);
    assert.equal(answer.headers["content-encoding"], undefined);
    assert.equal(answer.body, `42["message-back","short"]`);
  });

  it("respects the flag of a broadcast", async () => {
    const answer = await poll({ "accept-encoding": "gzip" }, `42["pub-plain","${long}"]`);
    assert.equal(answer.headers["content-encoding"], undefined);
    assert.equal((await poll({ "accept-encoding": "gzip" }, `42["pub","${long}"]`)).headers["content-encoding"], "gzip");
  });

  it("is understood by the official client", async () => {
    const client = await connect({ mode: "polling" });
    const sent = [long, { nested: [long, 1, null] }, Buffer.from(long)];
    client.emit("message", ...sent);
    const [text, object, binary] = await client.next("message-back");
    assert.deepEqual([text, object, Buffer.from(binary)], sent);
  });
});
