// An alert that somebody here has seen: a command tells the device, which decides. Where it is away the command waits for it.

import { $, text } from "/static/ui/dom.js";
import { fetchJSON } from "/static/ui/live.js";

const under = new Set(["kept", "sent", "accepted", "running"]);

export class Acknowledge {
  #path; #sent; #sending = new Set(); #failure = "";

  // path is that of the device in the API; sent() is called when a command is on its way.
  constructor(path, sent) {
    this.#path = path;
    this.#sent = sent;
  }

  // asked tells whether a command for the alert is under way, of those that the device got.
  asked(alert, commands) {
    return this.#sending.has(alert.id) || commands.some((c) => c.name === "ack_alert" && c.args?.alert === alert.id && under.has(c.state));
  }

  async send(alert) {
    this.#sending.add(alert.id);
    this.#failure = "";
    this.show();
    try {
      await fetchJSON(`${this.#path}/commands`, { method: "POST", headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ name: "ack_alert", from: "receiver's page", args: { alert: alert.id, by: "receiver" } }) });
    } catch (error) {
      this.#failure = `Nothing was acknowledged: ${error.message}.`;
    }
    await this.#sent();
    this.#sending.delete(alert.id);
    this.show();
  }

  // show says why the last one could not be sent.
  show() {
    $("#alerts-hint").hidden = !this.#failure;
    text($("#alerts-hint"), this.#failure);
  }
}
