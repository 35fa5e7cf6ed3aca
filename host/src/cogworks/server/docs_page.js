"use strict";

// What a field stands for; undefined if it is left out and the model's default holds.
function valueOf({ kind, text, initial, required }) {
  if (kind === "text" || kind === "secret") {
    return text === "" && initial === "" && !required ? undefined : text;
  }
  if (text.trim() === "") return undefined;
  return kind === "number" ? Number(text) : JSON.parse(text);
}

// How a value of the output is shown: image, audio, video, download, link, or null for as it is.
function mediaOf(value) {
  if (typeof value !== "string") return null;
  if (/^https?:\/\/\S+$/.test(value)) return "link";
  const match = /^data:([a-z]*)[^,\s]*,/i.exec(value);
  if (!match) return null;
  const family = match[1].toLowerCase();
  return ["image", "audio", "video"].includes(family) ? family : "download";
}

// The media of an output and what is left of it: files may be anywhere in it.
function split(output) {
  const media = [];
  const rest = JSON.stringify(
    output,
    (key, value) => {
      const kind = mediaOf(value);
      if (kind === null) return value;
      media.push({ kind, url: value });
      return kind === "link" ? value : `(${kind} ${media.length})`;
    },
    2,
  );
  return { media, rest };
}

// Whether an output is nothing but a file, or a list of files.
function isMedia(output) {
  return [output].flat().every((item) => mediaOf(item) !== null);
}

// A list of text alone is read as one text, which is what most such models mean.
function textOf(output) {
  if (typeof output === "string") return output;
  const isText = Array.isArray(output) && output.length > 0 && output.every((item) => typeof item === "string");
  return isText ? output.join("") : null;
}

// The reasons that an answer gives for itself.
function errorOf(answer) {
  if (Array.isArray(answer.detail)) {
    // A message that begins with its input needs no other name.
    const named = (item) => item.msg.startsWith("input ") ? item.msg : `${(item.loc || []).slice(-1)}: ${item.msg}`;
    return answer.detail.map(named).join("\n");
  }
  return typeof answer.error === "string" ? answer.error : null;
}

// The events that have come whole, and the text after them. Source: HTML standard, server-sent events.
function readEvents(text) {
  const blocks = text.split("\n\n");
  const rest = blocks.pop();
  const events = [];
  for (const block of blocks) {
    let name = "message";
    const data = [];
    for (const line of block.split("\n")) {
      if (line.startsWith("event:")) name = line.slice(6).trim();
      if (line.startsWith("data:")) data.push(line.slice(5));
    }
    if (data.length > 0) events.push({ name, data: JSON.parse(data.join("\n")) });
  }
  return { events, rest };
}

