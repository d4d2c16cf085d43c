"use strict";

const period = 2000; // ms between two looks
const calls = 20;

// text makes an element of text only: nothing that a peer says becomes markup.
function element(name, text, cls) {
  const e = document.createElement(name);
  if (text !== undefined) e.textContent = text;
  if (cls) e.className = cls;
  return e;
}

function seconds(s) {
  if (s === undefined || s === null) return "–";
  if (s === 0) return "0";
  if (s < 0.001) return (s * 1e6).toFixed(0) + " µs";
  if (s < 1) return (s * 1e3).toFixed(s < 0.1 ? 1 : 0) + " ms";
  if (s < 120) return s.toFixed(1) + " s";
  if (s < 7200) return (s / 60).toFixed(0) + " min";
  return (s / 3600).toFixed(0) + " h";
}

const short = (id) => (id ? id.slice(-8) : "–");

function fill(table, rows, columns) {
  const body = document.querySelector("#" + table + " tbody");
  body.replaceChildren();
  for (const row of rows) {
    const tr = element("tr");
    for (const cell of row) tr.append(cell instanceof Node ? cell : element("td", cell));
    body.append(tr);
  }
  if (rows.length === 0) {
    const td = element("td", "none", "none");
    td.colSpan = columns;
    const tr = element("tr");
    tr.append(td);
    body.append(tr);
  }
}

function number(text) { return element("td", text, "n"); }

function id(value) {
  const td = element("td", short(value), "id");
  td.title = value || "";
  return td;
}

function busy(load) {
  const td = element("td");
  const servers = Math.max(1, load.servers);
  const bar = element("progress");
  bar.max = servers;
  bar.value = Math.min(load.running, servers);
  if (load.running >= servers) bar.className = "full";
  td.append(bar, " " + load.running + "/" + load.servers);
  return td;
}

function peerState(p) {
  const words = [];
  if (p.draining) words.push("draining");
  if (p.paused) words.push("paused: it failed");
  if (p.health < 0.9) words.push("health " + p.health.toFixed(2));
  if (p.honesty < 0.9) words.push("honesty " + p.honesty.toFixed(2));
  if (!p.neighbour) words.push("outside the view");
  return words.join(", ") || "well";
}

function showStatus(s) {
  document.title = "p2pfaas " + short(s.peer);
  document.getElementById("self").textContent = s.mesh + " · " + s.peer;
  const rows = [
    ["version", s.version + " (" + s.arch + ")"],
    ["up", seconds(s.up_seconds)],
    ["policy", s.policy],
    ["load", s.load.running + " of " + s.load.servers + " servers busy, " + s.load.queued + " queued, a newcomer waits " + seconds(s.load.wait_seconds)],
    ["rates", s.rate.toFixed(1) + "/s arrive here, " + s.out.toFixed(1) + "/s are forwarded"],
    ["mesh busy", (100 * s.mesh_utilisation).toFixed(0) + " %"],
  ];
  if (s.zone) rows.push(["zone", s.zone]);
  if (s.draining) rows.push(["state", "draining: it takes no new work"]);
  const dl = document.getElementById("node");
  dl.replaceChildren();
  for (const [k, v] of rows) dl.append(element("dt", k), element("dd", v));
  document.getElementById("members").textContent = s.neighbours + " neighbours, " + s.members + " members";
}

function showPeers(peers) {
  fill("peers", peers.map((p) => [
    id(p.peer), p.zone || "–", busy(p.load), number(String(p.load.queued)), number(seconds(p.load.wait_seconds)),
    number(seconds(p.rtt_seconds)), number(seconds(p.heard_seconds)), peerState(p),
  ]), 8);
}

function showFunctions(list) {
  fill("functions", list.map((f) => [
    f.name + (f.namespace && f.namespace !== "openfaas-fn" ? "." + f.namespace : ""), f.image,
    number((f.availableReplicas || 0) + "/" + (f.replicas || 0)), number(String(f.invocationCount || 0)),
  ]), 4);
}

function showAsync(a) {
  const states = Object.entries(a.counts || {}).filter(([, n]) => n > 0).map(([state, n]) => n + " " + state);
  document.getElementById("async").textContent = states.join(", ") || "none";
}

function showCalls(list) {
  fill("calls", (list || []).map((c) => [
    new Date(c.began).toLocaleTimeString(), c.function, c.outcome + (c.code ? " (" + c.code + ")" : ""), id(c.ran),
    number(seconds(c.queue_seconds)), number(seconds(c.service_seconds)), number(seconds(c.total_seconds)), element("td", c.id, "id"),
  ]), 8);
}

async function ask(path, show) {
  // The page's own URL may hold credentials, which fetch refuses.
  const answer = await fetch(location.origin + path, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(path + ": " + answer.status + " " + (await answer.text()).trim());
  show(await answer.json());
}

async function look() {
  const asked = await Promise.allSettled([
    ask("/system/status", showStatus), ask("/system/peers", showPeers), ask("/system/functions", showFunctions),
    ask("/system/async?limit=1", showAsync), ask("/system/calls?limit=" + calls, showCalls),
  ]);
  const trouble = document.getElementById("trouble");
  const failed = asked.filter((a) => a.status === "rejected").map((a) => a.reason.message);
  trouble.hidden = failed.length === 0;
  trouble.textContent = failed.join("; ");
  document.body.dataset.looked = String(Number(document.body.dataset.looked || 0) + 1);
  setTimeout(look, document.hidden ? 5 * period : period);
}

look();
