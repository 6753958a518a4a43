// Findings as rows with check boxes. Text from a vendor is inserted as text, never as HTML.

function cell(row, text, kind = "", tag = "td") {
  const made = row.appendChild(document.createElement(tag));
  made.className = kind;
  made.textContent = text;
  return made;
}

function box(row, label) {
  const input = document.createElement("input");
  input.type = "checkbox";
  input.setAttribute("aria-label", label);
  cell(row, "").append(input);
  return input;
}

function folded(title, text) {
  const details = document.createElement("details");
  details.append(document.createElement("summary"), document.createElement("pre"));
  details.firstChild.textContent = title;
  details.lastChild.textContent = text;
  return details;
}

function render({ model, el }) {
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  const body = table.createTBody();
  const summary = document.createElement("p");
  summary.setAttribute("role", "status");

  const all = box(head, "all exceptions");
  const columns = model.get("columns");
  for (const { title, kind } of columns) cell(head, title, kind, "th").scope = "col";
  const boxes = new Map();
  for (const { id, label, cells } of model.get("rows")) {
    const row = body.insertRow();
    boxes.set(id, box(row, label));
    cells.forEach((text, place) => cell(row, text, columns[place].kind));
    row.addEventListener("click", (event) => {
      // A click anywhere on a row is a click on its box, unless text is being selected to copy it.
      if (event.target.type !== "checkbox" && getSelection().isCollapsed) boxes.get(id).click();
    });
  }

  function save() {
    model.set("checked", [...boxes].filter(([, input]) => input.checked).map(([id]) => id));
    model.save_changes();
  }
  function show() {
    const checked = new Set(model.get("checked"));
    for (const [id, input] of boxes) {
      input.checked = checked.has(id);
      input.closest("tr").classList.toggle("checked", input.checked);
    }
    all.checked = boxes.size > 0 && checked.size === boxes.size;
    all.indeterminate = checked.size > 0 && checked.size < boxes.size;
    summary.textContent = model.get("summary");
  }

  for (const input of boxes.values()) input.addEventListener("change", save);
  all.addEventListener("change", () => {
    for (const input of boxes.values()) input.checked = all.checked;
    save();
  });
  model.on("change:checked change:summary", show);
  show();

  el.classList.add("auditkit-review");
  const frame = document.createElement("div");
  frame.append(table);
  el.append(frame, summary);
  if (model.get("sql")) el.append(folded("SQL", model.get("sql")));
  return () => model.off("change:checked change:summary", show);
}

export default { render };
