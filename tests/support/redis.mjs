// A redis-server of our own: on a free port, without files, killed and restarted at will on the same port.
import Redis from "ioredis";
import { free_port } from "./ports.mjs";
import { Program } from "./program.mjs";
import { eventually, once } from "./wait.mjs";

export class RedisServer {
  static async start() {
    const server = new RedisServer(await free_port());
    await server.start();
    return server;
  }

  // Not started yet: for tests in which Redis comes late.
  constructor(port) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.connections = [];
  }

  async start() {
    const args = ["--port", this.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"];
    this.program = new Program("redis-server", args.map(String));
    await this.program.output(/Ready to accept connections/);
    return this;
  }

  // A connection of its own for each caller: an ioredis connection that has lost its server would otherwise replay.
  connect(options = {}) {
    const connection = new Redis(this.port, "127.0.0.1", { retryStrategy: () => 50, maxRetriesPerRequest: null, ...options });
    connection.on("error", () => {});
    this.connections.push(connection);
    return connection;
  }

  kill() { return this.program.kill(); }

  async stop() {
    for (const connection of this.connections) connection.disconnect();
    await this.program?.stop();
  }

  // How many connections are subscribed to each of `channels`.
  async subscribers(connection, ...channels) {
    const flat = await connection.pubsub("NUMSUB", ...channels);
    return channels.map((_, i) => Number(flat[2 * i + 1]));
  }

  until_subscribed(connection, channel, count, at_least = false) {
    let last;
    return eventually(() => `${count} subscribers of ${channel}, last seen: ${last}`, async () => {
      [last] = await this.subscribers(connection, channel);
      return last === count || (at_least && last > count);
    });
  }
}
