// What a device's facts mean, in plain words. Pure: the API's device and the time in, sentences out.

import { edgeProblem } from "/static/ui/edge.js";
import { ago, count, duration, isSet, moment, plural } from "/static/ui/format.js";

// backlog sums up what the device last said that it still has to send: of every lane, earlier streams included.
export function backlog(device) {
  const state = device.state ?? {};
  const parts = [state.lanes ?? {}, ...(state.older_streams ?? []).map((stream) => stream.lanes ?? {})];
  const waiting = parts.flatMap((part) => Object.values(part)).filter((lane) => lane.pending > 0);
  return { records: waiting.reduce((sum, lane) => sum + lane.pending, 0), oldest: waiting.map((lane) => lane.oldest).filter(isSet).sort()[0] };
}

// backlogSentence says what waits on the device. What it said of that may be a minute old; totals are what has come since.
export function backlogSentence(device, totals, now) {
  if (!device.state?.lanes) return "The device has not said yet whether something waits on it.";
  const { records, oldest } = backlog(device);
  const old = oldest ? `, the oldest from ${moment(oldest, now)}` : "";
  if (device.online) return records && totals.missing ? `${plural(records, "record")} on the way from the device${old}.` : "Nothing waits on the device.";
  if (!records) return "Nothing waited on the device when it was last heard; what it measures meanwhile, it keeps.";
  return `${plural(records, "record")} waited on the device when it was last heard${old}. It keeps them.`;
}

export const presence = (device) => (device.online ? { level: "good", text: "online" } : { level: "warn", text: "offline" });

// measuring tells the state in words; of a device that is offline, the last that was heard.
export function measuring(device) {
  const is = device.state?.measuring;
  if (is === undefined || is === null) return { level: "", text: "not known whether it measures", state: "unknown" };
  const state = is ? "measuring" : "stopped";
  if (!device.online) return { level: "", text: `${state} when last heard`, state };
  return { level: is ? "good" : "info", text: state, state };
}

export function about(device, now) {
  const state = device.state ?? {};
  return [
    state.version && `Version ${state.version}`,
    device.online && isSet(state.since) && `running since ${moment(state.since, now)}`,
    device.type,
    device.location,
    isSet(device.last_seen) && `last heard ${ago(device.last_seen, now)}`,
    isSet(device.first_seen) && `known since ${moment(device.first_seen, now)}`,
  ].filter(Boolean).join(" · ");
}

export const alertsOpen = (device) => (device.alerts_open ? { level: "warn", text: `${plural(device.alerts_open, "alert")} open.` } : { level: "", text: "No alert is open." });

const sensorWords = { lost: "does not answer", absent: "was not found", degraded: "missed its last reading" };

const keeps = (status) => ({ title: "The device is told to keep its data.", text: `Reason: ${status}. Nothing is lost: it sends again when that has passed.` });

const statusWords = {
  pending: { title: "The device waits for approval.", text: "It keeps its data meanwhile. To take it: receiver device activate, then its name." },
  suspended: { title: "The device is suspended.", text: "It is told to keep its data; nothing is lost. To go on: receiver device activate, then its name." },
  retired: { title: "The device is retired.", text: "It cannot log in any more. To let it in again: receiver device activate, then its name." },
};

