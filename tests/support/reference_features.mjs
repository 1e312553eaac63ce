// The server of the client matrix (tests/matrix) on the reference: everything that a Socket.IO server can do, driven by
// its clients. `carillon-example-features` is the same server in C++; examples/README.md has the contract.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as create_tls_server } from "node:https";
import msgpack_parser from "socket.io-msgpack-parser";
import { Server } from "socket.io";

const ping = { pingInterval: 800, pingTimeout: 1200 };

function options_of(flags) {
  return {
    ...ping,
    connectTimeout: 2000,
    path: flags.path ?? "/socket.io/",
    allowEIO3: Boolean(flags["allow-eio3"]),
    cors: { origin: ["https://app.example"], credentials: true },
    cookie: { name: "carillon", path: "/", httpOnly: true, sameSite: "lax" },
    allowRequest: (request, decide) => decide(request.headers["x-refuse"] ? "refused by the application" : null, !request.headers["x-refuse"]),
    ...(flags.recovery && { connectionStateRecovery: { maxDisconnectionDuration: 120_000 } }),
    ...(flags.msgpack && { parser: msgpack_parser }),
    perMessageDeflate: flags.compression ? { threshold: 1024 } : false,
    httpCompression: flags.compression ? { threshold: 1024 } : false,
  };
}

// Those whom a broadcast or an operation on sockets is for.
function chosen(from, { rooms = [], except = [] }) {
  return from.in(rooms).except(except);
}

function operator_of(namespace, socket, { from = "io", flags = {}, ...choice }) {
  let operator = chosen(from === "socket" ? socket : namespace, choice);
  if (flags.volatile) operator = operator.volatile;
  if (flags.local) operator = operator.local;
  if (flags.compress === false) operator = operator.compress(false);
  if (flags.timeout) operator = operator.timeout(flags.timeout);
  return operator;
}

const describe_socket = ({ id, rooms, data }) => ({ id, rooms: [...rooms].sort(), data });

// Tells what happens on the server to the clients in /watch. `label` is in the query of the client concerned.
function watched(io, socket) {
  const { label } = socket.handshake.query;
  return (event, details) => io.of("/watch").emit(event, { label, namespace: socket.nsp.name, ...details });
}

function serve(io, namespace) {
  namespace.on("connection", (socket) => {
    const here = socket.nsp; // of a dynamic namespace, the one of this socket
    const tell = watched(io, socket);
    const { auth, query: { label }, secure, xdomain, url, headers } = socket.handshake;
    const caught = { in: [], out: [] };

    tell("joined", { id: socket.id });
    socket.on("disconnecting", (reason) => tell("leaving", { reason, rooms: socket.rooms.size }));
    socket.on("disconnect", (reason) => {
      tell("left", { reason });
      console.log(`left ${label} ${reason}`); // for when nobody is left to be told
    });

    socket.emit("welcome", { id: socket.id, namespace: socket.nsp.name, auth, recovered: socket.recovered ?? false });

    socket.use(([event], next) => next(event === "forbidden" ? new Error("not allowed") : undefined));
    socket.on("error", ({ message }) => socket.emit("packet_refused", message));
    socket.on("forbidden", () => socket.emit("packet_refused", "the middleware has let it through"));

    socket.on("echo", (...args) => {
      const ack = args.at(-1);
      if (typeof ack === "function") ack(...args.slice(0, -1));
      else socket.emit("echo", ...args);
    });
    socket.on("handshake", (ack) => ack({ label, secure, xdomain, url: new URL(url, "http://x").pathname, header: headers["x-matrix"] ?? null }));

    socket.on("ask", (event, args, timeout_ms, ack) => {
      const answered = (outcome) => { tell("asked", outcome); ack(outcome); };
      socket.timeout(timeout_ms).emit(event, ...args, (error, ...answer) => answered(error ? { error: "timeout" } : { answer }));
    });

    socket.on("join", async (rooms, ack) => { await socket.join(rooms); ack(); });
    socket.on("leave", async (room, ack) => { await socket.leave(room); ack(); });
    socket.on("rooms", (ack) => ack([...socket.rooms].sort()));

    socket.on("publish", (b, ack) => { operator_of(here, socket, b).emit(b.event, ...b.args); ack(); });
    socket.on("publish_ack", (b, ack) => {
      operator_of(here, socket, b).emit(b.event, ...b.args, (error, responses) => ack({ responses, missing: Boolean(error) }));
    });
    socket.on("volatile", (event, args, ack) => { socket.volatile.emit(event, ...args); ack(); });
    socket.on("uncompressed", (event, args) => socket.compress(false).emit(event, ...args));

    socket.on("set_data", (value, ack) => { Object.assign(socket.data, value); ack(); });
    socket.on("fetch_sockets", async (choice, ack) => ack((await chosen(here, choice).fetchSockets()).map(describe_socket)));
    socket.on("sockets_join", async ({ target, ...choice }, ack) => { await chosen(here, choice).socketsJoin(target); ack(); });
    socket.on("sockets_leave", async ({ target, ...choice }, ack) => { await chosen(here, choice).socketsLeave(target); ack(); });
    socket.on("disconnect_sockets", async ({ close, ...choice }, ack) => { await chosen(here, choice).disconnectSockets(close); ack(); });
    socket.on("leave_me", (close) => socket.disconnect(close));

    socket.on("catch_all", (ack) => {
      socket.onAny((event, ...args) => caught.in.push([event, ...args.filter((arg) => typeof arg !== "function")]));
      socket.onAnyOutgoing((event, ...args) => caught.out.push([event, ...args]));
      ack();
    });
    socket.on("caught", (ack) => ack(caught));
  });
}

class Refusal extends Error {
  constructor(message, data) { super(message); this.data = data; }
}

function namespaces(io) {
  for (const name of ["/", "/orders", /^\/dynamic-\d+$/]) serve(io, io.of(name));

  // Which names exist, decided at run time, and by what the client says.
  serve(io, io.of((name, auth, next) => next(null, name.startsWith("/tenant-") && auth.token === "secret")));

  // Two middlewares, the first of them slow.
  const guarded = io.of("/guarded");
  guarded.use((socket, next) => setTimeout(next, 20));
  guarded.use((socket, next) => {
    socket.data.admitted = true;
    const { token } = socket.handshake.auth;
    next(token === "secret" ? undefined : new Refusal("no entry", { code: 4711, token: token ?? null }));
  });
  serve(io, guarded);

  io.of("/watch");
}

// { server, close }: an HTTP server with Socket.IO on it, and what ends the process as Socket.IO's own end does.
export function features_server(flags) {
  const tls = flags["tls-cert"] && { cert: readFileSync(flags["tls-cert"]), key: readFileSync(flags["tls-key"]) };
  const server = tls ? create_tls_server(tls) : createServer();
  const io = new Server(server, options_of(flags));
  namespaces(io);
  return { server, close: () => io.close(() => process.exit(0)) };
}
