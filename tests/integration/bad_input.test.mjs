// What no client means to send, below Engine.IO: the caller gets an error or an end, everyone else is served, nothing leaks.
// The malformed packets, payloads and frames of each protocol are in the engine_* and socketio_* files.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { after, afterEach, before, describe, it } from "node:test";
import { Witness } from "../support/clients.mjs";
import { http } from "../support/engine_session.mjs";
import { RawConnection, RawWebSocket, frame, opcodes, upgrade_request } from "../support/raw.mjs";
import { skip_on_reference, start_example } from "../support/servers.mjs";
import { eventually } from "../support/wait.mjs";

let server;
let witness;
before(async () => {
  server = await start_example("protocol");
  witness = await Witness.of(server.url);
});
afterEach(() => witness.is_served());
after(async () => {
  witness?.close();
  await server?.stop();
});

// The status of the answer, or "ended" if the connection ended without one.
async function outcome_of(bytes) {
  const raw = await RawConnection.open(server);
  raw.write(bytes);
  const answered = raw.response_head().then(({ status }) => status);
  answered.catch(() => {});
  const outcome = await Promise.race([answered, raw.until_ended().then(() => "ended")]);
  raw.close();
  return outcome;
}

const path = "/socket.io/?EIO=4&transport=polling";

describe("malformed HTTP", () => {
  const cases = [
    ["bytes that are no HTTP", Buffer.from([0, 1, 2, 3, 13, 10, 13, 10])],
    ["the start of a TLS connection", Buffer.from("160301020001000001fc0303", "hex")],
    ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["an unknown version", `GET ${path} HTTP/9.9\r\nHost: x\r\n\r\n`],
    // The reference on Node.js 18 takes it.
    ["a space in a header's name", `GET ${path} HTTP/1.1\r\nHost: x\r\nBad Name: y\r\n\r\n`, skip_on_reference],
    ["a NUL in a header's value", `GET ${path} HTTP/1.1\r\nHost: x\r\nName: a\0b\r\n\r\n`],
    ["a header line without a colon", `GET ${path} HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n`],
    ["a negative length", `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n`],
    ["a length that is no number", `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n`],
    ["a length beyond 64 bits", `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n`],
    ["two lengths that differ", `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab`],
    ["headers of 1 MiB", `GET ${path} HTTP/1.1\r\nHost: x\r\nLong: ${"x".repeat(1 << 20)}\r\n\r\n`],
    ["a request line of 1 MiB", `GET ${path}&${"x".repeat(1 << 20)} HTTP/1.1\r\nHost: x\r\n\r\n`],
  ];
  for (const [name, bytes, skip = false] of cases) {
    it(`${name}: an error of the client's, or the end of the connection`, { skip }, async () => {
      const outcome = await outcome_of(bytes);
      assert.ok(outcome === "ended" || (outcome >= 400 && outcome < 500) || outcome === 505, `status ${outcome}`);
    });
  }

  it("two hosts are refused", { skip: skip_on_reference }, async () => {
    for (const second of ["x", "y"]) assert.equal(await outcome_of(`GET ${path} HTTP/1.1\r\nHost: x\r\nhost: ${second}\r\n\r\n`), 400);
  });

  it("ten thousand headers are refused", { skip: skip_on_reference }, async () => {
    const headers = Array.from({ length: 10_000 }, (_, i) => `h${i}: x\r\n`).join("");
    const outcome = await outcome_of(`GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`);
    assert.ok(outcome === "ended" || [400, 431].includes(outcome), `status ${outcome}`);
  });

  it("a length beside chunks never makes two requests of one", { skip: skip_on_reference }, async () => {
    const outcome = await outcome_of(
      `POST ${path}&sid=x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n`,
    );
    assert.ok(outcome === "ended" || outcome === 400, `status ${outcome}`);
  });

  // A reference server without an application lets such a request hang.
  it("another path is refused", { skip: skip_on_reference }, async () => {
    for (const other of ["/", "/engine.io/?EIO=4&transport=polling", "/socket.io/../etc/passwd", "/%00"]) {
      const { status } = await http(`${server.url}${other}`);
      assert.ok(status === 404 || status === 400, `${other}: ${status}`);
    }
  });
});

describe("connections that come to nothing", () => {
  // Each leaves its connection to the server; at the end the server holds as many files as before.
  const ways = {
    "without a byte": async () => (await RawConnection.open(server)).close(),
    "in the middle of a request line": async () => {
      const raw = await RawConnection.open(server);
      raw.write("GET /soc");
      raw.close();
    },
    "in the middle of an upgrade": async () => {
      const raw = await RawConnection.open(server);
      raw.write(upgrade_request("/socket.io/?EIO=4&transport=websocket").slice(0, -10));
      raw.socket.resetAndDestroy();
    },
    "in the middle of a frame": async () => {
      const raw = await RawWebSocket.open(server, { path: "/socket.io/?EIO=4&transport=websocket" });
      raw.send(frame(opcodes.text, "40"), frame(opcodes.text, "42", { length: 500_000 }));
      raw.connection.socket.resetAndDestroy();
    },
    "with attachments missing": async () => {
      const raw = await RawWebSocket.open(server, { path: "/socket.io/?EIO=4&transport=websocket" });
      raw.send(frame(opcodes.text, "40"), frame(opcodes.text, '452-["message",{"_placeholder":true,"num":0}]'), frame(opcodes.binary, "one"));
      raw.close();
    },
    "polling sessions that nobody polls": () => http(`${server.url}${path}`, { agent: false }),
  };
  const open_files = () => readdirSync(`/proc/${server.program.pid}/fd`).length;

  for (const [name, leave] of Object.entries(ways)) {
    it(`${name}, 100 times: nothing stays behind`, async () => {
      await witness.is_served();
      const files_before = open_files();
      for (let i = 0; i < 10; ++i) await Promise.all(Array.from({ length: 10 }, leave));
      await eventually(() => `${files_before} open files, not ${open_files()}`, () => open_files() <= files_before);
    });
  }
});

describe("little that could become much", () => {
  const resident_kb = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.program.pid}/status`, "utf8"))[1]);

  it("one attachment named by thousands of placeholders ends the connection", { skip: skip_on_reference }, async () => {
    const raw = await RawWebSocket.open(server, { path: "/socket.io/?EIO=4&transport=websocket" });
    const before_kb = resident_kb();
    const uses = Array.from({ length: 5000 }, () => '{"_placeholder":true,"num":0}').join(",");
    raw.send(frame(opcodes.text, "40"), frame(opcodes.text, `451-["message",${uses}]`), frame(opcodes.binary, Buffer.alloc(900_000)));
    await raw.connection.until_ended();
    assert.ok(resident_kb() - before_kb < 100_000, `${resident_kb() - before_kb} kB more`);
  });

  it("pipelined requests whose answers nobody reads do not pile up", { skip: skip_on_reference }, async () => {
    const raw = await RawConnection.open(server);
    const before_kb = resident_kb();
    raw.socket.pause();
    for (let i = 0; i < 20; ++i) raw.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(500));
    await witness.is_served();
    assert.ok(resident_kb() - before_kb < 100_000, `${resident_kb() - before_kb} kB more`);
    raw.socket.destroy();
  });
});
