// The scene that Carillon is for: a browser is connected to node 1, something happens on node 2, the page shows it.
//
// CARILLON_SCREENSHOT=path keeps a picture of the page.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { chromium } from "playwright-core";
import { emit } from "../support/api.mjs";
import { Client } from "../support/clients.mjs";
import { Cluster, room_channel } from "../support/cluster.mjs";
import { is_reference } from "../support/servers.mjs";
import { patience_ms } from "../support/wait.mjs";

// Without the flags against background traffic Chromium looks for hosts that a test machine need not reach.
const flags = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

describe("the page of node 1", () => {
  let cluster;
  let browser;
  let page;
  const complaints = [];
  before(async () => {
    cluster = await Cluster.start(["serve", "serve"]);
    await cluster.until_complete();
    browser = await chromium.launch({ executablePath: process.env.CARILLON_CHROMIUM ?? "/usr/bin/chromium", args: flags });
    page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.setDefaultTimeout(patience_ms);
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => { if (message.type() === "error") complaints.push(message.text()); });
  });
  after(async () => {
    await browser?.close();
    await cluster?.stop();
  });

  const is_connected = () => page.waitForFunction(() => /(^|\s)connected\b/.test(document.querySelector("#status").textContent));
  const notification = (text) => page.locator(".notification", { has: page.locator(".notification-text", { hasText: text }) });
  const until_subscribed = (user) => (
    is_reference ? undefined : cluster.redis.until_subscribed(cluster.control, room_channel(`user:${user}`), 1)
  );

  it("connects as a user", async () => {
    await page.goto(`${cluster.members[0].api}/`);
    await page.fill("#user", "alice");
    await page.click("#connect");
    await is_connected();
    await until_subscribed("alice");
  });

  it("shows what is published on node 2, with its latency", async () => {
    const data = { text: "Your order 1042 is on its way", from: "shop", sent_at_ms: Date.now() };
    await emit(cluster.members[1], { rooms: ["user:alice"], event: "notification", args: [data] });
    const item = notification(data.text);
    await item.waitFor();
    assert.match(await item.locator(".notification-latency").textContent(), /\d/);
    assert.equal(await item.count(), 1);
  });

  it("does not show what is for others", async () => {
    await emit(cluster.members[1], { rooms: ["user:bob"], event: "notification", args: [{ text: "for bob only" }] });
    await emit(cluster.members[1], { rooms: ["user:alice"], event: "notification", args: [{ text: "for alice" }] });
    await notification("for alice").waitFor();
    assert.equal(await notification("for bob only").count(), 0);
  });

  it("shows text as text, whatever it looks like", async () => {
    const text = '<img src="x" onerror="document.title=1"><b>bold</b> & "quoted"';
    await emit(cluster.members[1], { rooms: ["user:alice"], event: "notification", args: [{ text }] });
    await notification(text).waitFor();
    assert.equal(await page.locator("#feed img, #feed b").count(), 0);
  });

  it("shows what is no object with a text, too", async () => {
    await emit(cluster.members[1], { rooms: ["user:alice"], event: "notification", args: ["plain words"] });
    await notification("plain words").waitFor();
    await emit(cluster.members[1], { rooms: ["user:alice"], event: "notification", args: [{ order: 4711 }] });
    await notification("4711").waitFor();
  });

  it("sends to a user of another node from its form", async () => {
    const bob = await Client.connect(cluster.members[1].url, { auth: { userId: "bob" } });
    cluster.clients.push(bob);
    await until_subscribed("bob");
    await page.fill("#to", "bob");
    await page.fill("#message", "Hello Bob, from the page");
    await page.click("#send");
    const args = await bob.next("notification");
    assert.match(JSON.stringify(args), /Hello Bob, from the page/);
    await page.waitForFunction(() => document.querySelector("#send-result").textContent.trim() !== "");
  });

  it("sends to itself and sees it arrive", async () => {
    await page.fill("#to", "alice");
    await page.fill("#message", "A note to myself");
    await page.click("#send");
    const item = notification("A note to myself");
    await item.waitFor();
    assert.match(await item.locator(".notification-latency").textContent(), /\d/);
    if (process.env.CARILLON_SCREENSHOT) await page.screenshot({ path: process.env.CARILLON_SCREENSHOT });
  });

  it("did all that without a complaint of the browser", () => {
    assert.deepEqual(complaints, []);
  });
});
