// Fields out of a JSON Schema: what each one accepts is the daemon's word, not ours.
import { html, nothing } from "/vendor/lit-html.js";
import { num } from "/format.js";
import { has, language, t } from "/i18n.js";

const typesOf = (schema) => (schema.oneOf ?? schema.anyOf ?? [schema]).flatMap((s) => s.type ?? []);
const isNumeric = (schema) => typesOf(schema).every((type) => type === "integer" || type === "number") &&
  typesOf(schema).length > 0;

/** Properties in the order in which the form asks: required ones first, else as the schema has them. */
export function fieldsOf(schema) {
  const required = new Set(schema?.required ?? []);
  const all = Object.entries(schema?.properties ?? {}).map(([key, s]) =>
    ({ key, schema: s, required: required.has(key) }));
  return [...all.filter((f) => f.required), ...all.filter((f) => !f.required)];
}

/** {value}, {error} or {} (left empty: the daemon's default). */
export function parseField({ schema, required }, raw) {
  if (schema.type === "boolean") return raw === undefined ? {} : { value: Boolean(raw) };
  const text = String(raw ?? "").trim();
  if (text === "") return required ? { error: t("form.required") } : {};
  if (schema.enum) return { value: schema.enum.find((v) => String(v) === text) ?? text };
  const types = typesOf(schema);
  if (isNumeric(schema)) {
    const value = Number(text.replaceAll(",", ""));
    if (!Number.isFinite(value)) return { error: t("form.number") };
    if (types.every((type) => type === "integer") && !Number.isInteger(value)) return { error:
      t("form.integer") };
    return rangeError(schema, value) ?? { value };
  }
  if (types.length === 1 && types[0] === "string") return { value: text };
  if (types.includes("array") && !/^[[{"]/.test(text) && !types.includes("object")) {
    return { value: text.split(",").map((word) => word.trim()).filter(Boolean).map((word) => scalar(word)) };
  }
  try {
    return { value: JSON.parse(text) };
  } catch {
    return types.includes("string") ? { value: text } : { error: t("form.json") };
  }
}

function scalar(word) {
  const n = Number(word);
  return word !== "" && Number.isFinite(n) ? n : word;
}

function rangeError(schema, value) {
  const bad = (schema.minimum != null && value < schema.minimum) || (schema.maximum != null &&
    value > schema.maximum)
    || (schema.exclusiveMinimum != null && value <= schema.exclusiveMinimum)
    || (schema.exclusiveMaximum != null && value >= schema.exclusiveMaximum);
  return bad ? { error: t("form.range", { range: rangeText(schema) }) } : null;
}

export function rangeText(schema) {
  const low = schema.minimum, high = schema.maximum, above = schema.exclusiveMinimum, below =
    schema.exclusiveMaximum;
  const show = (v) => (Math.abs(v) >= 1e12 ? v.toExponential(0) : Math.abs(v) < 1e-3 && v !== 0 ? String(v)
    : num(v, 6));
  if (low != null && high != null) return `${show(low)}–${show(high)}`;
  return [low != null ? `≥ ${show(low)}` : "", above != null ? `> ${show(above)}` : "", high != null ?
    `≤ ${show(high)}` : "",
    below != null ? `< ${show(below)}` : ""].filter(Boolean).join(", ");
}

const defaultText = (schema) => (schema.default === undefined || schema.default === null ||
  schema.default === "" ? ""
  : t("form.default", { d: typeof schema.default === "object" ? JSON.stringify(schema.default) :
  String(schema.default) }));

export const describe = (schema) => (language() === "ko" ? schema["x-ko"] ?? schema.description :
  schema.description) ?? "";
export const labelOf = (key) => (has(`param.${key}`) ? t(`param.${key}`) : key);

/** One labelled line: label and key at the left, the control, then unit, range, default or what is wrong. */
export function fieldRow({ id, label, key, control, note, error, unit }) {
  return html`<div class="frow"><label for=${id}>${label}${label === key ? nothing :
    html`<span class="code">${key}</span>`}</label>
    <div class="fctl">${control}${unit ? html`<span class="muted">${unit}</span>` : nothing}
      <span class="small" id="${id}-note">${error ? html`<b class="bad">${error}</b> ` : nothing}<span
      class="muted">${note}</span></span></div></div>`;
}

export function schemaField(field, raw, error, set, candidates) {
  const { key, schema } = field;
  const id = `p-${key}`;
  const untouched = raw === undefined;
  const wrong = untouched ? null : error;
  const note = [field.required && untouched ? t("form.required") : "", wrong ? "" : rangeText(schema),
    defaultText(schema), describe(schema)].filter(Boolean).join(", ");
  const bad = wrong ? "field-bad" : "";
  const on = (event) => set(key, event.target.value);
  let control;
  if (schema.type === "boolean") {
    const checked = raw ?? schema.default ?? false;
    control = html`<label class="check"><input id=${id} type="checkbox" .checked=${checked}
      @change=${(e) => set(key, e.target.checked)}>${t("form.on")}</label>`;
  } else if (schema.enum) {
    control = html`<select id=${id} class=${bad} aria-describedby="${id}-note" @change=${on}>
      ${field.required && schema.default === undefined ? nothing :
        html`<option value="" ?selected=${!raw}>${t("form.defaultOption", { d: schema.default ??
          "–" })}</option>`}
      ${schema.enum.map((v) => html`<option value=${String(v)} ?selected=${String(v) ===
        raw}>${String(v)}</option>`)}</select>`;
  } else {
    const wide = schema["x-artifact"] || (!isNumeric(schema) && !schema["x-unit"]);
    control = html`<input id=${id} type="text" class="${bad} ${wide ? "wide" : "narrow"}"
      .value=${raw ?? ""} aria-invalid=${Boolean(wrong)}
      aria-describedby="${id}-note" autocomplete="off" spellcheck="false" inputmode=${isNumeric(schema) ?
        "decimal" : nothing}
      list=${schema["x-artifact"] ? `${id}-list` : nothing} placeholder=${schema.default != null &&
        typeof schema.default !== "object" ? String(schema.default) : nothing} @input=${on}>
      ${schema["x-artifact"] ? html`<datalist id="${id}-list">${candidates.map(([value, text]) =>
        html`<option value=${value}>${text}</option>`)}</datalist>` : nothing}`;
  }
  return fieldRow({ id, label: labelOf(key), key, control, note, error: wrong, unit: schema["x-unit"] });
}

/** Words of a command line as a shell would split them; no variables, no globs. {words} or {error}. */
export function splitWords(text) {
  const words = [];
  let word = null, quote = "";
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quote) {
      if (c === quote) quote = "";
      else if (c === "\\" && quote === '"' && i + 1 < text.length) word += text[++i];
      else word += c;
    } else if (c === "'" || c === '"') {
      quote = c;
      word ??= "";
    } else if (c === "\\" && i + 1 < text.length) word = (word ?? "") + text[++i];
    else if (/\s/.test(c)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? "") + c;
  }
  if (quote) return { error: t("form.quote", { q: quote }) };
  if (word !== null) words.push(word);
  return { words };
}
