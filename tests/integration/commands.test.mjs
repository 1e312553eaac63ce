// The other commands of the program: version, config, emit, tail.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { emit } from "../support/api.mjs";
import { Client } from "../support/clients.mjs";
import { run_carillon, skip_on_reference, start_carillon, start_command, temporary_folder } from "../support/servers.mjs";

describe("carillon", { skip: skip_on_reference }, () => {
  it("version prints a version", async () => {
    const { code, stdout } = await run_carillon(["version"]);
    assert.equal(code, 0);
    assert.match(stdout, /\d+\.\d+\.\d+/);
  });

  it("--help tells of every command", async () => {
    const { code, stdout } = await run_carillon(["--help"]);
    assert.equal(code, 0);
    for (const command of ["serve", "emit", "tail", "config", "version"]) assert.match(stdout, new RegExp(`\\b${command}\\b`));
  });

  for (const args of [[], ["frobnicate"], ["version", "--loud"], ["config"], ["config", "frob"], ["emit"], ["tail"], ["emit", "--event"]]) {
    it(`${["carillon", ...args].join(" ")}: exit 2 and a reason`, async () => {
      const { code, stderr } = await run_carillon(args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /\w+ \w+/);
    });
  }
});

describe("carillon config", { skip: skip_on_reference }, () => {
  const check = (text) => {
    const path = join(temporary_folder(), "carillon.toml");
    writeFileSync(path, text);
    return run_carillon(["config", "check", path]);
  };

  it("default prints a file that check accepts", async () => {
    const { code, stdout } = await run_carillon(["config", "default"]);
    assert.equal(code, 0);
    assert.match(stdout, /^\[engine\]$/m);
    assert.match(stdout, /ping_interval_ms\s*=\s*25_?000/);
    assert.equal((await check(stdout)).code, 0);
  });

  it("check accepts an empty file", async () => {
    assert.equal((await check("")).code, 0);
  });

  const bad = [
    ["a syntax error", "[engine]\nping_interval_ms =\n", /carillon\.toml:2/],
    ["an unknown key", "[engine]\npings = 1\n", /carillon\.toml:2.*engine\.pings/],
    ["an unknown section", "\n[engines]\nx = 1\n", /carillon\.toml:[23].*engines/],
    ["a wrong type", "[node]\nshards = true\n", /carillon\.toml:2.*node\.shards.*expected/],
    ["a value out of range", "[engine]\nping_interval_ms = 0\n", /carillon\.toml:2.*engine\.ping_interval_ms.*expected/],
  ];
  for (const [name, text, part] of bad) {
    it(`check refuses ${name}: exit 1, with file, line, key and what was expected`, async () => {
      const { code, stdout, stderr } = await check(text);
      assert.equal(code, 1, stderr);
      assert.match(stdout + stderr, part);
    });
  }

  it("check reports every error at once", async () => {
    const { code, stdout, stderr } = await check("[engine]\nping_interval_ms = 0\n\n[node]\nshards = true\n");
    assert.equal(code, 1);
    assert.match(stdout + stderr, /:2[^]*:5/);
  });

  it("check of a file that is not there fails and names it", async () => {
    const { code, stderr } = await run_carillon(["config", "check", "/nowhere/carillon.toml"]);
    assert.ok(code === 1 || code === 2);
    assert.match(stderr, /\/nowhere\/carillon\.toml/);
  });
});

describe("carillon emit and carillon tail", { skip: skip_on_reference }, () => {
  let node;
  before(async () => { node = await start_carillon(["--set", 'api.keys=["the-key"]']); });
  after(() => node?.stop());
  const emit_command = (...args) => run_carillon(["emit", "--api", node.api, "--key", "the-key", ...args]);

  it("emit reaches rooms and leaves out the excepted ones", async () => {
    const [anna, bert] = await Promise.all(["anna", "bert"].map((userId) => Client.connect(node.clients, { auth: { userId } })));
    const args = ["--args", '[1,"zwei",{"drei":[]}]'];
    const first = await emit_command("--room", "user:anna", "--room", "user:bert", "--except", "user:bert", "--event", "e", ...args);
    assert.equal(first.code, 0, first.stderr);
    assert.equal((await emit_command("--event", "last")).code, 0);
    assert.deepEqual(await anna.next("e"), [1, "zwei", { drei: [] }]);
    assert.deepEqual(await anna.next("last"), []);
    assert.deepEqual(await bert.next("last"), []);
    assert.deepEqual(bert.queue("e").items, []);
    anna.close();
    bert.close();
  });

  it("emit says why it failed", async () => {
    const cases = [
      [["emit", "--api", node.api, "--key", "wrong", "--event", "e"], /key/i],
      [["emit", "--api", "http://127.0.0.1:1", "--event", "e"], /127\.0\.0\.1:1/],
      [["emit", "--api", node.api, "--key", "the-key", "--event", "disconnect"], /disconnect/],
    ];
    for (const [args, part] of cases) {
      const { code, stderr } = await run_carillon(args);
      assert.ok(code === 1 || code === 2, `${args}: ${code}`);
      assert.match(stderr, part);
    }
    const { code, stderr } = await run_carillon(["emit", "--api", node.api, "--key", "the-key", "--event", "e", "--args", "[1"]);
    assert.ok(code === 1 || code === 2);
    assert.match(stderr, /args/);
  });

  it("tail prints what arrives for its user, until SIGTERM or SIGINT", async () => {
    for (const signal of ["SIGTERM", "SIGINT"]) {
      const tail = start_command(["tail", "--user", `watcher-${signal}`, "--url", node.clients]);
      // Emitted again until the tail is connected: nothing else tells from outside when it is.
      const text = `hello ${signal}`;
      const seen = tail.output(new RegExp(text));
      let done = false;
      seen.finally(() => { done = true; }).catch(() => {});
      while (!done) {
        const args = ["--room", `user:watcher-${signal}`, "--event", "notification", "--args", JSON.stringify([{ text }])];
        assert.equal((await emit_command(...args)).code, 0);
      }
      const [line] = (await seen).input.split("\n").filter((each) => each.includes(text));
      assert.match(line, /notification/);
      const how = await tail.stop(signal);
      assert.equal(how.code, 0, tail.stderr);
    }
  });

  it("tail prints each event once, in order", async () => {
    const tail = start_command(["tail", "--user", "orderly", "--url", node.clients]);
    const headers = { authorization: "Bearer the-key" };
    const send = (text) => emit(node, { rooms: ["user:orderly"], event: "e", args: [text] }, { headers });
    let connected = false;
    const hello = tail.output(/hello/).then(() => { connected = true; });
    while (!connected) await Promise.race([hello, send("hello")]);
    for (let i = 0; i < 100; ++i) await send(`number ${i}.`);
    await tail.output(/number 99\./);
    assert.deepEqual(tail.stdout.match(/number \d+\./g), Array.from({ length: 100 }, (_, i) => `number ${i}.`));
    await tail.stop();
  });

  it("tail of a server that is not there says so", async () => {
    const tail = start_command(["tail", "--user", "x", "--url", "http://127.0.0.1:1"]);
    // It may give up or try again; it may not be silent.
    await tail.output(/127\.0\.0\.1:1|refused|connect/i, { name: "stderr" });
    if (!tail.how_it_ended) await tail.stop();
  });
});
