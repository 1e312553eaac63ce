// The client matrix: each feature is one scenario, played by socket.io-client 2, 3 and 4, each over polling, over
// WebSocket, and beginning with polling while it upgrades. tools/matrix_table.mjs makes docs/compatibility.md of the results.
import { after, before, describe, it } from "node:test";
import { io as client_4 } from "socket.io-client";
import client_2 from "socket.io-client-2";
import { io as client_3 } from "socket.io-client-3";
import { modes } from "./clients.mjs";
import { is_reference, start_example } from "./servers.mjs";
import { Queue, deadline, once, patience_ms } from "./wait.mjs";

export const versions = { 2: client_2, 3: client_3, 4: client_4 };
// Each wait of a scenario has its deadline, and says what it waited for; this one is for loops of them.
const cell_ms_max = 4 * patience_ms;
// As tests/support/matrix_reporter.mjs reads it.
const test_name = (...parts) => parts.join(" | ");

// One client of one version. All events are kept from the start, those with acknowledgement included.
export class MatrixClient {
  constructor({ version, mode, socket }) {
    Object.assign(this, { version: Number(version), mode, socket });
    this.queues = new Map();
    this.keep_events();
    this.connected = deadline(new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      // A refusal by the server is an "error" in version 2; its data are all that is told, else its message.
      socket.once("error", (error) => reject(Object.assign(new Error(error.message ?? error), { data: error })));
      socket.once("connect_error", reject);
    }), patience_ms, "connect or connect_error");
    this.connected.catch(() => {});
    socket.on("disconnect", (reason) => { this.ended = reason; });
  }

  keep_events() {
    const keep = (event, ...args) => this.queue(event).push(args.filter((arg) => typeof arg !== "function"));
    if (this.version > 2) {
      this.socket.onAny(keep);
      return;
    }
    const { onevent } = this.socket;
    this.socket.onevent = (packet) => { keep(...packet.data); onevent.call(this.socket, packet); };
  }

  queue(event) {
    if (!this.queues.has(event)) this.queues.set(event, new Queue(`event ${event}`));
    return this.queues.get(event);
  }

  get id() { return this.socket.id; }
  get engine() { return this.socket.io.engine; }
  get transport() { return this.engine.transport.name; }

  // The arguments of the next `event`.
  next(event, timeout_ms) { return this.queue(event).next(timeout_ms); }
  on(event, listener) { this.socket.on(event, listener); }
  emit(event, ...args) { this.socket.emit(event, ...args); }

  // What the server acknowledges with: the first argument, or all of them.
  async ask(event, ...args) { return (await this.ask_all(event, ...args))[0]; }
  ask_all(event, ...args) {
    const answer = new Promise((resolve) => { this.socket.emit(event, ...args, (...values) => resolve(values)); });
    return deadline(answer, patience_ms, `acknowledgement of ${event}`);
  }

  // Something sent after all that came before has come back: whatever was to arrive is there.
  async settled() { await this.ask("echo", "settled?"); }
  async received_nothing(event) {
    await this.settled();
    if (this.queue(event).items.length) throw new Error(`received ${event} ${JSON.stringify(this.queue(event).items)}`);
  }

  until_disconnected() { return this.ended ? Promise.resolve(this.ended) : once(this.socket, "disconnect").then(([reason]) => reason); }
  async upgraded() { if (this.mode === "upgrade" && this.transport !== "websocket") await once(this.engine, "upgrade"); }

  // The whole connection.
  close() {
    this.socket.io.reconnection(false);
    if (this.engine) this.socket.io[this.version === 2 ? "close" : "_close"]();
  }
}

// What the server tells of a client, by its label, to whoever listens in /watch.
class Watch {
  constructor(url, options) {
    this.socket = client_4(`${url}/watch`, { transports: ["websocket"], forceNew: true, ...options });
    this.queues = new Map();
    this.socket.onAny((event, { label, ...details }) => this.queue(`${event} of ${label}`).push(details));
  }
  queue(title) {
    if (!this.queues.has(title)) this.queues.set(title, new Queue(`server's ${title}`));
    return this.queues.get(title);
  }
}

let labels = 0;

// One play of one scenario.
class Scene {
  constructor(version, mode, server, watch) {
    Object.assign(this, { version: Number(version), mode, server, watch });
    this.label = `${process.pid}-${++labels}`;
    this.clients = [];
  }

  // A name that no other scene uses.
  unique(name) { return `${name}-${this.label}`; }

  // Not waited for. `namespace`, `auth` and `label` are the same in all versions; the rest are options of the client.
  open({ namespace = "/", auth = {}, label = this.label, query = {}, ...options } = {}) {
    const common = { ...modes[this.mode], forceNew: true, reconnection: false, ...this.server.client_options, ...options };
    // Version 2 has no auth: the query is part of its CONNECT packet, except for the main namespace.
    const own = this.version === 2 ? { query: { label, ...query, ...auth } } : { query: { label, ...query }, auth };
    const socket = versions[this.version](this.server.url + namespace, { ...common, ...own });
    return this.kept(socket);
  }
  async connect(options) {
    const client = this.open(options);
    await client.connected;
    return client;
  }
  kept(socket) {
    const client = new MatrixClient({ version: this.version, mode: this.mode, socket });
    this.clients.push(client);
    return client;
  }
  // Another namespace on the connection of `client`.
  open_also(client, namespace, auth = {}) {
    const own = this.version === 2 ? { query: { label: this.label, ...auth } } : { auth };
    return this.kept(client.socket.io.socket(namespace, own));
  }
  async also(client, namespace, auth) {
    const other = this.open_also(client, namespace, auth);
    await other.connected;
    return other;
  }

  // The server's view: the details of the next such event of the client with this label.
  seen(event, label = this.label) { return this.watch.queue(`${event} of ${label}`).next(); }

  async end() {
    try {
      for (const client of this.clients) if (client.socket.connected) await client.upgraded();
    } finally {
      for (const client of this.clients) client.close();
    }
  }
}

// Features that are tried with one server. `flags` are its; `client_options` go to every client.
export function matrix(section, { flags = [], client_options = {}, start } = {}, define) {
  describe(section, () => {
    let server;
    let watch;
    before(async () => {
      server = start ? await start() : await start_example("features", ["--allow-eio3", ...flags]);
      server.client_options = { ...client_options, ...server.client_options };
      watch = new Watch(server.url, server.client_options);
      await once(watch.socket, "connect");
    });
    after(async () => {
      watch?.socket.disconnect();
      await server?.stop();
    });

    // `skip` says why a version ("2"), a transport ("polling") or the reference server ("reference") has no such feature.
    define(function feature(name, scenario, { skip = {} } = {}) {
      describe(name, { concurrency: true }, () => {
        for (const version of Object.keys(versions)) {
          for (const mode of Object.keys(modes)) {
            const skipped = skip[version] ?? skip[mode] ?? ((is_reference && skip.reference) || false);
            it(test_name(section, name, version, mode), { skip: skipped, timeout: cell_ms_max }, async (test) => {
              const scene = new Scene(version, mode, server, watch);
              scene.skip = (reason) => test.skip(reason);
              let is_done = false;
              try {
                await scenario(scene);
                is_done = true;
              } finally {
                const ended = scene.end();
                if (is_done) await ended;
                else await ended.catch(() => {});
              }
            });
          }
        }
      });
    });
  });
}
