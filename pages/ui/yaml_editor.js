// A plain <textarea> with line numbers and marks. The browser owns the text while a person types; the page replaces it only by raising
// `turn`. Words from data go into the document as textContent alone.
const QUIET_MS = 400; // a pause this long, and what was typed is sent
const left = new Map(); // what an editor held when Streamlit took it from the page, for the one it puts in its place a moment later
const AGAIN_MS = 2000;
const SYMBOLS = { error: "✕", blocker: "■", warning: "▲", info: "●" };

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".editor");
  root.editor = root.editor ?? create(root);
  root.editor.update(data, setStateValue);
  return () => root.editor.leave();
}

function create(root) {
  const area = root.querySelector("textarea");
  const numbers = root.querySelector(".numbers");
  const status = root.querySelector(".status");
  const label = root.querySelector("label");
  let data = null;
  let send = () => {};
  let timer = null;
  let composing = false;
  let shownLines = "";
  let focused = false;

  function flush() {
    if (timer === null) return;
    clearTimeout(timer);
    timer = null;
    send("typed", { text: area.value, turn: data.turn });
  }

  function changed() {
    draw();
    clearTimeout(timer);
    timer = setTimeout(() => (composing ? changed() : flush()), QUIET_MS);
  }

  function draw() {
    const count = area.value.split("\n").length;
    const marks = new Map();
    for (const mark of data.marks) if (!marks.has(mark.line)) marks.set(mark.line, mark); // the gravest comes first
    const wanted = JSON.stringify([count, data.marks]);
    if (wanted !== shownLines) {
      shownLines = wanted;
      numbers.replaceChildren(...Array.from({ length: count }, (_, index) => lineNumber(index + 1, marks.get(index + 1))));
    }
    numbers.style.transform = `translateY(${-area.scrollTop}px)`;
    sayLine();
  }

  function lineNumber(line, mark) {
    const shown = document.createElement("div");
    if (mark) {
      const symbol = document.createElement("span");
      symbol.textContent = SYMBOLS[mark.grade] ?? "●";
      symbol.className = `symbol ${mark.grade}`;
      shown.append(symbol);
      shown.title = mark.said;
    }
    shown.append(String(line));
    return shown;
  }

  // What is wrong with the line the cursor is in; a screen reader hears it when the cursor comes to rest there.
  function sayLine() {
    const line = area.value.slice(0, area.selectionStart).split("\n").length;
    const said = data.marks.filter((mark) => mark.line === line).map((mark) => `${SYMBOLS[mark.grade] ?? ""} ${mark.said}`);
    const text = said.length ? said.join("\n") : data.hint;
    if (status.textContent !== text) status.textContent = text;
    status.classList.toggle("quiet", !said.length);
  }

  function warnBeforeLeaving(event) {
    if (data.edited || timer !== null) event.preventDefault();
  }

  // Enter keeps the indentation of the line; insertText keeps the browser's own undo. Tab is left to leave the field.
  function keepIndentation(event) {
    if (event.key !== "Enter" || event.isComposing || event.keyCode === 229 || event.shiftKey || event.ctrlKey || event.metaKey) return;
    const before = area.value.slice(0, area.selectionStart);
    const line = before.slice(before.lastIndexOf("\n") + 1);
    const indentation = line.match(/^ */)[0] + (/:\s*$/.test(line) || /:\s*[|>]\s*$/.test(line) ? "  " : "");
    event.preventDefault();
    document.execCommand("insertText", false, "\n" + indentation);
  }

  area.addEventListener("compositionstart", () => (composing = true));
  area.addEventListener("compositionend", () => { composing = false; changed(); });
  area.addEventListener("input", changed);
  area.addEventListener("focus", () => (focused = true));
  area.addEventListener("blur", () => { focused = focused && !area.isConnected; flush(); });
  area.addEventListener("keydown", keepIndentation);
  area.addEventListener("keyup", sayLine);
  area.addEventListener("click", sayLine);
  area.addEventListener("scroll", draw);
  window.addEventListener("beforeunload", warnBeforeLeaving);

  function restore() {
    const before = left.get(data.sheet);
    left.delete(data.sheet);
    if (!before || before.turn !== data.turn || Date.now() - before.at > AGAIN_MS) return;
    area.value = before.text;
    area.setSelectionRange(before.start, before.end);
    area.scrollTop = before.scroll;
    if (before.focused) area.focus({ preventScroll: true });
    if (before.text !== data.text) changed();
  }

  return {
    update(next, setStateValue) {
      const first = data === null;
      const replaced = data === null || next.turn !== data.turn;
      data = next;
      send = setStateValue;
      if (replaced && timer === null && !composing && area.value !== data.text) area.value = data.text;
      if (replaced && (timer !== null || composing)) changed(); // words typed meanwhile win, and are sent for the new turn
      label.textContent = data.label;
      area.style.height = `${data.height}px`;
      area.setAttribute("aria-invalid", String(data.marks.some((mark) => mark.grade === "error")));
      if (first) restore();
      draw();
    },
    leave() {
      clearTimeout(timer);
      const { value: text, selectionStart: start, selectionEnd: end, scrollTop: scroll } = area;
      if (data) left.set(data.sheet, { text, start, end, scroll, focused, turn: data.turn, at: Date.now() });
      window.removeEventListener("beforeunload", warnBeforeLeaving);
    },
  };
}
