// Where clients connect: TLS and its certificates, several listeners, IPv6, Unix sockets, the PROXY protocol by raw bytes.
import assert from "node:assert/strict";
import { lookup } from "node:dns/promises";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { get as https_get } from "node:https";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { connect as tls_connect } from "node:tls";
import { Certificate } from "../support/certificate.mjs";
import { Client, modes } from "../support/clients.mjs";
import { free_ports } from "../support/ports.mjs";
import { RawConnection } from "../support/raw.mjs";
import { run_carillon, skip_on_reference, start_carillon, start_command, start_origin, temporary_folder } from "../support/servers.mjs";
import { deadline, eventually, once, patience_ms } from "../support/wait.mjs";

const has_ipv6 = Object.values(networkInterfaces()).flat().some(({ address }) => address === "::1");

async function origin_of(url, options) {
  const client = await Client.connect(url, options);
  const [origin] = await client.next("origin");
  assert.deepEqual(await client.ask("echo", "hello", Buffer.from("bytes")), ["hello", Buffer.from("bytes")]);
  client.close();
  return origin;
}

const port_of = (address) => Number(address.slice(address.lastIndexOf(":") + 1));

// The TLS of one connection: { version, alpn, organization, session, socket }.
async function tls_to(port, options = {}) {
  const socket = tls_connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
  socket.on("error", () => {});
  await Promise.race([once(socket, "secureConnect"), once(socket, "close").then(() => { throw new Error("refused"); })]);
  return {
    socket, version: socket.getProtocol(), alpn: socket.alpnProtocol,
    organization: socket.getPeerCertificate().subject?.O, resumed: socket.isSessionReused(),
  };
}

async function metric(node, name, ca) {
  const text = await new Promise((resolve, reject) => {
    const url = new URL("/metrics", node.api.replace("http:", ca ? "https:" : "http:"));
    const get = ca ? https_get : (...args) => request(...args).end();
    get(url, { ca, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (part) => { body += part; }).on("end", () => resolve(body));
    }).on("error", reject);
  });
  const line = text.split("\n").find((each) => each.startsWith(`${name} `));
  assert.ok(line, `${name} in\n${text}`);
  return Number(line.slice(name.length));
}

