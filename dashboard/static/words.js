// What a status view means, in plain words. Pure: a view and the time in, sentences out.

import { ago, bare, bytes, capital, count, duration, isSet, moment, plural } from "/static/ui/format.js";
import { edgeMode, edgeProblem, edgeReason } from "/static/ui/edge.js";
import { isHealth } from "/static/ui/health.js";

const lanes = ["telemetry", "event", "alert"];
const names = { telemetry: "readings", event: "events", alert: "alerts" };

// waiting sums up what the buffer still has to send: of every lane, earlier streams included.
export function waiting(view) {
  const parts = [view.buffer.lanes ?? {}, ...(view.buffer.older ?? []).map((stream) => stream.lanes ?? {})];
  const all = parts.flatMap((part) => Object.values(part)).filter((lane) => lane.pending > 0);
  const oldest = all.map((lane) => lane.oldest).filter(isSet).sort()[0];
  return { records: all.reduce((sum, lane) => sum + lane.pending, 0), oldest };
}

// state is the headline: what the gateway does, and who said so.
export function state(view, now) {
  const by = view.measuring_by;
  const set = by && by.origin !== "default" && by.origin !== "config";
  const why = set ? ` by ${by.origin}${by.reason ? ` (${by.reason})` : ""}, ${ago(by.time, now)}` : "";
  const chips = view.sensors.filter((s) => !isHealth(s));
  const working = chips.filter((s) => s.state === "ok" || s.state === "degraded").length;
  if (view.may_unplug) return { level: "good", title: "Stopped safely", why: `Everything is on the card: the power may be pulled. Measuring was stopped${why}.` };
  if (!view.measuring) return { level: "info", title: "Stopped", why: `Measuring was stopped${why}. Nothing is read until it is started again.` };
  const every = [...new Set(chips.map((s) => s.interval_s))];
  const pace = every.length === 1 ? `, every ${bare(every[0])} s` : "";
  return { level: working ? "good" : "warn", title: "Measuring", why: `${plural(working, "sensor")}${pace}${set ? " · started" + why : ` · since ${moment(view.since, now)}`}` };
}

// deeds are the presses beside the short one, and what they do.
export function deeds(view) {
  const how = { long: "What a long press of the button does", double: "What two quick presses of the button do" };
  const what = { stop: "Stop safely", mark: "Mark this moment" };
  return Object.keys(how).filter((press) => what[view.presses?.[press]]).map((press) => ({ press, text: what[view.presses[press]], title: how[press] }));
}

// lamp says what the status LED shows, and how.
export function lamp(shows) {
  return {
    starting: "Steady: the gateway starts.",
    running: "Blinks slowly: it measures.",
    paused: "One flash: measuring is stopped.",
    offline: "Two flashes: no link, and records wait here.",
    safe: "Three flashes: the power may be pulled.",
    fault: "Blinks quickly: something is wrong.",
    identify: "Flickers: somebody looks for this device.",
  }[shows] ?? shows;
}

// output says what an output does.
export function output(o, now, failure) {
  if (failure) return { level: "bad", text: `Not switched: ${failure}.` };
  if (o.error) return { level: "bad", text: `${capital(o.error)}.` };
  if (!o.on) return { level: "", text: "off" };
  return { level: "good", text: isSet(o.until) ? `on, goes off in ${duration(Math.max(0, Date.parse(o.until) - now))}` : "on" };
}

// rulesSet says which set of rules is in force.
export function rulesSet(view, now) {
  if (!view.version) return "none in force";
  const from = { file: "from the file", variable: "from the configuration", example: "the example", page: "written on this page", trial: "gone back to" }[view.origin] ?? `by ${view.origin}`;
  return [`version ${view.version}`, from, `since ${moment(view.since, now)}`, view.trial && "on trial"].filter(Boolean).join(" · ");
}

