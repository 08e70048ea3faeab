// The Pi's own page: takes a status view each second and hands it to the parts.

import * as alerts from "/static/ui/alerts.js";
import { Chart } from "/static/ui/chart.js";
import { $, el, remember, text } from "/static/ui/dom.js";
import * as events from "/static/ui/events.js";
import { duration, isSet, quantityName, unitOf } from "/static/ui/format.js";
import * as health from "/static/ui/health.js";
import { fetchJSON, live } from "/static/ui/live.js";
import { Values } from "/static/ui/values.js";
import { Button } from "./button.js";
import { Lines } from "./lines.js";
import * as panels from "./panels.js";
import { Rules } from "./rules.js";
import { Workbench } from "./workbench.js";
import { problems } from "./words.js";

const minute = 60 * 1000;
const spans = [[5 * minute, "5 min"], [60 * minute, "1 h"], [24 * 60 * minute, "24 h"]];

let view = null, heard = 0, offset = 0; // the newest view, when it came, and the gateway's clock less ours, in ms
let chosen = remember.get("holdfast-quantity"), span = spans[0][0];
let drawn = "", drawnAt = 0, eventHead = -1;
const now = () => Date.now() + offset;

const chart = new Chart($("#chart"), (sentence) => text($("#chart-told"), sentence));
const values = new Values($("#values"), (item) => choose(Values.key(item)));
const button = new Button((next) => take(next));
const lines = new Lines((key, value) => button.put(key, value));
const rules = new Rules((path, method, body) => button.send(path, method, body));
const workbench = new Workbench((path, method, body) => button.send(path, method, body));

// items flattens the sensors into one item a quantity, with what its card shows.
function items(of = (s) => !health.isHealth(s)) {
  return view.sensors.filter(of).flatMap((s) => (s.values ?? []).map((v) => ({
    sensor: s.name, quantity: v.quantity, unit: v.unit, precision: v.precision, value: v.value, time: s.time,
    interval: s.interval_s * 1000, level: level(s.name, v.quantity), stale: stale(s) || (v.quality ? `${v.quality} value` : ""),
  })));
}

const standing = (sensor, quantity) => view.alerts.filter((a) => a.state !== "cleared" && a.sensor === sensor && (a.quantity === quantity || a.quantity.startsWith(`${quantity}_per_`)));

function level(sensor, quantity) {
  const open = standing(sensor, quantity);
  return open.some((a) => a.severity === "critical") ? "bad" : open.some((a) => a.severity === "warning") ? "warn" : "";
}

function stale(s) {
  if (!isSet(s.time)) return "";
  const age = now() - Date.parse(s.time);
  if (!view.measuring) return `stopped ${duration(age)} ago`;
  return age > Math.max(5000, 3500 * s.interval_s) ? `silent for ${duration(age)}` : "";
}

function describe(alert, quantity) {
  const value = view.sensors.find((s) => s.name === alert.sensor)?.values?.find((v) => v.quantity === quantity);
  return { unit: value?.unit ?? unitOf(quantity), precision: value?.precision };
}

const threshold = (item) => view.alerts.find((a) => a.sensor === item.sensor && a.quantity === item.quantity)?.threshold ?? null;

// take shows a new view.
function take(next) {
  const first = view === null;
  view = next;
  heard = Date.now();
  offset = Date.parse(view.time) - heard;
  view.sensors ??= [];
  view.alerts ??= [];
  const all = items();
  for (const item of all) {
    if (item.value === null || !isSet(item.time)) continue;
    const ms = Date.parse(item.time);
    if (values.add(item, ms, item.value) && drawn.startsWith(Values.key(item) + " ")) chart.add(ms, item.value);
  }
  if (first) all.forEach(seed);
  show(all);
  loadEvents();
}

function show(all) {
  panels.state(view, now());
  panels.notices(problems(view, now()));
  panels.link(view, now());
  panels.buffer(view, now());
  panels.sensors(view, now());
  health.show($("#health-card"), items(health.isHealth));
  button.show(view);
  lines.show(view, now(), button.may(view));
  rules.show(view, now(), button.may(view));
  workbench.show(view, button.may(view));
  alerts.show($("#alerts"), view.alerts, now(), describe, button.may(view) ? (alert) => button.acknowledge(alert) : null);
  if (!all.some((item) => Values.key(item) === chosen)) chosen = all.length ? Values.key(all[0]) : null;
  values.show(all, now(), chosen);
  draw(all.find((item) => Values.key(item) === chosen));
}

function choose(key) {
  chosen = key;
  remember.set("holdfast-quantity", key);
  if (view) show(items());
}

async function past(item, length) {
  const query = new URLSearchParams({ sensor: item.sensor, quantity: item.quantity,
    from: new Date(now() - length).toISOString(), to: new Date(now() + 1000).toISOString() });
  const series = await fetchJSON(`/api/v1/history?${query}`);
  return series.buckets.map((b) => [Date.parse(b.time), b.mean, b.min, b.max]);
}

// seed fills a card's sparkline with what the buffer's history holds.
async function seed(item) {
  const points = await past(item, 5 * minute).catch(() => []);
  values.seed(item, points.map(([t, mean]) => [t, mean]));
}

// draw keeps the chart on the chosen quantity: reads the history when the choice changes and now and then, and moves on
// with each view in between.
async function draw(item) {
  $("#chart-card").hidden = !item;
  if (!item) return;
  text($("#chart-title"), `${quantityName(item.quantity)} · ${item.sensor}`);
  const key = `${Values.key(item)} ${span}`;
  if (key === drawn && now() - drawnAt < Math.max(minute, span / 100)) {
    chart.tick(now(), threshold(item));
    return;
  }
  const fresh = key !== drawn;
  drawn = key;
  drawnAt = now();
  const look = { span, unit: item.unit, precision: item.precision, threshold: threshold(item), least: Math.max(5000, 3.5 * item.interval) };
  if (fresh) chart.show([], now(), look);
  try {
    const points = await past(item, span);
    if (drawn === key) chart.show(points, now(), look);
  } catch (error) {
    text($("#chart-told"), `The history could not be read: ${error.message}.`);
  }
}

// loadEvents reads the events again when the event lane has grown.
async function loadEvents() {
  const head = view.buffer.lanes?.event?.head ?? 0;
  if (head === eventHead) return;
  eventHead = head;
  const found = await fetchJSON("/api/v1/events").catch(() => null);
  if (found) events.show($("#events"), found.events, now(), (e) => e.time + e.event + JSON.stringify(e.data ?? ""));
  else eventHead = -1;
}

function pulse(alive) {
  const node = $("#pulse");
  node.dataset.level = alive ? "good" : "bad";
  text(node.lastElementChild, alive ? "live" : "no answer");
  if (alive) return;
  button.lost();
  const old = heard ? ` What you see is ${duration(Date.now() - heard)} old.` : "";
  panels.notices([{ level: "bad", title: "This page cannot reach the gateway.", text: `It keeps trying.${old}` }]);
}

$("#span").append(...spans.map(([ms, name]) => el("label", {},
  el("input", { type: "radio", name: "span", checked: ms === span, onchange: () => { span = ms; if (view) show(items()); } }), el("span", {}, name))));
live("/api/v1/live", { message: take }, pulse, 6000);
