// The example servers, and as much of `carillon serve` as the tests use, built from the published packages. They prove the
// tests (CARILLON_TEST_REFERENCE=1), and `bench --redis` is the Node.js member of the clusters.
//
//   node reference_servers.mjs engine-echo|protocol|bench|front-door --port N [--redis URL]
//   node reference_servers.mjs cluster --port N --redis URL [--adapter pubsub|sharded|streams] ... (tests/support/reference_cluster.mjs)
//   node reference_servers.mjs features --port N [--allow-eio3] [--recovery] ... (tests/support/reference_features.mjs)
//   node reference_servers.mjs serve --listen HOST:PORT --api-listen HOST:PORT [--redis URL] [--node-name NAME]
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { createAdapter } from "@socket.io/redis-adapter";
import { attach } from "engine.io";
import { Server } from "socket.io";
import { connect_redis } from "./redis_url.mjs";
import msgpack_parser from "socket.io-msgpack-parser";
import { api_handler } from "./reference_api.mjs";
import { cluster_member } from "./reference_cluster.mjs";
import { features_server } from "./reference_features.mjs";

const { positionals: [kind], values: flags } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  strict: false,
  options: {
    port: { type: "string", default: "0" },
    listen: { type: "string", default: "127.0.0.1:3000" },
    "api-listen": { type: "string", default: "127.0.0.1:3001" },
    redis: { type: "string" },
    adapter: { type: "string" },
    mode: { type: "string" },
    "node-name": { type: "string", default: "reference" },
    shards: { type: "string" },
    "allow-eio3": { type: "boolean" },
    recovery: { type: "boolean" },
    msgpack: { type: "boolean" },
    compression: { type: "boolean" },
    path: { type: "string" },
    "client-files": { type: "string" }, // it has its own
    "tls-cert": { type: "string" },
    "tls-key": { type: "string" },
  },
});

const engine_settings = { pingInterval: 300, pingTimeout: 200, maxHttpBufferSize: 1e6, cors: { origin: "*" }, allowEIO3: flags["allow-eio3"] };

function socket_io(http_server, options) {
  if (!flags.redis) return new Server(http_server, options);
  return new Server(http_server, { ...options, adapter: createAdapter(connect_redis(flags.redis), connect_redis(flags.redis)) });
}

function join_user_room(socket) {
  const user = socket.handshake.auth.userId;
  if (user !== undefined) socket.join(`user:${user}`);
}

const examples = {
  "engine-echo"(http_server) {
    attach(http_server, engine_settings).on("connection", (socket) => socket.on("message", (data) => socket.send(data)));
  },

  protocol(http_server) {
    const io = socket_io(http_server, { ...engine_settings, connectTimeout: 1000, ...(flags.msgpack && { parser: msgpack_parser }) });
    io.on("connection", (socket) => {
      socket.emit("auth", socket.handshake.auth);
      socket.on("message", (...args) => socket.emit("message-back", ...args));
      socket.on("message-with-ack", (...args) => { if (typeof args.at(-1) === "function") args.pop()(...args); });
    });
    io.of("/custom").on("connection", (socket) => socket.emit("auth", socket.handshake.auth));
  },

  "front-door"(http_server) {
    const tickets = {
      no: (answer) => answer(null, false),
      why: (answer) => answer("the show is sold out", false),
      later: (answer) => setTimeout(() => answer(null, true), 50),
      never: () => {},
    };
    const io = socket_io(http_server, {
      path: "/live",
      cors: {
        origin: ["https://app.example", "https://admin.example"], credentials: true, methods: ["GET", "POST"],
        allowedHeaders: ["x-request-id"], exposedHeaders: ["x-served-by"], maxAge: 600,
      },
      cookie: { name: "sticky" },
      allowRequest(request, answer) {
        const ticket = new URL(request.url, "http://localhost").searchParams.get("ticket");
        (tickets[ticket] ?? ((allow) => allow(null, true)))(answer);
      },
      httpCompression: { threshold: 500 },
      perMessageDeflate: { threshold: 500, serverNoContextTakeover: true, clientNoContextTakeover: true },
    });
    io.engine.on("initial_headers", (headers) => { headers["x-welcome"] = "hello"; });
    io.engine.on("headers", (headers) => { headers["x-served-by"] = "front-door"; });
    io.on("connection", (socket) => {
      socket.on("message", (...args) => socket.emit("message-back", ...args));
      socket.on("pub", (...args) => io.emit("n", ...args));
      socket.on("pub-plain", (...args) => io.compress(false).emit("n", ...args));
    });
  },

  cluster(http_server) { cluster_member(http_server, flags); },

  bench(http_server) {
    const io = socket_io(http_server, { cors: { origin: "*" } });
    io.on("connection", (socket) => {
      join_user_room(socket);
      socket.on("pub", (p) => io.emit("n", p));
      socket.on("to", (room, p) => io.to(room).emit("n", p));
      socket.on("echo", (p, ack) => ack(p));
      // Beyond the contract, for what only the Node.js side of a cluster can be asked to do.
      socket.on("local", (p) => io.local.emit("n", p));
      socket.on("volatile", (p) => io.volatile.emit("v", p));
    });
  },
};

// HOST:PORT, or unix:PATH.
function listen(server, address) {
  if (address.startsWith("unix:")) return new Promise((resolve) => { server.listen(address.slice(5), () => resolve(address)); });
  const colon = address.lastIndexOf(":");
  return new Promise((resolve) => {
    server.listen(Number(address.slice(colon + 1)), address.slice(0, colon).replace(/^\[|\]$/g, ""), () => {
      resolve(`${address.slice(0, colon)}:${server.address().port}`);
    });
  });
}

if (kind === "serve") {
  const clients_server = createServer();
  const io = socket_io(clients_server, { cors: { origin: "*" } });
  io.on("connection", join_user_room);
  const clients = await listen(clients_server, flags.listen);
  const control = flags.redis ? connect_redis(flags.redis) : undefined;
  const info = { node: flags["node-name"], version: "reference", redis: Boolean(flags.redis), clients, keys: false };
  const api = await listen(createServer(api_handler(io, control, info)), flags["api-listen"]);
  console.log(`carillon ready clients=${clients} api=${api} node=${info.node}`);
} else if (kind === "features") {
  const { server, close } = features_server(flags);
  const address = process.argv.includes("--listen") ? flags.listen : `127.0.0.1:${flags.port}`;
  console.log(`ready ${await listen(server, address)}`);
  process.once("SIGTERM", close);
} else {
  const http_server = createServer();
  examples[kind](http_server);
  console.log(`ready ${await listen(http_server, `127.0.0.1:${flags.port}`)}`);
}

if (kind !== "features") process.on("SIGTERM", () => process.exit(0));
