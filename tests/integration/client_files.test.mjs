// Socket.IO's scripts for browsers, as `carillon serve` and the reference server offer them.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { gunzipSync, inflateSync } from "node:zlib";
import { http } from "../support/engine_session.mjs";
import { skip_on_reference, start_carillon, temporary_folder } from "../support/servers.mjs";

const dist = new URL("../../node_modules/socket.io-client/dist/", import.meta.url);
const scripts = ["socket.io.js", "socket.io.min.js", "socket.io.esm.min.js", "socket.io.msgpack.min.js"];
const get = (node, name, options) => http(`${node.clients}/socket.io/${name}`, options);

let node;
before(async () => { node = await start_carillon(); });
after(() => node?.stop());

describe("the client's scripts", () => {
  for (const name of [...scripts, ...scripts.map((script) => `${script}.map`)]) {
    it(`${name} is that of the npm package`, async () => {
      const answer = await get(node, name);
      assert.equal(answer.status, 200);
      assert.ok(answer.bytes.equals(readFileSync(new URL(name, dist))));
      const type = name.endsWith(".map") ? "application/json" : "application/javascript";
      assert.equal(answer.headers["content-type"], `${type}; charset=utf-8`);
      assert.equal(answer.headers["cache-control"], "public, max-age=0");
      assert.equal(answer.headers["access-control-allow-origin"], "*");
      assert.match(answer.headers.etag, /^"[\w.]+"$/);
    });
  }

  it("come compressed where the client likes that", async () => {
    const content = readFileSync(new URL("socket.io.js", dist));
    for (const [coding, decode] of [["gzip", gunzipSync], ["deflate", inflateSync]]) {
      const answer = await get(node, "socket.io.js", { headers: { "accept-encoding": coding } });
      assert.equal(answer.headers["content-encoding"], coding);
      assert.ok(answer.bytes.length < content.length / 2);
      assert.ok(decode(answer.bytes).equals(content));
    }
  });

  it("are not sent to those who have them", async () => {
    const { etag } = (await get(node, "socket.io.min.js?v=1")).headers;
    for (const known of [etag, `W/${etag}`]) {
      const answer = await get(node, "socket.io.min.js", { headers: { "if-none-match": known } });
      assert.equal(answer.status, 304);
      assert.equal(answer.body, "");
    }
    assert.equal((await get(node, "socket.io.min.js", { headers: { "if-none-match": `"another"` } })).status, 200);
  });

  it("are all that is served", async () => {
    for (const name of ["socket.io.slim.js", "package.json", "%73ocket.io.js", "socket.io.js/"])
      assert.equal((await get(node, name)).status, 400, name);
  });
});

describe("other sources of the scripts", { skip: skip_on_reference }, () => {
  it("a folder goes before what the program carries", async () => {
    const folder = temporary_folder();
    writeFileSync(join(folder, "socket.io.js"), "// mine");
    const other = await start_carillon(["--set", `clients.client_files_dir="${folder}"`]);
    assert.equal((await get(other, "socket.io.js")).body, "// mine");
    assert.equal((await get(other, "socket.io.min.js")).status, 200);
    await other.stop();
  });

  it("none at all", async () => {
    const other = await start_carillon(["--set", "clients.serve_client=false"]);
    const answer = await get(other, "socket.io.js");
    assert.equal(answer.status, 400);
    assert.equal(JSON.parse(answer.body).code, 0);
    await other.stop();
  });
});
