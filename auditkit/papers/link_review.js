// Costs with a choice among their candidate lines. Text from a vendor is inserted as text, never as HTML.

function cell(row, text, kind = "", tag = "td") {
  const made = row.appendChild(document.createElement(tag));
  made.className = kind;
  made.textContent = text;
  return made;
}

function choice(row, group, value, label) {
  const input = document.createElement("input");
  input.type = "radio";
  input.name = group;
  input.value = value;
  input.setAttribute("aria-label", label);
  cell(row, "").append(input);
  row.addEventListener("click", (event) => {
    // A click anywhere on a row is a click on its choice, unless text is being selected to copy it.
    if (event.target !== input && getSelection().isCollapsed) input.click();
  });
  return input;
}

function render({ model, el }) {
  const columns = model.get("columns");
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  cell(head, "", "", "th");
  for (const { title, kind } of columns) cell(head, title, kind, "th").scope = "col";
  const summary = document.createElement("p");
  summary.setAttribute("role", "status");

  const inputs = new Map();
  const page = Math.random().toString(36); // two reviews on a page must not share their groups
  model.get("costs").forEach(({ id, title, options }, place) => {
    const body = table.createTBody();
    const group = `${page}-${place}`;
    const heading = cell(body.insertRow(), title, "cost", "th");
    heading.colSpan = columns.length + 1;
    heading.scope = "rowgroup";
    const added = [];
    for (const { id: line, cells } of options) {
      const row = body.insertRow();
      added.push(choice(row, group, line, `${title}: ${cells.slice(0, 4).join(" · ")}`));
      cells.forEach((text, at) => cell(row, text, columns[at].kind));
    }
    for (const [value, words] of [["none", "none of these"], ["", "not decided"]]) {
      const row = body.insertRow();
      added.push(choice(row, group, value, `${title}: ${words}`));
      cell(row, words).colSpan = columns.length;
    }
    inputs.set(id, added);
  });

  function save() {
    const chosen = [...inputs].map(([id, all]) => [id, all.find((input) => input.checked)?.value]);
    model.set("choices", Object.fromEntries(chosen.filter(([, value]) => value)));
    model.save_changes();
  }
  function show() {
    const choices = model.get("choices");
    for (const [id, all] of inputs) {
      for (const input of all) {
        input.checked = input.value === (choices[id] ?? "");
        input.closest("tr").classList.toggle("checked", input.checked && input.value !== "");
      }
    }
    summary.textContent = model.get("summary");
  }

  for (const all of inputs.values()) for (const input of all) input.addEventListener("change", save);
  model.on("change:choices change:summary", show);
  show();

  el.classList.add("auditkit-review");
  const frame = document.createElement("div");
  frame.append(table);
  el.append(frame, summary);
  if (model.get("sql")) {
    const details = document.createElement("details");
    details.append(document.createElement("summary"), document.createElement("pre"));
    details.firstChild.textContent = "SQL";
    details.lastChild.textContent = model.get("sql");
    el.append(details);
  }
  return () => model.off("change:choices change:summary", show);
}

export default { render };
