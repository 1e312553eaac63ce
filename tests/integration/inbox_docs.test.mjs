// docs/inbox.md: its JavaScript, run as it stands there.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { io } from "socket.io-client";
import { call } from "../support/api.mjs";
import { skip_on_reference, start_carillon } from "../support/servers.mjs";
import { eventually } from "../support/wait.mjs";

const page = readFileSync(new URL("../../docs/inbox.md", import.meta.url), "utf8");
const blocks = [...page.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);

// Runs a block with these names; gives `socket` and what else it has defined.
function run(code, names, results) {
  return new Function(...Object.keys(names), `${code}\nreturn { ${results} };`)(...Object.values(names));
}

describe("docs/inbox.md", { skip: skip_on_reference }, () => {
  let node;
  before(async () => { node = await start_carillon(["--set", "inbox.notifications_per_user_max=4"]); });
  after(() => node?.stop());

  async function notify(data) {
    const answer = await call(node, "/v1/notifications", { body: { to: { users: ["alice"] }, data } });
    assert.equal(answer.status, 202, answer.body);
    return JSON.parse(answer.body).id;
  }

  it("the app shows each notification once, hears of gaps and of what was read", async () => {
    for (let i = 1; i <= 6; ++i) await notify(i);
    const shown = [];
    const pages = [];
    const badges = [];
    const app = run(blocks[0], {
      io: (url, options) => io(url, { ...options, forceNew: true }), url: node.clients,
      show: (data) => shown.push(data), show_all: (inbox) => pages.push(inbox), show_badge: (unread) => badges.push(unread),
    }, "socket, mark_read");
    try {
      await eventually("four shown", () => shown.length === 4);
      assert.deepEqual(shown, [3, 4, 5, 6]);
      await eventually("the inbox", () => pages.length === 1);
      assert.deepEqual(pages[0].items.map((item) => item.data), [3, 4, 5, 6]);
      app.mark_read(pages[0].items[0]);
      await eventually("a badge", () => badges.length === 1);
      assert.deepEqual(badges, [3]);
    } finally {
      app.socket.disconnect();
    }
  });

  it("the app that acknowledges does so when it has stored a notification", async () => {
    const stored = [];
    const id = await notify("to be stored");
    const app = run(blocks[1], {
      io: (url, options) => io(url, { ...options, forceNew: true }), url: node.clients,
      store: async (data) => { stored.push(data); },
    }, "socket");
    try {
      await eventually("acknowledged", async () => {
        const answer = await call(node, `/v1/notifications/${id}`, { method: "GET" });
        return JSON.parse(answer.body).recipients[0].state === "acknowledged";
      });
      assert.ok(stored.includes("to be stored"));
    } finally {
      app.socket.disconnect();
    }
  });
});
