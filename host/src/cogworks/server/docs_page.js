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
    return answer.detail.map((item) => `${(item.loc || []).slice(-1)}: ${item.msg}`).join("\n");
  }
  return typeof answer.error === "string" ? answer.error : null;
}

function start() {
  const byId = (id) => document.getElementById(id);
  const form = byId("form");
  let running = null;

  const command = byId("command");
  command.textContent = command.textContent.replace("http://localhost:5000", location.origin);

  function element(name, properties, ...children) {
    const node = Object.assign(document.createElement(name), properties);
    node.append(...children);
    return node;
  }

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
        throw new Error(`${field.name}: ${error.message}`);
      }
    }
    return input;
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
    if (answer.output !== undefined && answer.output !== null) {
      parts.push(element("h3", {}, "Output"), ...showOutput(answer.output));
    }
    if (answer.logs) parts.push(element("h3", {}, "Logs"), element("pre", {}, answer.logs));
    const whole = element("pre", {}, split(answer).rest);
    parts.push(element("details", {}, element("summary", {}, `The whole answer (HTTP ${status})`), whole));
    byId("result").replaceChildren(...parts);
  }

  async function send() {
    const headers = { "Content-Type": "application/json" };
    const token = byId("token");
    if (token && token.value) headers.Authorization = `Bearer ${token.value}`;
    const body = JSON.stringify({ input: await readForm() });
    const response = await fetch(form.dataset.url, { method: "POST", headers, body, signal: running.signal });
    const text = await response.text();
    let answer = { error: text };
    try {
      answer = JSON.parse(text);
    } catch {
      // Not this server's words: something between us answered. It is shown as it is.
    }
    show(response.status, answer);
    return answer.status || `HTTP ${response.status}`;
  }

  function setRunning(controller) {
    running = controller;
    byId("run").disabled = controller !== null;
    byId("cancel").disabled = controller === null;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (running) return;
    setRunning(new AbortController());
    byId("result").replaceChildren();
    byId("state").textContent = "running…";
    const startedAt = performance.now();
    try {
      const status = await send();
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(2);
      byId("state").textContent = `${status} after ${seconds} s`;
    } catch (error) {
      byId("state").textContent = error.name === "AbortError" ? "canceled" : error.message;
    } finally {
      setRunning(null);
    }
  });

  byId("cancel").addEventListener("click", () => running && running.abort());
}

if (typeof document !== "undefined") start();
