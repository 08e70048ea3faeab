// What operators sent to the device: each command with its state, and settings that wait for it.

import { $, el, empty, list, text } from "/static/ui/dom.js";
import { moment, plural } from "/static/ui/format.js";

const states = {
  kept: { level: "info", text: "waits for the device" },
  sent: { level: "info", text: "sent, not answered yet" },
  accepted: { level: "info", text: "accepted" },
  running: { level: "info", text: "running" },
  succeeded: { level: "good", text: "succeeded" },
  failed: { level: "bad", text: "failed" },
  timed_out: { level: "bad", text: "timed out" },
  refused: { level: "bad", text: "refused" },
  expired: { level: "warn", text: "expired without an answer" },
  withdrawn: { level: "", text: "withdrawn" },
};

// args are the arguments as `receiver command` takes them, as far as they are short.
function args(command) {
  const words = Object.entries(command.args ?? {}).map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`).join(" ");
  return words.length > 120 ? `${words.slice(0, 120)} …` : words;
}

// show fills an <ol> with commands, newest first.
export function show(parent, commands, now, most) {
  const shown = commands.slice(0, most);
  empty(parent, shown, "Nobody has sent a command yet.");
  list(parent, shown, (c) => c.id, () => el("li", { class: "event", "data-test": "command" }, el("time"),
    el("p", {}, el("span", { class: "order" }, el("strong"), el("span", { class: "chip" })), el("span", { class: "quiet" }))), (node, c) => {
    const state = states[c.state] ?? { level: "", text: c.state };
    node.dataset.level = state.level;
    node.dataset.state = c.state;
    const time = $("time", node);
    time.dateTime = c.received_at;
    text(time, moment(c.received_at, now));
    text($("strong", node), c.name);
    text($(".chip", node), state.text);
    text($(".quiet", node), [args(c), c.error?.message, c.from && `from ${c.from}`, `id ${c.id}`].filter(Boolean).join(" · "));
  });
}

// wishes says in a sentence what settings wait for the device, or why it did not want them.
export function wishes(node, shadow) {
  const keys = Object.keys(shadow?.waiting?.desired ?? {});
  const no = shadow?.rejected;
  node.hidden = !keys.length && !no;
  if (keys.length) text(node, `${plural(keys.length, "setting")} for the device to hear of: ${keys.join(", ")}.`);
  else if (no) text(node, `The device did not take the settings last wished for: ${no.message}.`);
}
