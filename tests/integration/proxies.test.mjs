// Real proxies in front: HAProxy with the PROXY protocol and with X-Forwarded-For, nginx by a Unix socket. They connect
// from 127.0.0.2, the clients from 127.0.0.1 or 127.0.0.7: so only the proxy is trusted, as on a real network.
import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { Agent } from "node:http";
import { Agent as TlsAgent } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Certificate } from "../support/certificate.mjs";
import { Client, modes } from "../support/clients.mjs";
import { free_ports } from "../support/ports.mjs";
import { Program } from "../support/program.mjs";
import { is_reference, skip_on_reference, start_origin, temporary_folder } from "../support/servers.mjs";
import { eventually } from "../support/wait.mjs";

const haproxy = "/usr/sbin/haproxy";
const nginx = "/usr/sbin/nginx";
const skip_without = (program) => skip_on_reference || (existsSync(program) ? false : `${program} is not installed`);
const certificate = is_reference ? undefined : new Certificate();

// What the server knows of a client that has asked by `url`, and asks again while it is there.
async function origin_of(url, { mode = "websocket", from, ...options } = {}) {
  const agent = from && new (url.startsWith("https") ? TlsAgent : Agent)({ localAddress: from, keepAlive: true });
  const client = await Client.connect(url, { mode, agent, ca: certificate.ca, ...options });
  const [origin] = await client.next("origin");
  await client.upgraded();
  assert.deepEqual(await client.ask("echo", "hello", Buffer.from("bytes")), ["hello", Buffer.from("bytes")]);
  client.close();
  return origin;
}

const is_listening = (port) => new Promise((resolve) => {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => resolve(false));
  socket.on("connect", () => { socket.destroy(); resolve(true); });
});

describe("HAProxy", { skip: skip_without(haproxy) }, () => {
  let server, program, ports;
  before(async () => {
    const [v1, v2, through, ended, http, plain, tls, unproxied] = await free_ports(8);
    ports = { v1, v2, through, ended, http, plain };
    server = await start_origin([`127.0.0.1:${plain}?proxy_protocol=true`, `https://127.0.0.1:${tls}?proxy_protocol=true`, `127.0.0.1:${unproxied}`],
      [...certificate.flags, "--trusted-proxy", "127.0.0.2"]);
    const folder = temporary_folder();
    writeFileSync(join(folder, "both.pem"), Buffer.concat([certificate.ca, readFileSync(certificate.key)]));
    const listen = (name, port, { bind = "", target, options = "", mode = "tcp", more = "" }) => `
listen ${name}
  mode ${mode}
  bind 127.0.0.1:${port} ${bind}
  ${more}
  server carillon 127.0.0.1:${target} source 127.0.0.2 ${options}
`;
    const file = join(folder, "haproxy.cfg");
    writeFileSync(file, `
defaults
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 60s
`
      + listen("v1", v1, { target: plain, options: "send-proxy" })
      + listen("v2", v2, { target: plain, options: "send-proxy-v2 proxy-v2-options unique-id,crc32c check inter 100ms" })
      + listen("through", through, { target: tls, options: "send-proxy-v2" })
      + listen("ended", ended, { target: plain, bind: `ssl crt ${join(folder, "both.pem")}`, options: "send-proxy-v2-ssl" })
      + listen("http", http, { target: unproxied, mode: "http", bind: `ssl crt ${join(folder, "both.pem")} alpn http/1.1`,
        more: "option forwardfor\n  http-request set-header X-Forwarded-Proto https" }));
    program = new Program(haproxy, ["-f", file, "-db", "-q"]);
    for (const port of [v1, http]) await eventually("HAProxy listens", () => is_listening(port));
  });
  after(async () => {
    await program?.stop();
    await server?.stop();
  });

  for (const mode of Object.keys(modes)) {
    it(`send-proxy, send-proxy-v2 and health checks, over ${mode}`, async () => {
      for (const port of [ports.v1, ports.v2]) {
        assert.deepEqual(await origin_of(`http://127.0.0.1:${port}`, { mode }), { address: "127.0.0.1", secure: false });
        assert.deepEqual(await origin_of(`http://127.0.0.1:${port}`, { mode, from: "127.0.0.7" }), { address: "127.0.0.7", secure: false });
      }
    });

    it(`passes TLS on, over ${mode}`, async () => {
      const url = `https://127.0.0.1:${ports.through}`;
      assert.deepEqual(await origin_of(url, { mode }), { address: "127.0.0.1", secure: true });
    });

    it(`ends TLS, and says so in its header, over ${mode}`, async () => {
      const url = `https://127.0.0.1:${ports.ended}`;
      assert.deepEqual(await origin_of(url, { mode }), { address: "127.0.0.1", secure: true });
    });

    it(`names the client in X-Forwarded-For, behind what the client has made up, over ${mode}`, async () => {
      const extraHeaders = { "X-Forwarded-For": "203.0.113.6, 127.0.0.2", "X-Forwarded-Proto": "http", Forwarded: "for=203.0.113.6" };
      for (const headers of [undefined, extraHeaders]) {
        const origin = await origin_of(`https://127.0.0.1:${ports.http}`, { mode, extraHeaders: headers });
        assert.deepEqual(origin, { address: "127.0.0.1", secure: true });
      }
    });
  }

  it("cannot be left out", async () => {
    await assert.rejects(origin_of(`http://127.0.0.1:${ports.plain}`));
    await server.program.output(/127\.0\.0\.1 was closed.*no trusted proxy/, { name: "stderr" });
  });
});

describe("nginx", { skip: skip_without(nginx) }, () => {
  let server, program, port;
  before(async () => {
    [port] = await free_ports(1);
    const folder = temporary_folder();
    chmodSync(folder, 0o755); // nginx's workers are somebody else
    server = await start_origin([`unix:${folder}/socket?mode=666`], ["--trusted-proxy", "unix"]);
    const file = join(folder, "nginx.conf");
    writeFileSync(file, `
daemon off;
pid ${folder}/pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  upstream carillon { server unix:${folder}/socket; keepalive 4; }
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${certificate.cert};
    ssl_certificate_key ${certificate.key};
    location / {
      proxy_pass http://carillon;
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_buffering off;
    }
  }
}
`);
    program = new Program(nginx, ["-c", file, "-p", folder, "-e", "stderr"]);
    await eventually("nginx listens", () => is_listening(port));
  });
  after(async () => {
    await program?.stop();
    await server?.stop();
  });

  for (const mode of Object.keys(modes)) {
    it(`ends TLS and names the client, over ${mode}`, async () => {
      const url = `https://127.0.0.1:${port}`;
      for (const extraHeaders of [undefined, { "X-Forwarded-For": "203.0.113.6", "X-Forwarded-Proto": "ftp" }]) {
        assert.deepEqual(await origin_of(url, { mode, extraHeaders }), { address: "127.0.0.1", secure: true });
        assert.deepEqual(await origin_of(url, { mode, extraHeaders, from: "127.0.0.7" }), { address: "127.0.0.7", secure: true });
      }
    });
  }
});