describe("TLS", { skip: skip_on_reference }, () => {
  const certificate = skip_on_reference ? undefined : new Certificate();
  let server, port, witness;
  before(async () => {
    server = await start_origin(["https://127.0.0.1:0"], certificate.flags);
    port = port_of(server.address);
    witness = await Client.connect(`https://127.0.0.1:${port}`, { ca: certificate.ca });
  });
  after(async () => {
    witness?.close();
    await server?.stop();
  });
  const unharmed = async () => assert.deepEqual(await witness.ask("echo", 1), [1]);

  for (const mode of Object.keys(modes)) {
    it(`serves the official client over ${mode}`, async () => {
      const client = await Client.connect(`https://127.0.0.1:${port}`, { mode, ca: certificate.ca });
      assert.deepEqual(await client.next("origin"), [{ address: "127.0.0.1", secure: true }]);
      await client.upgraded();
      const large = "x".repeat(500_000);
      assert.deepEqual(await client.ask("echo", large, Buffer.alloc(100_000, 7)), [large, Buffer.alloc(100_000, 7)]);
      client.close();
    });
  }

  it("speaks 1.2 and 1.3, HTTP/1.1, and resumes sessions", async () => {
    for (const version of ["TLSv1.2", "TLSv1.3"]) {
      const first = await tls_to(port, { minVersion: version, maxVersion: version, ALPNProtocols: ["h2", "http/1.1"] });
      assert.deepEqual([first.version, first.alpn, first.resumed], [version, "http/1.1", false]);
      const session = version === "TLSv1.3" ? (await once(first.socket, "session"))[0] : first.socket.getSession();
      first.socket.destroy();
      const second = await tls_to(port, { minVersion: version, maxVersion: version, session });
      assert.equal(second.resumed, true, version);
      second.socket.destroy();
    }
    await assert.rejects(tls_to(port, { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }));
    await assert.rejects(tls_to(port, { ALPNProtocols: ["h2"] }));
    await assert.rejects(tls_to(port, { maxVersion: "TLSv1.2", ciphers: "AES128-SHA" }));
  });

  it("answers plain HTTP with 400, and closes", async () => {
    const raw = await RawConnection.open({ host: "127.0.0.1", port });
    raw.write("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.equal((await raw.response_head()).status, 400);
    assert.equal(await raw.until_ended(), "end");
    raw.close();
    await unharmed();
  });

  it("loses nothing but their connections to half handshakes and rubbish", async () => {
    const raws = [];
    for (const bytes of [Buffer.alloc(5), Buffer.from("160301020001", "hex"), Buffer.alloc(20_000, 0xff), Buffer.from("\r\n\r\n")]) {
      for (let i = 0; i < 20; ++i) {
        const raw = await RawConnection.open({ host: "127.0.0.1", port });
        raw.write(bytes);
        raws.push(raw);
      }
    }
    await unharmed();
    for (const raw of raws) raw.close();
    await unharmed();
  });

  it("asks for a client's certificate if it is told to", async () => {
    const known = new Certificate("client");
    const strict = await start_carillon(["--listen", "https://127.0.0.1:0", "--api-listen", "127.0.0.1:0", ...certificate.settings,
      "--set", `tls.client_ca_file="${known.cert}"`], { listen: false });
    const url = strict.clients.replace("http:", "https:");
    const client = await Client.connect(url, { ca: certificate.ca, cert: known.ca, key: readFileSync(known.key) });
    client.close();
    await assert.rejects(Client.connect(url, { ca: certificate.ca }));
    await strict.stop();
  });

  it("lets sessions move between shards", async () => {
    const node = await start_carillon(["--listen", "https://127.0.0.1:0", "--api-listen", "https://127.0.0.1:0", "--shards", "4",
      ...certificate.settings], { listen: false });
    const url = node.clients.replace("http:", "https:");
    const clients = await Promise.all(Array.from({ length: 20 }, (_, i) =>
      Client.connect(url, { mode: "upgrade", ca: certificate.ca, auth: { userId: `u${i}` }, agent: false })));
    await Promise.all(clients.map((client) => client.upgraded()));
    assert.ok(await metric(node, "carillon_connections_moved_total", certificate.ca) > 0);
    assert.ok(await metric(node, "carillon_tls_handshakes_total", certificate.ca) > 20);
    for (const client of clients) assert.ok(client.socket.connected);
    for (const client of clients) client.close();
    await node.stop();
  });
});

describe("SIGHUP", { skip: skip_on_reference }, () => {
  it("brings a new certificate to new connections, and drops nobody; one that cannot be used changes nothing", async () => {
    const certificate = new Certificate("first");
    const { ca } = certificate;
    const node = await start_carillon(["--listen", "https://127.0.0.1:0", "--api-listen", "127.0.0.1:0", ...certificate.settings], { listen: false });
    const url = node.clients.replace("http:", "https:");
    const port = port_of(url);
    const reload = async (said) => {
      const before_it = node.program.stderr.length;
      node.program.child.kill("SIGHUP");
      await eventually(`the log says ${said}`, () => said.test(node.program.stderr.slice(before_it)));
    };
    const organization = async () => {
      const { socket, organization: name } = await tls_to(port);
      socket.destroy();
      return name;
    };
    const clients = [];
    for (const mode of Object.keys(modes)) clients.push(await Client.connect(url, { mode, ca, auth: { userId: mode } }));
    assert.equal(await organization(), "first");

    certificate.make("second");
    assert.equal(await organization(), "first");
    await reload(/read again/);
    assert.equal(await organization(), "second");

    writeFileSync(certificate.cert, "nonsense");
    await reload(/tls\.certificate_file .* stay in use/);
    assert.equal(await organization(), "second");
    assert.equal(await metric(node, 'carillon_tls_reloads_total{result="ok"}'), 1);
    assert.equal(await metric(node, 'carillon_tls_reloads_total{result="failed"}'), 1);
    assert.ok(await metric(node, "carillon_tls_certificate_expiry_seconds") > Date.now() / 1000);

    for (const client of clients.slice(1)) {  // the polling one makes new connections, which its old CA does not cover
      assert.ok(client.socket.connected);
      client.close();
    }
    clients[0].close();
    await node.stop();
  });

  it("does nothing without TLS", async () => {
    const node = await start_carillon();
    const client = await Client.connect(node.clients);
    node.program.child.kill("SIGHUP");
    await eventually("the log says so", () => /nothing to reload/.test(node.program.stderr));
    assert.ok(client.socket.connected);
    client.close();
    assert.equal((await node.stop()).code, 0);
  });
});

describe("listeners", { skip: skip_on_reference }, () => {
  it("may be several, of every kind", async () => {
    const certificate = new Certificate();
    const path = join(temporary_folder(), "socket");
    const [plain, tls] = await free_ports(2);
    const server = await start_origin([`127.0.0.1:${plain}`, `https://127.0.0.1:${tls}`, `unix:${path}`], certificate.flags);
    assert.equal(server.address, `127.0.0.1:${plain}`);
    assert.deepEqual(await origin_of(`http://127.0.0.1:${plain}`), { address: "127.0.0.1", secure: false });
    assert.deepEqual(await origin_of(`https://127.0.0.1:${tls}`, { ca: certificate.ca }), { address: "127.0.0.1", secure: true });
    for (const mode of Object.keys(modes)) {
      const agent = new Agent({ socketPath: path });
      assert.deepEqual(await origin_of("http://unix", { mode, agent }), { address: "", secure: false }, mode);
    }
    assert.equal((await server.stop()).code, 0);
    assert.ok(!existsSync(path));
  });

  it("take IPv4 clients on all IPv6 addresses, and call them by their name", { skip: !has_ipv6 }, async () => {
    const server = await start_origin(["[::]:0"]);
    const port = port_of(server.address);
    assert.equal(server.address, `[::]:${port}`);
    assert.equal((await origin_of(`http://127.0.0.1:${port}`)).address, "127.0.0.1");
    assert.equal((await origin_of(`http://[::1]:${port}`, { mode: "upgrade" })).address, "::1");
    await server.stop();
  });

  it("listen on every address of a name", async () => {
    const server = await start_origin(["localhost:0"]);
    const port = port_of(server.address);
    assert.equal((await origin_of(`http://127.0.0.1:${port}`)).address, "127.0.0.1");
    if (has_ipv6) {
      const found = await lookup("localhost", { all: true });
      if (found.some(({ address }) => address === "::1")) await origin_of(`http://[::1]:${port}`);
    }
    await server.stop();
  });

  it("say where the page is, and name a Unix socket as it is", async () => {
    const node = await start_carillon();
    await eventually("the page's address", () => node.program.stderr.includes(`page: ${node.api}/`));
    await node.stop();
    const path = join(temporary_folder(), "socket");
    const program = start_command(["serve", "--listen", `unix:${path}`, "--api-listen", `unix:${path}.api`]);
    const [, clients, api] = await program.output(/^carillon ready clients=(\S+) api=(\S+) /m);
    assert.deepEqual([clients, api], [`unix:${path}`, `unix:${path}.api`]);
    const answer = await new Promise((resolve, reject) => {
      request({ socketPath: api.slice(5), path: "/healthz" }, resolve).on("error", reject).end();
    });
    assert.equal(answer.statusCode, 200);
    answer.resume();
    assert.equal((await program.stop()).code, 0);
    assert.doesNotMatch(program.stderr, /page:/);
  });

  it("replace a Unix socket that was left behind, keep one that is in use, and set its permissions", async () => {
    const path = join(temporary_folder(), "socket");
    const killed = await start_origin([`unix:${path}`]);
    await killed.program.kill();
    assert.ok(existsSync(path));
    const server = await start_origin([`unix:${path}?mode=600`]);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const second = await run_carillon(["serve", "--listen", `unix:${path}`, "--api-listen", "127.0.0.1:0"]);
    assert.equal(second.code, 1);
    assert.match(second.stderr, /cannot listen on unix:.*in use/);
    assert.equal((await origin_of("http://unix", { agent: new Agent({ socketPath: path }) })).address, "");
    await server.stop();
  });

  const certificate = skip_on_reference ? undefined : new Certificate();
  const broken = skip_on_reference ? undefined : join(temporary_folder(), "broken.pem");
  if (broken) writeFileSync(broken, "nonsense");
  const refused = [
    ["TLS without a certificate", ["--listen", "https://127.0.0.1:0"], /tls\.certificate_file/],
    ["a certificate without TLS", () => ["--listen", "127.0.0.1:0", ...certificate.settings], /https:\/\//],
    ["a certificate that is not there", () => ["--listen", "https://127.0.0.1:0", "--set", 'tls.certificate_file="/nowhere"',
      "--set", `tls.key_file="${certificate.key}"`], /"\/nowhere".*No such file/],
    ["a key that is none", () => ["--listen", "https://127.0.0.1:0", "--set", `tls.certificate_file="${certificate.cert}"`,
      "--set", `tls.key_file="${broken}"`], /tls\.key_file/],
    ["the PROXY protocol without proxies", ["--listen", "127.0.0.1:0?proxy_protocol=true"], /trusted_proxies/],
    ["a proxy that is no address", ["--set", 'clients.trusted_proxies=["proxy"]'], /trusted_proxies.*"proxy"/],
    ["an unknown option", ["--listen", "127.0.0.1:0?backlog=1"], /backlog/],
  ];
  for (const [title, flags, pattern] of refused) {
    it(`refuse ${title}, with one sentence`, async () => {
      const all = typeof flags === "function" ? flags() : flags;
      const { code, stdout, stderr } = await run_carillon(["serve", "--api-listen", "127.0.0.1:0", ...all]);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, "");
      const complaints = stderr.trim().split("\n").filter((line) => !line.includes("open files"));
      assert.equal(complaints.length, 1, stderr);
      assert.match(complaints[0], pattern);
    });
  }
});

describe("the PROXY protocol", { skip: skip_on_reference }, () => {
  const certificate = skip_on_reference ? undefined : new Certificate();
  const v1 = Buffer.from("PROXY TCP4 192.0.2.7 198.51.100.1 40000 443\r\n");
  const v2 = Buffer.from("0d0a0d0a000d0a515549540a" + "21" + "21" + "0024" + "20010db8000000000000000000000007"
    + "20010db8000000000000000000000001" + "9c4001bb", "hex");
  const local = Buffer.from("0d0a0d0a000d0a515549540a" + "2000" + "0000", "hex");
  let server, plain, tls;
  before(async () => {
    [plain, tls] = await free_ports(2);
    server = await start_origin([`127.0.0.1:${plain}?proxy_protocol=true`, `https://127.0.0.1:${tls}?proxy_protocol=true`],
      [...certificate.flags, "--trusted-proxy", "127.0.0.1", "--trusted-proxy", "10.0.0.0/8"]);
  });
  after(() => server?.stop());

  // The official client, with a header before everything that it sends on each of its connections.
  function behind(header, port, localAddress) {
    const agent = new Agent({ keepAlive: true });
    agent.createConnection = () => {
      const socket = connect({ port, host: "127.0.0.1", localAddress });
      socket.write(header);
      return socket;
    };
    return agent;
  }

  for (const [title, header, address] of [["version 1", v1, "192.0.2.7"], ["version 2", v2, "2001:db8::7"], ["a LOCAL header", local, "127.0.0.1"]]) {
    for (const mode of Object.keys(modes)) {
      it(`names the client by ${title}, over ${mode}`, async () => {
        const origin = await origin_of(`http://127.0.0.1:${plain}`, { mode, agent: behind(header, plain) });
        assert.deepEqual(origin, { address, secure: false });
      });
    }
  }

  it("comes before TLS", async () => {
    for (const [header, address] of [[v1, "192.0.2.7"], [v2, "2001:db8::7"]]) {
      const socket = connect({ port: tls, host: "127.0.0.1" });
      socket.write(header);
      const secure = tls_connect({ socket, ca: certificate.ca, servername: "localhost" });
      await once(secure, "secureConnect");
      secure.write("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n");
      const [head] = await once(secure, "data");
      assert.match(head.toString(), /^HTTP\/1\.1 200/, address);
      secure.destroy();
    }
  });

  it("is required, and costs who does not keep to it the connection", async () => {
    for (const bytes of ["GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n", "PROXY TCP4 nonsense\r\n",
      Buffer.concat([v2.subarray(0, 12), Buffer.from("21ff0000", "hex")]), Buffer.alloc(200, "P")]) {
      const raw = await RawConnection.open({ host: "127.0.0.1", port: plain });
      raw.write(bytes);
      await raw.until_ended();
      assert.equal(raw.received.length, 0);
      raw.close();
    }
    await eventually("the log says why", () => /requires the PROXY protocol/.test(server.program.stderr));
  });

  it("is believed from trusted proxies only", async () => {
    const socket = connect({ port: plain, host: "127.0.0.1", localAddress: "127.0.0.9" });
    socket.on("error", () => {});
    socket.write(v1);
    socket.write("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n");
    let received = "";
    socket.on("data", (part) => { received += part; });
    await deadline(new Promise((resolve) => { socket.on("close", resolve); }), patience_ms, "the end");
    assert.equal(received, "");
  });

  it("does not make the client's own X-Forwarded-For count", async () => {
    const origin = await origin_of(`http://127.0.0.1:${plain}`, {
      agent: behind(v1, plain), extraHeaders: { "X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "https" },
    });
    assert.deepEqual(origin, { address: "192.0.2.7", secure: false });
  });
});