// rule says how a rule gets on, and what it does.
export function rule(r, now) {
  const about = [r.what, r.clears, r.does].filter(Boolean).join(" ");
  if (r.off) return { level: "bad", state: "switched off", about: `${about} It failed: ${r.failure}.` };
  if (r.failures) return { level: "bad", state: `failed ${r.failures === 1 ? "once" : `${count(r.failures)} times`}`, about: `${about} It fails: ${r.failure}.` };
  if (r.raised) return { level: "warn", state: plural(r.raised, "alert"), about };
  return { level: "good", state: isSet(r.last) ? `last ${ago(r.last, now)}` : "quiet", about };
}

function sensorProblems(view) {
  const words = { lost: "does not answer", degraded: "missed its last reading", absent: "was not found" };
  return view.sensors.filter((s) => words[s.state]).map((s) => ({
    level: s.state === "degraded" ? "warn" : "bad", id: s.name,
    title: `Sensor ${s.name} ${words[s.state]}.`,
    text: s.error ? `${capital(s.error)}. It is tried again at every interval.` : "It is tried again at every interval.",
  }));
}

function linkProblems(view, now) {
  const { link } = view;
  const { records, oldest } = waiting(view);
  const kept = records ? `${plural(records, "record")} wait here${oldest ? `, the oldest for ${duration(now - Date.parse(oldest))}` : ""}. Nothing is lost: they are sent when it is back.`
    : "Records are kept here and sent when it is back.";
  if (link.state === "off") return [{ level: "info", title: "Nothing is sent: no broker is set, or sending is switched off.", text: "Readings are kept here." }];
  if (link.state !== "connected") {
    const since = isSet(link.since) ? ` for ${duration(now - Date.parse(link.since))}` : "";
    return [{ level: "warn", title: `No link to ${link.broker || "the broker"}${since}.`, text: `${link.error ? capital(link.error) + ". " : ""}${kept}` }];
  }
  if (link.mode === "puback") {
    return [{ level: "info", title: "The promise ends at the broker.", text: "No receiver is bound: a reading counts as handed over once the broker has taken it. What becomes of it there is not known here." }];
  }
  if (!link.receiver_online) return [{ level: "warn", title: "The receiver is silent.", text: `The broker answers, but nobody behind it confirms. ${kept}` }];
  if (link.aside) {
    return [{ level: "warn", title: "The receiver does not take readings from before this device’s id changed.",
      text: "They are kept here until an operator tells the receiver that this device was that one. New readings go up meanwhile." }];
  }
  if (link.hold) return [{ level: "warn", title: "The receiver asks this device to hold its data.", text: `Its reason: ${link.hold}. Readings are kept here until it takes them.` }];
  return [];
}

// problems lists what a person should know, the worst first; when nothing is wrong, it says what that means.
export function problems(view, now) {
  const { buffer, link } = view;
  const found = [];
  if (buffer.failing) found.push({ level: "bad", title: "Nothing can be written to the card.", text: `${capital(buffer.failing)}. Readings are in memory only: a power cut now would lose them.` });
  else if (buffer.volatile) found.push({ level: "bad", title: "Readings are held in memory only.", text: "A power cut now would lose what has not been sent." });
  found.push(...sensorProblems(view), ...linkProblems(view, now), ...edgeProblem(view.edge));
  if (link.other_store) found.push({ level: "warn", title: "A second database answers for this device.", text: `It is not obeyed: the gateway is bound to ${short(link.store)}, the other is ${short(link.other_store)}.` });
  if (view.clock === "unsynchronized") found.push({ level: "warn", title: "The clock is not synchronised.", text: "Times are a guess until the network tells the time; then they are put right." });
  if (view.records.dropped) found.push({ level: "warn", title: `${plural(view.records.dropped, "record")} had to be given up.`, text: "Each is listed with its cause." });
  for (const notice of view.notices ?? []) found.push({ level: "warn", id: notice, title: notice, text: "" });
  const order = ["bad", "warn", "info"];
  found.sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level));
  return found.some((p) => p.level !== "info") || link.mode === "puback" || link.state !== "connected" ? found : [...found, held(view, now)];
}

