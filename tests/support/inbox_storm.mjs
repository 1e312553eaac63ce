// Notifications to users who come and go while servers die: who was told 202 for what, and what each user's application has
// seen of it. Afterwards assess() says what of it is wrong, and how often something was sent again; describe() says where
// everything stands, at any time. Nothing here goes on for ever.
import assert from "node:assert/strict";
import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { call } from "./api.mjs";
import { InboxPerson, between, one_of } from "./inbox_person.mjs";
import { eventually } from "./wait.mjs";

const answer_ms_max = 5000;      // then a producer asks again, with the same key
const arrival_ms_max = 60_000;   // until all users are there
// From the last fault until everything has arrived. The official client that loses its network in the midst of its upgrade
// to WebSocket notices by its heartbeat only: after 25 s with the intervals of these tests.
const drain_ms_max = 120_000;
const people_shown = 10;
const traces_shown = 3;

export class InboxStorm {
  // `epochs_change`: positions go on from one epoch to another, in order, as they do when Redis restarts.
  // `nodes`: a list whose members may be replaced by others while it runs, each { clients, api }.
  // `name`: of this storm, where there is another one in the same store.
  constructor(nodes, { users, epochs_change = false, name = "" }) {
    Object.assign(this, { nodes, name, accepted: 0, asked_again: 0, answers: {}, agent: new Agent({ keepAlive: true }) });
    this.people = Array.from({ length: users }, (_, i) => new InboxPerson(`${name}user-${i}`, i, { epochs_change }));
  }

  async start() {
    const port_of = () => Number(new URL(one_of(this.nodes).clients).port);
    await Promise.all(this.people.map((person) => person.start(port_of)));
    const absent = () => this.people.filter(({ socket }) => !socket.connected).length;
    await eventually(() => `${absent()} users who are not there`, () => absent() === 0, arrival_ms_max);
    for (const person of this.people) person.begin_to_come_and_go();
  }

  // Until `count` notifications have been accepted, spread over `seconds_min` at least, by so many producers, each one after
  // the other. Fails when that has taken `seconds_max`, or when somebody gives up().
  async produce(count, { producers = 32, seconds_min = 0, seconds_max = 300 } = {}) {
    const began = performance.now();
    const since = () => (performance.now() - began) / 1000;
    const late = setTimeout(() => this.give_up(new Error(`only ${this.accepted} of ${count} notifications accepted within ${seconds_max} s`)), seconds_max * 1000);
    let next = 0;
    const loop = async () => {
      while (next < count) {
        const n = next++;
        const early_ms = 1000 * (seconds_min * n / count - since());
        if (early_ms > 0) await sleep(early_ms);
        await this.notify(n);
      }
    };
    await Promise.all(Array.from({ length: producers }, loop)).catch((error) => { this.give_up(error); throw error; }).finally(() => clearTimeout(late));
    this.seconds = since();
  }
  // The same while disturb(is_over) does what it does. When that fails nothing may be accepted any more.
  async produce_amid(disturb, count, options) {
    let is_over = false;
    const producing = this.produce(count, options).finally(() => { is_over = true; });
    const disturbing = disturb(() => is_over).catch((error) => { this.give_up(error); throw error; });
    const [produced, disturbed] = await Promise.allSettled([producing, disturbing]);
    for (const { reason } of [disturbed, produced]) if (reason) throw reason;
  }

  // Producers end; the first reason counts.
  give_up(why) { this.given_up ??= why; }

  // Every fourth to three users. Asked again with its key until somebody has said 202.
  async notify(n) {
    const people = new Set(Array.from({ length: n % 4 === 0 ? 3 : 1 }, () => one_of(this.people)));
    const users = [...people].map(({ name }) => name);
    const body = { to: { users }, data: { n, text: "Your parcel is on its way" }, idempotency_key: `${this.name}n-${n}` };
    for (;;) {
      if (this.given_up) throw this.given_up;
      const answer = await this.ask(body);
      if (answer.status === 202) {
        ++this.accepted;
        const { id } = JSON.parse(answer.body);
        for (const person of people) person.expect(id);
        return;
      }
      if (answer.status) assert.equal(answer.status, 503, answer.body);
      ++this.asked_again;
      await sleep(between(20, 200));
    }
  }
  // Without a status: no answer has come, it may have been accepted or not.
  async ask(body) {
    const answer = await call(one_of(this.nodes), "/v1/notifications", { body, agent: this.agent, timeout_ms: answer_ms_max })
      .catch((error) => ({ body: error.code ?? error.message.replace(/:.*/, "") }));
    const what = answer.status ? String(answer.status) : answer.body;
    this.answers[what] = (this.answers[what] ?? 0) + 1;
    return answer;
  }

  // How many deliveries have not come yet.
  missing() { return this.people.reduce((sum, { missing }) => sum + missing.size, 0); }

  // The faults are over: everything arrives.
  async calm() {
    await Promise.all(this.people.map((person) => person.settle()));
    const since = performance.now();
    await eventually(() => `${this.missing()} deliveries that have not come`, () => this.missing() === 0, drain_ms_max).catch((error) => { this.late = error; });
    this.drain_ms = Math.round(performance.now() - since);
  }

  // Throws unless nothing was lost, out of order or seen twice; else the figures.
  assess() {
    const sum = (of) => this.people.reduce((total, person) => total + of(person), 0);
    const all = (list, tell) => this.people.flatMap((person) => person[list].map((item) => `${person.name}: ${tell(item)}`));
    const repeats = sum((person) => person.repeats);
    const report = {
      notifications: this.accepted, deliveries: sum(({ seen }) => seen.size), lost: this.missing(), "out of order or twice": sum(({ faults }) => faults.length),
      "raw repeat rate": `${(100 * repeats / sum(({ received }) => received)).toFixed(2)} %`, "asked again by producers": this.asked_again, drops: sum(({ drops }) => drops),
      "accepted/s": Math.round(this.accepted / this.seconds), drain_ms: this.drain_ms,
    };
    const figures = JSON.stringify(report);
    assert.deepEqual(all("faults", (fault) => fault), [], figures);
    assert.deepEqual(all("gaps", (gap) => JSON.stringify(gap)), [], figures);
    assert.equal(this.missing(), 0, `${this.late?.message} ${figures}`);
    for (const { name, seen, accepted } of this.people)
      assert.deepEqual([...seen].filter(([id]) => !accepted.has(id)), [], `${name} has got what was never accepted`);
    return report;
  }

  // Lines for the report of a failure: who is not where it should be, and what became of something that has not come.
  async describe() {
    const unfinished = this.people.filter((person) => !person.socket?.connected || person.missing.size || person.faults.length || person.gaps.length);
    const shown = unfinished.slice(0, people_shown);
    const traces = shown.flatMap(({ missing }) => [...missing].slice(0, 1)).slice(0, traces_shown).map(async (id) => {
      const { body } = await call(this.nodes[0], `/v1/notifications/${id}`, { method: "GET" }).catch((error) => ({ body: error.message }));
      return `trace: ${body}`;
    });
    return [
      `storm: ${this.accepted} accepted, ${this.missing()} deliveries missing, answers to producers ${JSON.stringify(this.answers)}, ` +
        `${unfinished.length} of ${this.people.length} users with something amiss`,
      ...shown.map((person) => person.describe()),
      ...await Promise.all(traces),
    ];
  }

  async end() {
    this.give_up(new Error("the storm is over"));
    await Promise.all(this.people.map((person) => person.end()));
    this.agent.destroy();
  }
}
