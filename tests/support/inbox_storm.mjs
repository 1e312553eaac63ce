// Notifications to users who come and go while servers die: who was told 202 for what, and what each user's application has
// seen of it. Afterwards assess() says what of it is wrong, and how often something was sent again.
import assert from "node:assert/strict";
import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { io } from "socket.io-client";
import { call } from "./api.mjs";
import { Proxy } from "./proxy.mjs";
import { eventually } from "./wait.mjs";

const answer_ms_max = 5000;     // then a producer asks again, with the same key
const away_ms_max = 1500;
const stay_ms = [300, 6000];    // a user is there so long before something happens
const drain_ms_max = 120_000;   // from the last fault until everything has arrived

const between = (min, max) => min + Math.random() * (max - min);
const one_of = (list) => list[Math.floor(Math.random() * list.length)];
const place = (position) => { const [epoch, number] = position.split("-"); return { epoch, number: Number(number) }; };

// One user with one device: an unmodified client behind a proxy of its own, and what the application keeps. Each stay is at one
// node: requests of a polling session must come to where it is.
class Person {
  constructor(name, i, epochs_change) {
    const transports = i % 5 === 0 ? ["polling", "websocket"] : ["websocket"];
    Object.assign(this, { name, transports, epochs_change, acknowledges: i % 3 === 0, seen: new Map(), said: new Set() });
    Object.assign(this, { received: 0, repeats: 0, drops: 0, gaps: [], faults: [] });
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
    socket.on("notification", (data, meta, ...more) => {
      if (socket !== this.socket) return this.faults.push("a closed socket has got something");
      this.take(data, meta);
      if (this.acknowledges) more.at(-1)();
    });
    socket.on("inbox:gap", (gap) => this.gaps.push(gap));
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
  }

  async come_and_go() {
    while (this.is_restless) {
      await sleep(between(...stay_ms));
      if (!this.is_restless) return;
      ++this.drops;
      await one_of([this.leave, this.lose_network, this.reload]).call(this);
    }
  }
  async leave() {
    this.socket.disconnect();
    await sleep(between(0, away_ms_max));
    this.choose_node();
    this.socket.connect();
  }
  lose_network() {
    this.choose_node();
    this.proxy.strand();
  }
  async reload() {
    this.socket.io._close();
    await sleep(between(0, away_ms_max));
    this.choose_node();
    this.open();
  }

  end() {
    this.socket.io._close();
    this.proxy.stop();
  }
}

export class InboxStorm {
  // `epochs_change`: positions go on from one epoch to another, in order, as they do when Redis restarts.
  // `nodes`: a list whose members may be replaced by others while it runs, each { clients, api, is_up }.
  // `name`: of this storm, where there is another one in the same store.
  static async start(nodes, { users, epochs_change = false, name = "" }) {
    const storm = new InboxStorm();
    Object.assign(storm, { nodes, name, accepted: 0, asked_again: 0, agent: new Agent({ keepAlive: true }), expected: new Map() });
    storm.people = Array.from({ length: users }, (_, i) => new Person(`${name}user-${i}`, i, epochs_change));
    const port_of = () => Number(new URL(one_of(nodes).clients).port);
    await Promise.all(storm.people.map((person) => person.start(port_of)));
    await eventually("all users to be there", () => storm.people.every(({ socket }) => socket.connected));
    for (const person of storm.people) {
      storm.expected.set(person.name, new Map());
      person.is_restless = true;
      person.loop = person.come_and_go();
    }
    return storm;
  }

  // Until `count` notifications have been accepted. Producers are `producers` loops, each one after the other.
  async produce(count, { producers = 32 } = {}) {
    let next = 0;
    const loop = async () => {
      while (next < count) await this.notify(next++);
    };
    const since = performance.now();
    await Promise.all(Array.from({ length: producers }, loop));
    this.seconds = (performance.now() - since) / 1000;
  }

  // Every fourth to three users. Asked again with its key until somebody has said 202.
  async notify(n) {
    const users = new Set(Array.from({ length: n % 4 === 0 ? 3 : 1 }, () => one_of(this.people).name));
    const body = { to: { users: [...users] }, data: { n, text: "Your parcel is on its way" }, idempotency_key: `${this.name}n-${n}` };
    for (;;) {
      const answer = await this.ask(body);
      if (answer?.status === 202) {
        ++this.accepted;
        const { id } = JSON.parse(answer.body);
        for (const user of users) this.expected.get(user).set(id, n);
        return;
      }
      if (answer) assert.equal(answer.status, 503, answer.body);
      ++this.asked_again;
      await sleep(between(20, 200));
    }
  }
  async ask(body) {
    try {
      return await call(one_of(this.nodes), "/v1/notifications", { body, agent: this.agent, timeout_ms: answer_ms_max });
    } catch {
      return undefined; // no answer: it may have been accepted or not
    }
  }

  // The faults are over: everything arrives.
  async calm() {
    for (const person of this.people) person.is_restless = false;
    await Promise.all(this.people.map(({ loop }) => loop));
    const missing = () => this.people.reduce((sum, person) => sum + [...this.expected.get(person.name).keys()].filter((id) => !person.seen.has(id)).length, 0);
    const since = performance.now();
    await eventually(() => `${missing()} notifications that have not arrived`, () => missing() === 0, drain_ms_max).catch((error) => { this.late = error; });
    this.drain_ms = Math.round(performance.now() - since);
    this.lost = missing();
  }

  // Throws unless nothing was lost, out of order or seen twice; else the figures.
  assess() {
    const sum = (of) => this.people.reduce((total, person) => total + of(person), 0);
    const received = sum(({ received }) => received);
    const repeats = sum(({ repeats }) => repeats);
    const report = {
      notifications: this.accepted, deliveries: sum(({ seen }) => seen.size), lost: this.lost, "out of order or twice": sum(({ faults }) => faults.length),
      "raw repeat rate": `${(100 * repeats / received).toFixed(2)} %`, "asked again by producers": this.asked_again, drops: sum(({ drops }) => drops),
      "accepted/s": Math.round(this.accepted / this.seconds), drain_ms: this.drain_ms,
    };
    assert.deepEqual(this.people.flatMap(({ name, faults }) => faults.map((fault) => `${name}: ${fault}`)), [], JSON.stringify(report));
    assert.deepEqual(this.people.flatMap(({ name, gaps }) => gaps.map((gap) => `${name}: ${JSON.stringify(gap)}`)), [], JSON.stringify(report));
    assert.equal(this.lost, 0, `${this.late?.message} ${JSON.stringify(report)}`);
    for (const { name, seen } of this.people)
      assert.deepEqual([...seen].filter(([id]) => !this.expected.get(name).has(id)), [], `${name} has got what was never accepted`);
    return report;
  }

  end() {
    for (const person of this.people ?? []) { person.is_restless = false; person.end(); }
    this.agent.destroy();
  }
}