// held is the promise in words, as far as it is kept at this moment.
function held(view, now) {
  const { records, oldest } = waiting(view);
  const behind = oldest ? now - Date.parse(oldest) : 0;
  const all = view.edge?.mode === "aggregate" ? "Everything that goes up" : "Every reading";
  if (!records || behind < 5000) return { level: "good", title: `${all} is in the database.`, text: "Or on its way, seconds old and held on this card until the database confirms it." };
  return { level: "good", title: `${all} up to ${ago(oldest, now)} is in the database.`, text: `${plural(records, "record")} wait on this card until the database confirms them.` };
}

const short = (stream) => (stream ? stream.slice(0, 8) + "…" : "none");

// link is the sentence of the link's card, and its facts.
export function link(view, now) {
  const l = view.link;
  const since = isSet(l.since) ? ` since ${moment(l.since, now)}` : "";
  const facts = [["Broker", l.broker || "none"]];
  if (l.mode === "receipt") {
    facts.push(["Confirmed by", l.store ? `the database ${short(l.store)}` : "no database yet"]);
    facts.push(["Receiver", l.hold ? `asks to hold: ${l.hold}` : l.receiver_online ? "online" : "silent"]);
  } else facts.push(["Confirmed by", "the broker only"]);
  if (view.edge) facts.push(["What goes up", `${edgeMode(view.edge)}: ${edgeReason(view.edge)}`]);
  facts.push(["Delivered since the start", plural(view.records.delivered, "record")]);
  if (l.error && l.state !== "connected") facts.push(["Last error", l.error]);
  if (l.state === "connected") {
    const silent = l.mode === "receipt" && (!l.receiver_online || l.hold);
    return { level: silent ? "warn" : "good", text: `Connected${since}.`, facts };
  }
  if (l.state === "off") return { level: "", text: l.broker ? "Switched off." : "No broker is set.", facts };
  return { level: "warn", text: `Not connected${since}; trying again.`, facts };
}

// buffer is the sentence of the buffer's card, and its facts.
export function buffer(view, now) {
  const b = view.buffer;
  const { records, oldest } = waiting(view);
  const facts = lanes.filter((lane) => b.lanes?.[lane]).map((lane) => {
    const { head, pending } = b.lanes[lane];
    return [capital(names[lane]), `${count(head)} numbered${pending ? `, ${count(pending)} wait` : ", none waits"}`];
  });
  const older = (b.older ?? []).reduce((sum, s) => sum + Object.values(s.lanes).reduce((n, lane) => n + lane.pending, 0), 0);
  if (older) facts.push(["Earlier runs", `${count(older)} wait`]);
  facts.push(["On the card", b.limit ? `${bytes(b.bytes)} of ${bytes(b.limit)}` : bytes(b.bytes)]);
  if (view.records.dropped) facts.push(["Given up", plural(view.records.dropped, "record")]);
  const withheld = Object.values(view.records.withheld || {}).reduce((sum, n) => sum + n, 0);
  if (withheld) facts.push(["Withheld by rules", plural(withheld, "reading")]);
  const level = b.failing || b.volatile ? "bad" : records && oldest && now - Date.parse(oldest) > 60000 ? "warn" : "good";
  const text = records ? `${plural(records, "record")} wait${records === 1 ? "s" : ""}; oldest ${oldest ? duration(now - Date.parse(oldest)) : "unknown"}.` : "Nothing waits.";
  return { level, text, facts, part: b.limit ? Math.min(1, b.bytes / b.limit) : 0 };
}

// place says where a simulated chip is, and fault what is wrong with it.
export const place = (chip) => `0x${chip.address.toString(16).padStart(2, "0")}${chip.behind ? `, ${chip.behind}` : ""}`;
export const fault = (chip) => ({ hang: "hangs the bus", corrupt: "its wire is broken" })[chip.fault] ?? "";
