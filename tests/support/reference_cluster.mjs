// The server of the cluster matrix (tests/cluster/matrix) on the reference: a member of a cluster, driven by its clients.
// `carillon-example-cluster` is the same server in C++; docs/example-cluster.md has the contract.
import { createAdapter, createShardedAdapter } from "@socket.io/redis-adapter";
import { createAdapter as createStreamsAdapter } from "@socket.io/redis-streams-adapter";
import { Server } from "socket.io";
import { connect_redis } from "./redis_url.mjs";

const adapters = {
  pubsub: (url) => createAdapter(connect_redis(url), connect_redis(url)),
  sharded: (url, { mode }) => createShardedAdapter(connect_redis(url), connect_redis(url), { subscriptionMode: mode }),
  streams: (url) => createStreamsAdapter(connect_redis(url)),
};

// Those whom a broadcast or an operation on sockets is for.
function chosen(from, { rooms = [], except = [], flags = {} }) {
  let operator = from.to(rooms).except(except);
  if (flags.volatile) operator = operator.volatile;
  if (flags.local) operator = operator.local;
  if (flags.timeout) operator = operator.timeout(flags.timeout);
  return operator;
}

// What a join() of the sharded adapter does not wait for: asked twice, Redis confirms the subscription twice.
async function until_subscribed({ adapter }, room) {
  const channel = adapter.shouldUseASeparateNamespace?.(room) && adapter.dynamicChannel(room);
  if (channel) await adapter.subClient.ssubscribe(channel);
}

function serve(namespace, node_name) {
  const log = [];
  // Events of other servers have listeners by name only; this hears of all of them.
  namespace._onServerSideEmit = ([event, ...args]) => {
    const answer = typeof args.at(-1) === "function" ? args.pop() : undefined;
    log.push({ event, args });
    answer?.(node_name);
  };

  namespace.on("connection", (socket) => {
    // The client's acknowledgement gets what `handle` gives, or why it failed.
    const on = (event, handle) => socket.on(event, async (...args) => {
      const ack = args.pop();
      try {
        const answer = await handle(...args);
        ack(...(answer === undefined ? [] : [answer]));
      } catch (error) {
        ack({ error: error.message });
      }
    });
    // What a callback(error, responses) is called with, as an answer.
    const responses = (start) => new Promise((resolve) => {
      start((error, answers) => resolve({ responses: answers, error: error?.message ?? null }));
    });

    on("join", async (room) => { await socket.join(room); await until_subscribed(namespace, room); });
    on("leave", async (room) => { await socket.leave(room); });
    on("rooms", () => [...socket.rooms]);
    on("set_data", (value) => { socket.data = value; });

    on("emit", (b) => { chosen(namespace, b).emit(b.event, ...b.args); });
    on("socket_emit", (b) => { chosen(socket, b).emit(b.event, ...b.args); });
    on("broadcast_ack", (b) => responses((callback) => chosen(namespace, b).emit(b.event, ...b.args, callback)));

    on("fetch_sockets", async (choice) => {
      const sockets = await chosen(namespace, choice).fetchSockets();
      return sockets.map(({ id, rooms, data }) => ({ id, rooms: [...rooms], data }));
    });
    on("sockets_join", async ({ target, ...choice }) => { await chosen(namespace, choice).socketsJoin(target); });
    on("sockets_leave", async ({ target, ...choice }) => { await chosen(namespace, choice).socketsLeave(target); });
    on("disconnect_sockets", async ({ close, ...choice }) => { await chosen(namespace, choice).disconnectSockets(close); });

    on("server_side_emit", ({ event, args }) => { namespace.serverSideEmit(event, ...args); });
    on("server_side_emit_ack", ({ event, args }) => responses((callback) => namespace.serverSideEmit(event, ...args, callback)));
    on("server_side_log", () => log);
    on("all_rooms", async () => [...await namespace.adapter.allRooms()]);
    on("server_count", () => namespace.adapter.serverCount());
  });
}

export function cluster_member(http_server, flags) {
  const adapter = flags.redis && adapters[flags.adapter ?? "pubsub"](flags.redis, { mode: flags.mode ?? "dynamic" });
  const io = new Server(http_server, {
    cors: { origin: "*" },
    ...(adapter && { adapter }),
    ...(flags.recovery && { connectionStateRecovery: { maxDisconnectionDuration: 120_000 } }),
  });
  for (const name of ["/", "/orders"]) serve(io.of(name), flags["node-name"]);
}
