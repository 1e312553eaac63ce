// One user with one device in a storm: an unmodified client behind a proxy of its own, and what the application keeps. Each
// stay is at one node: requests of a polling session must come to where it is.
import { setTimeout as sleep } from "node:timers/promises";
import { io } from "socket.io-client";
import { Proxy } from "./proxy.mjs";

const away_ms_max = 1500;
const stay_ms = [300, 6000]; // a user is there so long before something happens
const events_kept = 8;       // the last ones, for the report of a failure
const ids_shown = 3;

export const between = (min, max) => min + Math.random() * (max - min);
export const one_of = (list) => list[Math.floor(Math.random() * list.length)];
const place = (position) => { const [epoch, number] = position.split("-"); return { epoch, number: Number(number) }; };

export class InboxPerson {
  constructor(name, i, { epochs_change }) {
    const transports = i % 5 === 0 ? ["polling", "websocket"] : ["websocket"];
    Object.assign(this, { name, transports, epochs_change, acknowledges: i % 3 === 0 });
    Object.assign(this, { seen: new Map(), said: new Set(), accepted: new Set(), missing: new Set() });
    Object.assign(this, { received: 0, repeats: 0, drops: 0, gaps: [], faults: [], events: [] });
  }

  async start(port_of) {
    this.choose_node = () => { this.port = port_of(); };
    this.choose_node();
    this.proxy = await Proxy.start(() => this.port);
    this.open();
  }

  // A page that is loaded: nothing is kept but what the application has stored.
  open() {
    const auth = { userId: this.name, deviceId: "phone", ack: this.acknowledges };
    const socket = io(`http://127.0.0.1:${this.proxy.port}`, { transports: this.transports, forceNew: true, auth, reconnectionDelay: 50, reconnectionDelayMax: 500, timeout: 5000 });
    this.socket = socket;
    this.note("opens");
    socket.on("notification", (data, meta, ...more) => {
      if (socket !== this.socket) return this.faults.push("a closed socket has got something");
      this.take(data, meta);
      if (this.acknowledges) more.at(-1)();
    });
    socket.on("inbox:gap", (gap) => this.gaps.push(gap));
    socket.on("connect", () => this.note("is connected"));
    socket.on("disconnect", (reason) => {
      this.note(`is disconnected (${reason})`);
      if (reason === "io server disconnect") this.faults.push("the server has closed the socket for good");
    });
    // A client that is not active has been refused by the server, and does not try again.
    socket.on("connect_error", (error) => {
      this.note(`does not come in (${error.message})`);
      if (!socket.active) this.faults.push(`the server has refused the socket: ${error.message}`);
    });
  }

  note(event) {
    this.events.push(`${(performance.now() / 1000).toFixed(1)} ${event} at ${this.port}`);
    if (this.events.length > events_kept) this.events.shift();
  }

  // A producer was told that it is accepted.
  expect(id) {
    this.accepted.add(id);
    if (!this.seen.has(id)) this.missing.add(id);
  }

  take(data, { id, position }) {
    ++this.received;
    if (this.seen.has(id)) { ++this.repeats; return; }
    const { epoch, number } = place(position);
    if (this.last && epoch !== this.last.epoch && !this.epochs_change) this.faults.push(`epoch ${epoch} after ${this.last.epoch}`);
    if (this.last && number <= this.last.number) this.faults.push(`number ${number} after ${this.last.number}`);
    if (this.said.has(data.n)) this.faults.push(`notification ${data.n} has come under two ids`);
    this.last = { epoch, number };
    this.said.add(data.n);
    this.seen.set(id, data.n);
    this.missing.delete(id);
  }

  begin_to_come_and_go() {
    this.is_restless = true;
    this.loop = this.come_and_go().catch((error) => { this.faults.push(`the test itself: ${error.stack}`); });
  }
  async come_and_go() {
    while (this.is_restless) {
      await sleep(between(...stay_ms));
      if (!this.is_restless) return;
      ++this.drops;
      await one_of([this.leave, this.lose_network, this.reload]).call(this);
    }
  }
  // Comes back from where it is, and stays.
  async settle() {
    this.is_restless = false;
    await this.loop;
  }

  async leave() {
    this.note("leaves");
    this.socket.disconnect();
    await sleep(between(0, away_ms_max));
    this.choose_node();
    this.socket.connect();
  }
  lose_network() {
    this.note("loses its network");
    this.choose_node();
    this.proxy.strand();
  }
  async reload() {
    this.note("reloads");
    this.socket.io._close();
    await sleep(between(0, away_ms_max));
    this.choose_node();
    this.open();
  }

  // One line: where it is, what it lacks, what has happened to it.
  describe() {
    const { socket, transports, acknowledges, port, last } = this;
    const transport = socket.io.engine?.transport?.name ?? "no transport";
    const how = `${socket.connected ? "connected" : socket.active ? "connecting" : "away"}, ${transport} of ${transports}${acknowledges ? ", acknowledges" : ""}`;
    const lacks = this.missing.size ? `lacks ${this.missing.size}: ${[...this.missing].slice(0, ids_shown).join(" ")}` : "lacks nothing";
    return `${this.name} ${how}, at ${port}, socket ${socket.id}, last ${last?.epoch}-${last?.number}, ${lacks}; ${this.events.join("; ")}`;
  }

  async end() {
    await this.settle();
    this.socket?.io._close();
    this.proxy?.stop();
  }
}
