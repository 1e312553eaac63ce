// Notifications between all nodes while something happens to them: who sent what when, who got it, and who was connected
// meanwhile. Afterwards assess() says what of it is wrong.
import assert from "node:assert/strict";
import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { io } from "socket.io-client";
import { call, readiness } from "./api.mjs";
import { assert_increasing } from "./cluster.mjs";
import { metrics } from "./metrics.mjs";
import { eventually, once } from "./wait.mjs";

const pause_ms = 5;               // of each sender between two notifications
const look_ms = 20;               // between two looks at /readyz
const notice_ms_max = 3 * look_ms;  // until a look has seen what has happened
const crash_ms_max = 100;           // from sending a notification until Redis has handed it on
const drop = /^carillon_redis_dropped_total\{/;

// Times at which somebody was away: [since, until].
class Absences {
  constructor() { this.all = []; }
  begin(at) { this.since ??= at; }
  end(at) {
    if (this.since === undefined) return;
    this.all.push([this.since, at]);
    this.since = undefined;
  }
  covers(at) {
    const open = this.since === undefined ? [] : [[this.since, Infinity]];
    return [...this.all, ...open].some(([since, until]) => at > since - notice_ms_max && at < until + notice_ms_max);
  }
}

// One user with one unmodified client.
class Listener {
  constructor(url, user, home) {
    Object.assign(this, { user, home, absences: new Absences(), got: new Map() });
    this.socket = io(url, { transports: ["websocket"], auth: { userId: user }, reconnectionDelay: 100, reconnectionDelayMax: 300 });
    this.socket.on("connect", () => this.absences.end(performance.now()));
    this.socket.on("disconnect", () => this.absences.begin(performance.now()));
    this.socket.on("n", ({ from, i }) => {
      if (!this.got.has(from)) this.got.set(from, new Map());
      const numbers = this.got.get(from);
      if (numbers.has(i)) this.repeats = (this.repeats ?? 0) + 1;
      else numbers.set(i, performance.now());
    });
  }
  numbers_of(from) { return this.got.get(from) ?? new Map(); }
}

export class Traffic {
  // `nodes`: running, and ready. Each gets `listeners` clients.
  static async start(nodes, { listeners = 2 } = {}) {
    const traffic = new Traffic();
    Object.assign(traffic, { nodes, is_on: true, agent: new Agent({ keepAlive: true }) });
    traffic.listeners = nodes.flatMap((node, home) => Array.from({ length: listeners }, (_, i) => new Listener(node.clients, `u-${home}-${i}`, home)));
    await Promise.all(traffic.listeners.map(({ socket }) => once(socket, "connect")));
    await traffic.until_interested();
    traffic.absences = nodes.map(() => new Absences());
    traffic.drops_before = await traffic.drops();
    traffic.sent = nodes.map(() => []);
    traffic.loops = [...nodes.map((_, from) => traffic.send(from)), ...nodes.map((_, of) => traffic.watch(of))];
    return traffic;
  }

  // The rooms of all listeners have been joined everywhere.
  until_interested() {
    return eventually("every listener to be heard of", async () => {
      const tried = await Promise.all(this.nodes.map((node) => call(node, "/v1/rooms?view=ids&limit=1000", { method: "GET" })));
      return tried.every(({ status }) => status === 200) &&
        this.listeners.every(({ user }) => tried.every(({ body }) => body.includes(`"user:${user}"`)));
    });
  }

  // Every fourth is for everyone, the others are for one user each.
  async send(from) {
    const sent = this.sent[from];
    for (let i = 0; this.is_on; ++i) {
      const to = i % 4 === 0 ? undefined : this.listeners[i % this.listeners.length].user;
      const note = { i, to, at: performance.now() };
      const body = { event: "n", args: [{ from, i }], ...(to && { rooms: [`user:${to}`] }) };
      const status = await call(this.nodes[from], "/v1/emit", { body, agent: this.agent }).then((answer) => answer.status, () => 0);
      assert.ok(status === 202 || status === 0, `POST /v1/emit: ${status}`);
      if (status === 202) sent.push(note);
      await sleep(pause_ms);
    }
  }

  async watch(of) {
    while (this.is_on) {
      const status = await readiness(this.nodes[of]).catch(() => 0);
      if (status === 200 && this.nodes[of].is_cut_off !== true) this.absences[of].end(performance.now());
      else this.absences[of].begin(performance.now());
      await sleep(look_ms);
    }
  }

  // Something has happened to these nodes just now, whether they know it or not; and it is over.
  begin_fault(nodes) {
    for (const of of nodes) {
      this.nodes[of].is_cut_off = true;
      this.absences[of].begin(performance.now());
    }
  }
  // Redis dies with what it has confirmed and not yet handed on, which nobody can count; unless it has `kept` that on disk.
  begin_crash(nodes, kept = false) {
    this.begin_fault(nodes);
    if (!kept) this.crashed_at = performance.now();
  }
  // This one's memory is gone with all that was in it.
  begin_death(node) {
    this.begin_fault([node]);
    this.killed = node;
    this.drops_before[node] = 0;
  }
  end_fault(nodes) { for (const of of nodes) this.nodes[of].is_cut_off = false; }

  // How long it takes from now until all nodes say that they are ready: ms.
  async until_recovered(since = performance.now()) {
    await eventually("every node to be ready", () => this.absences.every((absences) => absences.since === undefined), 60_000);
    return Math.max(0, ...this.absences.map(({ all }) => (all.at(-1)?.[1] ?? since) - since));
  }

  // Until the first notification of each node has come to each other one: ms.
  delivery_ms(since) {
    const pairs = this.nodes.flatMap((_, from) => this.nodes.map((__, home) => [from, home])).filter(([from, home]) => from !== home);
    return Math.max(...pairs.map(([from, home]) => {
      const times = this.listeners.filter((listener) => listener.home === home).flatMap((listener) => [...listener.numbers_of(from).values()]);
      return Math.min(...times.filter((at) => at >= since)) - since;
    }));
  }

  async drops() {
    const each = await Promise.all(this.nodes.map((node) => metrics(node)));
    return each.map((values) => Object.entries(values).reduce((sum, [name, value]) => sum + (drop.test(name) ? value : 0), 0));
  }

  // No further notifications; resolves when the last ones have arrived.
  async stop() {
    this.is_on = false;
    await Promise.all(this.loops);
    this.agent.destroy();
    const last = this.nodes.length + 1_000_000;
    for (const [from, node] of this.nodes.entries()) {
      const { status } = await call(node, "/v1/emit", { body: { event: "n", args: [{ from, i: last }] } });
      assert.equal(status, 202);
    }
    await eventually("the last notification of each node to arrive everywhere", () =>
      this.listeners.every((listener) => this.nodes.every((_, from) => listener.numbers_of(from).has(last))));
    for (const listener of this.listeners) for (const [from] of this.nodes.entries()) listener.numbers_of(from).delete(last);
  }

  // What was sent and what is missing. Fails on repeats, disorder, and whatever is missing without an excuse: it was sent while
  // both ends were connected, or its sender was cut off and has not counted it as dropped.
  async assess() {
    const report = { sent: 0, expected: 0, missed_by_absent: 0 };
    const missed = new Set(); // messages that somebody has not got who was there
    const missed_in_crash = new Set();
    const local_ms = [];
    for (const [from, sent] of this.sent.entries()) {
      report.sent += sent.length;
      for (const listener of this.listeners) {
        const got = listener.numbers_of(from);
        assert.equal(listener.repeats ?? 0, 0, `repeats at ${listener.user}`);
        assert_increasing([...got.keys()], `node ${from} to ${listener.user}`);
        for (const note of sent.filter(({ to }) => to === undefined || to === listener.user)) {
          ++report.expected;
          const arrived_at = got.get(note.i);
          if (arrived_at !== undefined && listener.home === from) local_ms.push(arrived_at - note.at);
          if (arrived_at !== undefined) continue;
          const is_listening = !listener.absences.covers(note.at) && !this.absences[listener.home].covers(note.at);
          const is_sending = !this.absences[from].covers(note.at);
          assert.ok(listener.home !== from || listener.absences.covers(note.at), `${note.i} of node ${from} is missing at its own ${listener.user}`);
          assert.ok(!is_listening || !is_sending, `${note.i} of node ${from}, sent while both ends were connected, is missing at ${listener.user}`);
          if (is_sending || this.killed === from) ++report.missed_by_absent;
          else (Math.abs(note.at - this.crashed_at) < crash_ms_max ? missed_in_crash : missed).add(`${from} ${note.i}`);
        }
      }
    }
    const drops = await this.drops();
    report.missed = missed.size + missed_in_crash.size;
    report.counted_drops = drops.reduce((sum, count, i) => sum + count - this.drops_before[i], 0);
    assert.ok(missed.size <= report.counted_drops, `${missed.size} messages did not arrive, ${report.counted_drops} are counted as dropped`);
    local_ms.sort((a, b) => a - b);
    report.local_p99_ms = Math.round(local_ms[Math.floor(local_ms.length * 0.99)]);
    report.local_max_ms = Math.round(local_ms.at(-1));
    return report;
  }

  end() {
    this.is_on = false;
    for (const { socket } of this.listeners) socket.disconnect();
    this.agent.destroy();
  }
}
