// The page at "/": connects as a user, shows what arrives and how long it took, and sends through the HTTP API.
// Everything that comes from outside reaches the document through textContent only.
"use strict";

const feed_items_max = 200;
const latencies_max = 100;
const seen_ids_max = 1000;
const latency_ms_max = 60_000; // beyond a minute it is another clock, or a replay, and says nothing about delivery

const state = {
  info: null, // the node's answer to /info.json
  socket: null, // present from Connect to Disconnect, also while it is reconnecting
  has_offsets: false, // recovery is on: each event ends with an offset, which is not data
  user: "", // whom the socket belongs to; the input may already say something else
  received: 0,
  latencies: [], // newest last
  seen_ids: [], // the server repeats until delivery is proven; the id tells repeats
  drawing: 0, // the timer of the next drawing
};

const by_id = (id) => document.getElementById(id);
const set_text = (id, text) => { by_id(id).textContent = text; };
const typed_user = () => by_id("user").value.trim();
const current_user = () => (state.socket ? state.user : typed_user());
const format_ms = (ms) => (ms === null ? "–" : ms < 1 ? "<1 ms" : `${Math.round(ms)} ms`);
const name_bytes = (_, value) => (value instanceof ArrayBuffer ? `<${value.byteLength} bytes>` : value);
const to_json = (value) => JSON.stringify(value, name_bytes) ?? "";
const element = (tag, className, textContent) => Object.assign(document.createElement(tag), { className, textContent });

// Storage throws where the browser blocks it; the page then merely forgets.
function recall(storage, key) {
  try { return window[storage].getItem(key) ?? ""; } catch { return ""; }
}
function remember(storage, key, value) {
  try { window[storage].setItem(key, value); } catch { /* see recall */ }
}

// ---- this node
async function load_info() {
  if (state.info) return;
  const response = await fetch("/info.json", { cache: "no-store" });
  if (!response.ok) throw new Error(`status ${response.status}`);
  state.info = await response.json();
  for (const id of ["node", "version"]) set_text(id, state.info[id]);
  set_text("redis", state.info.redis ? "in use" : "not used");
  set_text("server", clients_url() || "a Unix socket");
  by_id("key-field").hidden = !state.info.keys;
  update_hint();
}

// A wildcard address is where the server listens, not one that a browser can go to.
function clients_url() {
  const [, scheme, host, port] = /^(https?):\/\/(.*):(\d+)$/.exec(state.info.clients) ?? [];
  if (!host) return "";
  return `${scheme}://${["0.0.0.0", "[::]"].includes(host) ? location.hostname : host}:${port}`;
}

// ---- connection
// Only the name of the state goes into #status: a server's message could hold the word "connected" when nobody is.
function show_state(name, text, detail = "") {
  by_id("connection").dataset.state = name;
  set_text("status", text);
  set_text("status-detail", detail);
  set_text("socket-id", state.socket?.id ?? "–");
  set_text("room", `user:${state.user}`);
  set_text("connect", state.socket ? "Disconnect" : "Connect");
  by_id("connect").classList.toggle("on", state.socket !== null);
  update_hint();
}

const show_retry = (why) => show_state("reconnecting", "reconnecting", `${why} Trying again.`);
const show_unavailable = (why) => show_state("refused", "unavailable", why);

async function connect() {
  const user = typed_user();
  if (!user) {
    by_id("user").focus();
    return set_text("status-detail", "Type a user id first, for example ada.");
  }
  try {
    await load_info();
  } catch (error) {
    return show_unavailable(`No /info.json from this node (${error.message}). Is Carillon running?`);
  }
  if (!clients_url()) return show_unavailable("Clients of this node connect by a Unix socket, which no browser can.");
  if (typeof io !== "function") return show_unavailable("/socket.io.min.js did not load. Reload the page.");
  disconnect(); // whoever was connected before: Enter in the input changes the user
  remember("localStorage", "carillon.user", user);
  if (["", state.user].includes(by_id("to").value)) by_id("to").value = user;
  state.user = user;
  open_socket();
}

