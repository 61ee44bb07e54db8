"use strict";
// What all views have in common: the conversation with the host, languages, and making elements.
const COMMON = {
  en: {
    waiting: "Waiting for the answer…", failed: "There is nothing to show: the call ended with an error.",
    cancelled: "There is nothing to show: the call was stopped.",
    handing: "Handing it over…", handed: "Handed to the assistant", refused: "The chat did not take it. Ask the assistant yourself.", json: "As JSON",
  },
  ru: {
    waiting: "Ждём ответа…", failed: "Показать нечего: вызов закончился ошибкой.",
    cancelled: "Показать нечего: вызов остановлен.",
    handing: "Передаём…", handed: "Передано ассистенту", refused: "Чат это не принял. Попросите ассистента сами.", json: "В виде JSON",
  },
};
let texts = {};
let language = "en";
let locale = "en";
let canHandOver = false;
let show = () => {};
let state = "waiting";
const waiting = new Map();
let lastId = 0;

// Titles, values and findings are data from outside: they become text, never markup.
function element(tag, className, ...content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content.filter((part) => part !== undefined && part !== null && part !== "").map((part) => part instanceof Node ? part : String(part)));
  return made;
}

// A text of the view in its language; of several forms that which fits the number `count`.
function say(key, values = {}) {
  let template = { ...COMMON[language], ...texts[language] }[key];
  if (typeof template === "object") template = template[new Intl.PluralRules(language).select(values.count)] ?? template.other;
  return template.replace(/\{(\w+)\}/g, (_, name) => typeof values[name] === "number" ? writeNumber(values[name]) : values[name]);
}

function writeNumber(number) {
  const size = Math.abs(number);
  if (size !== 0 && (size < 1e-4 || size >= 1e15)) return new Intl.NumberFormat(locale, { notation: "scientific", maximumSignificantDigits: 4 }).format(number);
  const digits = size < 1 ? { maximumSignificantDigits: 4 } : { maximumFractionDigits: Number.isInteger(number) ? 0 : Math.max(0, 3 - Math.floor(Math.log10(size))) };
  return new Intl.NumberFormat(locale, digits).format(number);
}

// JSON that is made when somebody opens it.
function folded(title, content) {
  const details = element("details", "raw", element("summary", "", title));
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(element("pre", "", JSON.stringify(content, null, 1)));
  });
  return details;
}

// A button that puts a message of the person into the chat; nothing where the host cannot do that.
function handOver(label, message) {
  if (!canHandOver) return "";
  const button = element("button", "", label);
  button.type = "button";
  const told = element("span", "faint");
  told.setAttribute("role", "status");
  button.addEventListener("click", () => {
    button.disabled = true;
    told.textContent = " " + say("handing");
    ask("ui/message", { role: "user", content: [{ type: "text", text: message }] }).then(
      (result) => { if (result && result.isError) throw new Error(); told.textContent = " " + say("handed"); },
    ).catch(() => { button.disabled = false; told.textContent = " " + say("refused"); });
  });
  return element("p", "", button, told);
}

function send(message) {
  window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
}

function ask(method, params) {
  const id = ++lastId;
  send({ id, method, params });
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

function takeAnswer({ id, result, error }) {
  const asked = waiting.get(id);
  waiting.delete(id);
  if (asked) error ? asked.reject(new Error()) : asked.resolve(result);
}

function takeContext(context) {
  if (!context) return;
  const root = document.documentElement;
  if (context.theme === "light" || context.theme === "dark") root.dataset.theme = context.theme;
  // Hosts tell each change of size, too: only another language is worth losing the place where somebody reads.
  const before = locale;
  if (typeof context.locale === "string") chooseLanguage(context.locale);
  if (locale !== before) show(state);
}

function chooseLanguage(wanted) {
  language = /^ru\b/i.test(wanted) ? "ru" : "en";
  // Numbers in the form of a region only where the words are of its language.
  try { locale = new Intl.Locale(wanted).language === language ? wanted : language; } catch { locale = language; }
  document.documentElement.lang = language;
}

// `ownTexts`: the view's words in each language. `draw`: shows the content of an answer, or "waiting", "failed", "cancelled".
function startView(ownTexts, draw) {
  texts = ownTexts;
  show = draw;
  chooseLanguage(navigator.language || "en");
  window.addEventListener("message", ({ source, data }) => {
    if (source !== window.parent || !data || data.jsonrpc !== "2.0") return;
    if (data.method === undefined) takeAnswer(data);
    else if (data.method === "ui/notifications/tool-result") show(state = data.params?.structuredContent ?? "failed");
    else if (data.method === "ui/notifications/tool-cancelled") show(state = "cancelled");
    else if (data.method === "ui/notifications/host-context-changed") takeContext(data.params);
    else if (data.method === "ping" || data.method === "ui/resource-teardown") send({ id: data.id, result: {} });
  });
  new ResizeObserver(() => {
    const size = { width: document.documentElement.scrollWidth, height: Math.ceil(document.body.getBoundingClientRect().height) };
    send({ method: "ui/notifications/size-changed", params: size });
  }).observe(document.body);
  show(state);
  ask("ui/initialize", {
    protocolVersion: "2026-01-26", appInfo: { name: "bi-mcp", version: "1" }, appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
  }).then((result) => {
    canHandOver = typeof result?.hostCapabilities?.message === "object" && result.hostCapabilities.message !== null;
    takeContext(result?.hostContext);
    send({ method: "ui/notifications/initialized", params: {} });
  }).catch(() => {});
}
