/* Plays a view without a kernel: makes its controls, and shows the state that they choose.
 *
 * A view's choices are a tree (book/states.py): a node has the labels of one control's values and,
 * below each value, a node of the next control. Its states lie in files (book/packing.py), which are
 * loaded as scripts, since a page that was opened as a file may load nothing else.
 */
"use strict";

(() => {
  const DELAY_OF_WORDS = 500; // milliseconds until a screen reader is told: not at every step of a slider
  const players = new Map();

  window.seqkdStates = (name, number, content) => players.get(name)?.receive(number, content);

  class Player {
    constructor(element) {
      this.element = element;
      this.data = JSON.parse(element.querySelector("script[type='application/json']").textContent);
      this.path = this.data.path;
      this.files = new Map(); // number -> promise of its states
      this.waiting = new Map(); // number -> what to call with its content
      this.sizes = this.data.nodes.map(() => 0);
      this.still = element.querySelector("svg .still");
      this.moving = element.querySelector("svg .moving");
      this.words = element.querySelector(".seqkd-words");
      this.spoken = element.querySelector("[aria-live]");
      this.shownStill = this.still.innerHTML;
      players.set(element.id, this);
      const box = element.querySelector(".seqkd-controls");
      this.controls = this.data.controls.map((control, depth) => this.makeControl(box, control, depth));
      this.updateControls();
      box.addEventListener("focusin", () => this.loadAll(), { once: true });
      box.addEventListener("pointerenter", () => this.loadAll(), { once: true });
    }

    // ----- the tree
    labels(node) {
      return this.data.labels[this.data.nodes[node][0]];
    }

    size(node) {
      const children = this.data.nodes[node][2];
      this.sizes[node] ||= children.length
        ? children.reduce((sum, child) => sum + this.size(child), 0)
        : this.labels(node).length;
      return this.sizes[node];
    }

    nodesAlong(path) {
      let node = this.data.root;
      return path.map((choice) => {
        const here = node;
        node = this.data.nodes[node][2][choice];
        return here;
      });
    }

    state() {
      let state = 0;
      this.nodesAlong(this.path).forEach((node, depth) => {
        const children = this.data.nodes[node][2];
        const before = children.slice(0, this.path[depth]);
        state += children.length ? before.reduce((sum, child) => sum + this.size(child), 0) : this.path[depth];
      });
      return state;
    }

    /* Chooses a value of one control. Those before it stay; one after it begins anew where the view
     * says so, else it keeps its value, or takes the last one where that is no longer offered. */
    choose(depth, choice) {
      if (choice === this.path[depth]) return null;
      const before = this.nodesAlong(this.path).map((node, d) => this.labels(node)[this.path[d]]);
      const anew = this.data.controls[depth].begins_anew;
      this.path[depth] = choice;
      let node = this.data.root;
      this.path.forEach((_, d) => {
        if (d > depth) {
          const labels = this.labels(node);
          const same = labels.indexOf(before[d]);
          const start = this.data.nodes[node][1];
          const kept = same >= 0 ? same : Math.min(this.path[d], labels.length - 1);
          this.path[d] = anew.includes(this.data.controls[d].name) ? start : kept;
        }
        node = this.data.nodes[node][2][this.path[d]];
      });
      this.updateControls();
      return this.show();
    }

    // ----- the controls
    makeControl(box, control, depth) {
      const row = document.createElement("label");
      const name = document.createElement("span");
      name.textContent = control.description;
      const input = document.createElement(control.kind === "list" ? "select" : "input");
      const value = document.createElement("output");
      if (control.kind === "slider") {
        input.type = "range";
        input.min = 0;
        input.step = 1;
      } else if (control.kind === "switch") {
        input.type = "checkbox";
      }
      const chosen = () => (control.kind === "switch" ? Number(input.checked) : Number(input.value));
      input.addEventListener("input", () => this.choose(depth, chosen()));
      input.dataset.control = control.name;
      row.append(name, input, ...(control.kind === "slider" ? [value] : []));
      box.append(row);
      return { control, input, value, labels: null };
    }

    updateControls() {
      this.nodesAlong(this.path).forEach((node, depth) => {
        const shown = this.controls[depth];
        const labels = this.labels(node);
        const choice = this.path[depth];
        if (shown.labels !== labels) {
          shown.labels = labels;
          shown.input.disabled = labels.length < 2;
          if (shown.control.kind === "slider") shown.input.max = Math.max(labels.length - 1, 1);
          if (shown.control.kind === "list") {
            shown.input.replaceChildren(...labels.map((label, number) => new Option(label, number)));
          }
        }
        if (shown.control.kind === "switch") shown.input.checked = labels[choice] === "yes";
        else shown.input.value = choice;
        shown.value.textContent = labels[choice];
        if (shown.control.kind === "slider") shown.input.setAttribute("aria-valuetext", labels[choice]);
      });
    }

    // ----- the states
    load(number) {
      if (!this.files.has(number)) {
        const content = new Promise((resolve, reject) => {
          this.waiting.set(number, resolve);
          const script = document.createElement("script");
          script.src = `${this.data.files}${number}.js`;
          script.onerror = () => {
            this.files.delete(number);
            reject(new Error(`${script.src} could not be loaded`));
          };
          document.head.append(script);
        });
        this.files.set(number, content.then(unpack));
      }
      return this.files.get(number);
    }

    receive(number, content) {
      this.waiting.get(number)?.(content);
      this.waiting.delete(number);
    }

    async loadAll() {
      const nFiles = Math.ceil(this.size(this.data.root) / this.data.perFile);
      const present = Math.floor(this.state() / this.data.perFile);
      await this.load(present).catch(() => {});
      for (let number = 0; number < nFiles; number += 1) {
        await this.load(number).catch(() => {});
      }
    }

    async show() {
      const state = this.state();
      const number = Math.floor(state / this.data.perFile);
      let content;
      try {
        const known = this.unpacked?.number === number ? this.unpacked.content : null;
        content = known ?? (await this.load(number));
      } catch (error) {
        this.words.textContent = `${error.message}. Is the folder “views” beside the pages?`;
        return;
      }
      if (state !== this.state()) return; // another one was chosen meanwhile
      this.unpacked = { number, content };
      this.draw(content, content.states[state % this.data.perFile]);
    }

    /* Draws what moves; an element that is as it was stays, which saves reading it again. */
    move(elements) {
      const before = this.shownMoving;
      if (before?.length === elements.length && this.moving.children.length === elements.length) {
        elements.forEach((element, place) => {
          if (element !== before[place]) this.moving.children[place].outerHTML = element;
        });
      } else {
        this.moving.innerHTML = elements.join("");
      }
      this.shownMoving = elements;
    }

    draw({ strings }, [still, words, ...moving]) {
      if (this.shownStill !== strings[still]) {
        this.shownStill = strings[still];
        this.still.innerHTML = strings[still];
      }
      this.move(moving.map((number) => strings[number]));
      this.words.innerHTML = strings[words];
      clearTimeout(this.timer);
      this.timer = setTimeout(() => {
        this.spoken.textContent = this.words.textContent;
      }, DELAY_OF_WORDS);
    }
  }

  async function unpack(content) {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  const start = () => document.querySelectorAll(".seqkd-view").forEach((view) => new Player(view));
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