function open_socket() {
  const socket = io(clients_url(), {
    path: "/socket.io/",
    auth: { userId: state.user },
    forceNew: true,
    transports: ["polling", "websocket"],
    tryAllTransports: true, // a proxy or a CORS rule that stops polling need not stop WebSocket
  });
  state.socket = socket;
  const while_current = (f) => (...args) => socket === state.socket && f(socket, ...args);
  socket.on("connect", while_current(on_connect));
  socket.on("connect_error", while_current(on_connect_error));
  socket.on("disconnect", while_current(on_disconnect));
  socket.io.on("packet", ({ type, data }) => { if (type === 0) state.has_offsets = Boolean(data?.pid); }); // CONNECT
  socket.onAny(while_current(on_event));
  show_state("connecting", "connecting", `Calling ${clients_url()}.`);
}

function on_connect(socket) {
  const show = () => socket.connected && show_state("connected", `connected over ${socket.io.engine.transport.name}`);
  show();
  socket.io.engine.on("upgrade", show);
}

// An inactive socket was refused by the server and will not try again; an active one found nobody to talk to.
function on_connect_error(socket, error) {
  if (socket.active) return show_retry(`No answer from ${clients_url()}.`);
  state.socket = null;
  show_state("refused", "refused", `The server says: ${error.message}`);
}

function on_disconnect(socket, reason) {
  if (socket.active) return show_retry(`The connection was lost (${reason}).`);
  state.socket = null;
  show_state("offline", "offline", "The server ended this session.");
}

function disconnect() {
  const socket = state.socket;
  state.socket = null;
  socket?.disconnect();
  show_state("offline", "offline", "Connect to hear what is sent to this user.");
}

// ---- feed
function on_event(socket, event, ...args) {
  const arrived_at = new Date();
  const values = without_protocol_arguments(args);
  const [data, meta] = values;
  if (event === "notification" && is_repeat(meta?.id)) return;
  const latency = latency_of(data, arrived_at);
  if (latency !== null) state.latencies = [...state.latencies, latency].slice(-latencies_max);
  state.received += 1;
  add_item(event, values, latency, arrived_at);
  draw_soon();
}

// Not data: the function that acknowledges, or the recovery offset.
function without_protocol_arguments(args) {
  const last = args.at(-1);
  const is_offset = state.has_offsets && typeof last === "string";
  return is_offset || typeof last === "function" ? args.slice(0, -1) : args;
}

function is_repeat(id) {
  if (id === undefined) return false;
  if (state.seen_ids.includes(id)) return true;
  state.seen_ids = [...state.seen_ids, id].slice(-seen_ids_max);
  return false;
}

function latency_of(data, arrived_at) {
  if (!Number.isFinite(data?.sent_at_ms)) return null;
  const latency = arrived_at - data.sent_at_ms;
  return latency >= 0 && latency <= latency_ms_max ? latency : null;
}

function add_item(event, values, latency, arrived_at) {
  const [data, meta] = values;
  const is_notification = event === "notification";
  const has_text = typeof data?.text === "string";
  const about = [arrived_at.toLocaleTimeString([], { hour12: false })];
  if (typeof data?.from === "string" && data.from) about.unshift(`from ${data.from}`);
  if (!is_notification) about.unshift(`event ${event}`);
  if (meta?.position !== undefined) about.push(`inbox ${meta.position}`);
  const shown = has_text ? data.text : to_json(is_notification || values.length === 1 ? data : values);

  const item = element("li", is_notification ? "notification" : "notification other", "");
  item.append(
    element("div", has_text ? "notification-text" : "notification-text json", shown),
    element("div", "notification-latency", format_ms(latency)),
    element("div", "notification-about", about.join(" · ")),
  );
  by_id("feed").prepend(item);
  if (by_id("feed").childElementCount > feed_items_max) by_id("feed").lastElementChild.remove();
}

// Figures and bells are drawn at most every 50 ms, so that a burst costs one drawing and not one per notification.
function draw_soon() {
  by_id("empty").hidden = true;
  state.drawing ||= setTimeout(draw, 50);
}

function draw() {
  state.drawing = 0;
  const hidden = Math.max(0, state.received - feed_items_max);
  set_text("count", `${state.received} received${hidden ? `, ${hidden} older hidden` : ""}`);
  const sorted = [...state.latencies].sort((a, b) => a - b);
  set_text("p50", format_ms(sorted[Math.ceil(sorted.length / 2) - 1] ?? null));
  set_text("max", format_ms(sorted.at(-1) ?? null));
  draw_chimes(Math.max(10, sorted.at(-1) ?? 0));
  document.body.classList.add("ringing");
}

