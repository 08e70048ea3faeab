// The set of rules in force, how each rule gets on, and an editor: check a text, activate it, go back to the configuration.

import { $, attribute, el, empty, list, text } from "/static/ui/dom.js";
import { plural } from "/static/ui/format.js";
import { fetchJSON } from "/static/ui/live.js";
import { rule, rulesSet } from "./words.js";

const path = "/api/v1/rules", every = 5000; // ms between two looks

export class Rules {
  #send; #view = null; #may = false; #looked = 0; #now = 0; #head = "";
  #text = $("#rules-text"); #shown = null; // the text that the editor was filled with

  // send(path, method, body) asks the gateway as one who may write.
  constructor(send) {
    this.#send = send;
    this.#text.addEventListener("input", () => this.#edited());
    $("#rules-check").addEventListener("click", () => this.#try("check", () => this.#check()));
    $("#rules-activate").addEventListener("click", () => this.#try("activate", () => this.#activate()));
    $("#rules-back").addEventListener("click", () => this.#try("go back", () => this.#back()));
    $("#rules-undo").addEventListener("click", () => this.#fill());
  }

  // show looks again now and then, and at once when something has happened.
  show(view, now, may) {
    this.#now = now;
    this.#may = may;
    this.#edited();
    const head = `${view.buffer.lanes?.event?.head} ${view.buffer.lanes?.alert?.head}`;
    if (head === this.#head && Date.now() - this.#looked < every) return;
    this.#head = head;
    this.#look();
  }

  #look() {
    this.#looked = Date.now();
    return fetchJSON(path).then((found) => this.#take(found), () => {});
  }

  #take(view) {
    this.#view = view;
    text($("#rules-told"), rulesSet(view, this.#now));
    empty($("#rules"), view.rules, "No rules: every reading is sent, and no alert is raised.");
    list($("#rules"), view.rules, (r) => r.name, (r) => this.#row(r), (row, r) => {
      const { level, state, about } = rule(r, this.#now);
      attribute(row, "data-level", level);
      text($(".chip", row), state);
      text($(".about", row), about);
      text($(".quiet", row), r.kind);
    });
    if (this.#shown === null || (!this.#changed() && view.text !== this.#shown)) this.#fill();
    this.#edited();
  }

  #row(r) {
    return el("li", { class: "rule", "data-test": "rule" },
      el("p", { class: "rule-head" }, el("span", { class: "dot" }), el("strong", {}, r.name), el("span", { class: "quiet" }), el("span", { class: "chip" })),
      el("p", { class: "about" }));
  }

  #changed() { return this.#text.value !== this.#shown; }

  // fill puts the text in force into the editor.
  #fill() {
    this.#shown = this.#view?.text ?? "";
    if (this.#text.value !== this.#shown) this.#text.value = this.#shown;
    this.#tell([], "");
    this.#edited();
  }

  #edited() {
    const changed = this.#shown !== null && this.#changed();
    this.#text.readOnly = !this.#may;
    $("#rules-check").disabled = !this.#may;
    $("#rules-activate").disabled = !this.#may || !changed;
    $("#rules-undo").hidden = !changed;
    $("#rules-back").hidden = !this.#view?.written;
    $("#rules-back").disabled = !this.#may;
    if (!this.#may) text($("#rules-hint"), "You may read them here. To change them, use the device itself or its token, as with the button above.");
  }

  // tell shows mistakes, each a way to its line, and a sentence.
  #tell(found, sentence) {
    $("#rules-mistakes").replaceChildren(...found.map((m) => el("li", { "data-level": m.level ?? "bad", "data-test": "mistake" },
      m.line ? el("button", { class: "line", type: "button", title: "Go to this line", onclick: () => this.#go(m.line) }, `Line ${m.line}`) : null,
      el("span", {}, m.key ? el("code", {}, m.key) : null, m.key ? ": " : "", m.text))));
    text($("#rules-hint"), sentence);
  }

  // go selects a line.
  #go(line) {
    const lines = this.#text.value.split("\n");
    const from = lines.slice(0, line - 1).reduce((n, l) => n + l.length + 1, 0);
    this.#text.focus();
    this.#text.setSelectionRange(from, from + (lines[line - 1] ?? "").length);
    this.#text.scrollTop = (line - 4) * (this.#text.scrollHeight / Math.max(1, lines.length));
  }

  async #try(what, deed) {
    try {
      await deed();
    } catch (error) {
      this.#tell([], `Could not ${what}: ${error.message}.`);
    }
  }

  // check returns what the text is, where it has no mistakes.
  async #check() {
    const yaml = this.#text.value;
    const found = await this.#send(`${path}/check`, "POST", { text: yaml });
    const told = [...found.mistakes, ...(found.warnings ?? []).map((w) => ({ text: w, level: "warn" }))];
    if (!found.mistakes.length && this.#changed() && found.version === this.#view?.version) {
      told.push({ text: `version ${found.version} is in force with another text: raise the number, so that records of both can be told apart`, level: "warn" });
    }
    const right = `Right: version ${found.version}, ${plural(found.rules, "rule")}.`;
    this.#tell(told, found.mistakes.length ? `${plural(found.mistakes.length, "mistake")}: nothing was changed.` : right);
    return found.mistakes.length ? null : { version: found.version, yaml };
  }

  async #activate() {
    const value = await this.#check();
    if (!value) return;
    await this.#send("/api/v1/settings/rules", "PUT", { value, reason: "activated on the page" });
    await this.#settled(`Version ${value.version} is in force, and on trial.`);
  }

  async #back() {
    await this.#send("/api/v1/settings/rules", "DELETE", { reason: "on the page" });
    await this.#settled("What the configuration says holds again.");
  }

  // settled takes the text that is in force now, once the gateway has gone over to it.
  async #settled(sentence) {
    await new Promise((done) => setTimeout(done, 300));
    await this.#look();
    this.#fill();
    text($("#rules-hint"), sentence);
  }
}