function start() {
  const byId = (id) => document.getElementById(id);
  const form = byId("form");
  let running = null; // { id, isLeft } of the prediction on its way.

  const command = byId("command");
  command.textContent = command.textContent.replace("http://localhost:5000", location.origin);

  function element(name, properties, ...children) {
    const node = Object.assign(document.createElement(name), properties);
    node.append(...children);
    return node;
  }

  // -- what is sent -------------------------------------------------------------------------

  function readFile(file) {
    return new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result);
      reader.onerror = () => reject(new Error(`${file.name} cannot be read`));
      reader.readAsDataURL(file);
    });
  }

  async function readField(field) {
    const { kind, required } = field.dataset;
    if (kind === "file" || kind === "files") {
      const urls = await Promise.all([...field.files].map(readFile));
      urls.push(...field.nextElementSibling.value.split(/\s+/).filter(Boolean));
      if (urls.length === 0) return undefined;
      return kind === "files" ? urls : urls[0];
    }
    const initial = field.defaultValue || "";
    return valueOf({ kind, text: field.value, initial, required: required === "yes" });
  }

  async function readForm() {
    const input = {};
    for (const field of form.querySelectorAll("[data-kind]")) {
      try {
        const value = await readField(field);
        if (value !== undefined) Object.defineProperty(input, field.name, { value, enumerable: true });
      } catch (error) {
        markField(field, error.message);
        throw new Error(`${field.name}: ${error.message}`);
      }
    }
    return input;
  }

  // -- what is shown ------------------------------------------------------------------------

  function markField(field, message) {
    field.setAttribute("aria-invalid", "true");
    field.closest(".field").append(element("p", { className: "problem" }, message));
  }

  function markFields(answer) {
    for (const { loc, msg } of Array.isArray(answer.detail) ? answer.detail : []) {
      const name = String((loc || []).slice(-1)).split("/")[0];
      for (const field of form.querySelectorAll("[data-kind]")) {
        if (field.name === name) markField(field, msg.replace(`input "${name}": `, ""));
      }
    }
  }

  function clear() {
    for (const node of form.querySelectorAll(".problem")) node.remove();
    for (const node of form.querySelectorAll("[aria-invalid]")) node.removeAttribute("aria-invalid");
    byId("result").replaceChildren();
  }

  function showMedia({ kind, url }) {
    if (kind === "image") return element("img", { src: url, alt: "An output of the model" });
    if (kind === "audio" || kind === "video") return element(kind, { src: url, controls: true });
    const link = element("a", { href: url, rel: "noopener noreferrer" }, kind === "link" ? url : "Download");
    if (kind === "download") link.download = "output";
    return element("p", {}, link);
  }

  function showOutput(output) {
    const { media, rest } = split(output);
    const text = textOf(output);
    const shown = media.map(showMedia);
    if (media.length === 0) shown.push(element("pre", {}, text === null ? rest : text));
    else if (!isMedia(output)) shown.push(element("pre", {}, rest));
    return shown;
  }

  function show(status, answer) {
    const parts = [];
    const error = errorOf(answer);
    if (error !== null) parts.push(element("pre", { className: "error" }, error));
    if (answer.output !== undefined && answer.output !== null) parts.push(...showOutput(answer.output));
    if (answer.logs) parts.push(element("h3", {}, "Logs"), element("pre", {}, answer.logs));
    const whole = element("pre", {}, split(answer).rest);
    parts.push(element("details", {}, element("summary", {}, `The whole answer (HTTP ${status})`), whole));
    byId("result").replaceChildren(...parts);
  }

  // Adds to the result what has just come; the end shows it once more, as a whole.
  function showLive() {
    const output = element("pre", { id: "live", hidden: true });
    const media = element("div", {});
    const title = element("h3", { hidden: true }, "Logs");
    const logs = element("pre", { hidden: true });
    byId("result").replaceChildren(media, output, title, logs);
    return ({ name, data }) => {
      if (name === "log") {
        title.hidden = logs.hidden = false;
        logs.append(data.data);
        logs.scrollTop = logs.scrollHeight;
      } else if (name === "output") {
        const found = split(data.chunk);
        media.append(...found.media.map(showMedia));
        if (isMedia(data.chunk)) return;
        output.hidden = false;
        output.append(typeof data.chunk === "string" ? data.chunk : `${found.rest}\n`);
        output.scrollTop = output.scrollHeight;
      }
    };
  }

  function setState(text, status) {
    byId("state").textContent = text;
    byId("state").dataset.status = status || "";
  }

  // -- a prediction -------------------------------------------------------------------------

  function ask(path, options = {}) {
    const token = byId("token");
    const headers = { ...options.headers };
    if (token && token.value) headers.Authorization = `Bearer ${token.value}`;
    return fetch(form.dataset.url + path, { ...options, headers });
  }

  async function readAnswer(response) {
    const text = await response.text();
    try {
      return JSON.parse(text);
    } catch {
      return { error: text }; // Not this server's words: something between us answered.
    }
  }

  // Follows the events of a prediction; returns it as it was at its end, null if they broke off.
  async function follow(id) {
    const response = await ask(`/${id}`, { headers: { Accept: "text/event-stream" } });
    if (!response.ok || !response.headers.get("content-type").startsWith("text/event-stream")) return null;
    const add = showLive();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return null;
      const { events, rest } = readEvents(text + value);
      text = rest;
      for (const event of events) {
        if (event.name === "completed") return event.data;
        add(event);
      }
    }
  }

  async function waitEnd(id) {
    for (;;) {
      const answer = await readAnswer(await ask(`/${id}`));
      if (!["starting", "processing"].includes(answer.status)) return answer;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }

  async function send() {
    const headers = { "Content-Type": "application/json", Prefer: "respond-async" };
    const body = JSON.stringify({ input: await readForm() });
    const response = await ask("", { method: "POST", headers, body });
    let answer = await readAnswer(response);
    if (response.status === 202) {
      running.id = answer.id;
      if (running.isLeft) cancel();
      answer = (await follow(answer.id).catch(() => null)) || (await waitEnd(answer.id));
    }
    show(response.ok ? 200 : response.status, answer);
    markFields(answer);
    return answer.status || (response.ok ? "succeeded" : "failed");
  }

  function cancel() {
    running.isLeft = true;
    if (running.id) ask(`/${running.id}/cancel`, { method: "POST", keepalive: true }).catch(() => {});
  }

  function setRunning(prediction) {
    running = prediction;
    byId("run").disabled = prediction !== null;
    byId("cancel").disabled = prediction === null;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (running) return;
    setRunning({ id: null, isLeft: false });
    clear();
    setState("running…");
    const startedAt = performance.now();
    try {
      const status = await send();
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(2);
      setState(`${status} after ${seconds} s`, status);
    } catch (error) {
      setState(error.message, "failed");
    } finally {
      setRunning(null);
    }
  });

  byId("cancel").addEventListener("click", () => running && cancel());
  addEventListener("pagehide", () => running && cancel());
}

if (typeof document !== "undefined") start();