// Square root: one slow notification must not make all others look alike.
function draw_chimes(longest_ms) {
  [...by_id("chimes").children].reverse().forEach((bell, age) => {
    const latency = state.latencies.at(-1 - age);
    bell.classList.toggle("silent", latency === undefined);
    bell.style.setProperty("--drop", Math.sqrt((latency ?? 0) / longest_ms));
  });
}

// ---- what to do with an empty feed
const shell_quote = (text) => `'${text.replaceAll("'", "'\\''")}'`; // the user id may come from somebody else's link

function update_hint() {
  const user = current_user() || "ada";
  const body = { rooms: [`user:${user}`], event: "notification", args: [{ text: "Hello from the terminal" }] };
  const parts = [`curl ${location.origin}/v1/emit`, "-H 'Content-Type: application/json'"];
  if (!by_id("key-field").hidden) parts.push('-H "Authorization: Bearer $CARILLON_API_KEY"');
  set_text("curl", [...parts, `-d ${shell_quote(JSON.stringify(body))}`].join(" \\\n  "));
  set_text("hint", state.socket?.connected
    ? `All quiet for ${user}: send a message from this page, or run this in a terminal, and it rings here.`
    : "Choose a user id and connect; then send that user a notification, here or from a terminal.");
}

// The clipboard belongs to secure origins only; elsewhere the line is left selected, to be copied by hand.
async function copy_curl() {
  const copied = await navigator.clipboard?.writeText(by_id("curl").textContent).then(() => true, () => false);
  if (!copied) getSelection().selectAllChildren(by_id("curl"));
  set_text("copy", copied ? "Copied" : "Selected");
  setTimeout(() => set_text("copy", "Copy"), 2000);
}

// ---- send
const refusals = {
  401: "the API wants a valid key",
  403: "this key may not send",
  503: "the node cannot take it right now, try again",
};

async function send(submitted) {
  submitted.preventDefault();
  const [to, text] = [by_id("to").value.trim(), by_id("message").value.trim()];
  if (!to || !text) {
    by_id(to ? "message" : "to").focus();
    return show_result("error", to ? "Write a message first." : "Say who it is for: a user id, for example ada.");
  }
  const sent_at_ms = Date.now();
  try {
    const data = { text, from: current_user() || "this page", sent_at_ms };
    const response = await post("/v1/emit", { rooms: [`user:${to}`], event: "notification", args: [data] });
    if (!response.ok) return show_refusal(response);
    show_result("sent", `Sent to ${to}; the API accepted it in ${format_ms(Date.now() - sent_at_ms)}.`);
  } catch {
    show_result("error", `Not sent: no answer from ${location.origin}. Is Carillon running?`);
  }
}

function post(path, body) {
  const key = by_id("api-key").value.trim();
  remember("sessionStorage", "carillon.api_key", key);
  const headers = { "Content-Type": "application/json", ...(key && { Authorization: `Bearer ${key}` }) };
  return fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
}

async function show_refusal(response) {
  const answer = await response.json().catch(() => null);
  const said = answer?.error?.message ?? `status ${response.status}`;
  const reason = refusals[response.status];
  show_result("error", `Not sent: ${reason ? `${reason}. (${said})` : said}`);
  if (response.status === 401) by_id("key-field").hidden = false; // keys may have been set since the page was loaded
}

function show_result(kind, text) {
  by_id("send-result").dataset.kind = kind;
  set_text("send-result", text);
}

function start() {
  const query = new URLSearchParams(location.search);
  for (let i = 0; i < latencies_max; ++i) by_id("chimes").append(element("i", "silent", ""));
  by_id("user").value = query.get("user") ?? recall("localStorage", "carillon.user");
  by_id("api-key").value = recall("sessionStorage", "carillon.api_key");
  by_id("connect").addEventListener("click", () => (state.socket ? disconnect() : connect()));
  by_id("user").addEventListener("keydown", (pressed) => pressed.key === "Enter" && connect());
  by_id("user").addEventListener("input", update_hint);
  by_id("send-form").addEventListener("submit", send);
  by_id("copy").addEventListener("click", copy_curl);
  by_id("mark").addEventListener("animationend", () => document.body.classList.remove("ringing"));
  disconnect();
  if (query.get("connect") === "1") connect();
  else load_info().catch(() => {}); // said when it matters: at Connect
}

start();