// problems lists what a person should know of a device, the worst first.
export function problems(device, now) {
  const found = [];
  const state = device.state ?? {};
  if (device.status !== "active") found.push({ level: "warn", ...(statusWords[device.status] ?? keeps(device.status)) });
  if (!isSet(device.last_seen)) {
    found.push({ level: "info", title: "The device was never heard.", text: "It was given its join string, and nothing has come from it so far." });
  } else if (!device.online) {
    const gone = isSet(device.last_seen) ? ` for ${duration(now - Date.parse(device.last_seen))}` : "";
    found.push({ level: "warn", title: `The device has been silent${gone}.`, text: "It goes on by itself and keeps what it measures; all of it comes when the link is back." });
  }
  if (state.volatile) found.push({ level: "bad", title: "The device holds its readings in memory only.", text: "A power cut there would lose what has not arrived here yet." });
  for (const notice of state.notices ?? []) found.push({ level: "warn", id: notice, title: "The device says:", text: notice });
  if (state.clock === "unsynchronized") {
    found.push({ level: "warn", title: "The device’s clock is not synchronised.", text: "Its times are a guess. Once it has learnt the time, the readings are put right here." });
  }
  if (state.ack === "puback") found.push({ level: "info", title: "This device’s promise ends at the broker.", text: "It frees a record once the broker has taken it, whether or not it reaches this database." });
  found.push(...edgeProblem(state.edge));
  for (const sensor of device.catalog?.sensors ?? []) {
    if (sensorWords[sensor.state]) found.push({ level: sensor.state === "degraded" ? "warn" : "bad", id: sensor.name, title: `Sensor ${sensor.name} ${sensorWords[sensor.state]}.`, text: "The device tries it again at every interval." });
  }
  const order = ["bad", "warn", "info"];
  return found.sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level));
}

// Why numbers have no data: once for a sentence that counts them, once for a range.
const lost = {
  full: "given up because the buffer was full", corrupt: "lost with a damaged buffer file", crash: "lost by crash",
  too_large: "too large for the link", receipted_then_lost: "lost by the database after it had confirmed them", operator: "deleted by an operator", card_lost: "lost with the card",
};

const because = (range) => (range.cause ? lost[range.cause] ?? range.cause : range.state === "rejected" ? "set aside" : "lost");

// range says what became of the numbers of a range.
export function range(r) {
  const numbers = r.first === r.last ? `number ${count(r.first)}` : `numbers ${count(r.first)}…${count(r.last)}`;
  if (r.state === "missing") return `${numbers}: not here yet, and not explained`;
  if (r.state === "thinned") return `${numbers}: kept as summaries, the single readings were given up for space`;
  return `${numbers}: ${because(r)}`;
}

// causes sums up how many numbers were dropped or rejected for which cause, the most first.
function causes(streams) {
  const sums = new Map();
  for (const r of streams.flatMap((s) => s.lanes).flatMap((lane) => lane.ranges)) {
    if (r.state === "dropped" || r.state === "rejected") sums.set(because(r), (sums.get(because(r)) ?? 0) + r.last - r.first + 1);
  }
  return [...sums].sort((a, b) => b[1] - a[1]);
}

// completeness says in a sentence or two whether every number is here. streams may be null where they are not known.
export function completeness(totals, streams, device) {
  const numbers = known(totals, streams, device);
  const cards = (streams ?? []).filter((s) => s.ended === "lost").length;
  if (!cards) return numbers;
  const whose = cards === 1 ? "A card was lost: what it alone had held" : `${cards} cards were lost: what they alone had held`;
  return { level: "warn", text: `${numbers.text} ${whose} is not among them.` };
}

function known(totals, streams, device) {
  const { head, data, thinned, dropped, rejected, missing } = totals;
  if (head === 0) return { level: "", text: "No number is known yet." };
  if (data === head) return { level: "good", text: `Every number is here: ${count(data)} of ${count(head)}.` };
  const parts = [];
  const held = missing > 0 && backlog(device).records >= missing;
  if (missing) parts.push(`${plural(missing, "number")} missing${held ? " and still on the device" : ""}`);
  const why = causes(streams ?? []);
  const told = why.reduce((sum, [, n]) => sum + n, 0);
  for (const [cause, n] of why) parts.push(`${count(n)} ${cause}`);
  if (dropped + rejected > told) parts.push(`${count(dropped + rejected - told)} ${told ? "more " : ""}lost, with a known cause`);
  if (thinned) parts.push(`${count(thinned)} kept as summaries only`);
  const level = dropped + rejected || (missing && !held) ? "warn" : "info";
  return { level, text: `${count(data)} of ${count(head)} numbers are here; ${parts.join("; ")}.` };
}
