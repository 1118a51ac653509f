// Numbers, sizes, times and durations as people read them. Unknown is "–", never zero.
import { language, t } from "/i18n.js";

const GIB = 1024 ** 3;
export const NONE = "–";
let skewMs = 0;

/** Sets the server's clock as ours: ages and forecasts are its, not this machine's. */
export function setServerNow(iso) {
  const at = Date.parse(iso);
  if (!Number.isNaN(at)) skewMs = at - Date.now();
}
export const now = () => Date.now() + skewMs;

/** GiB rounded to tenths, as a number: sums of terms are made from these. */
export const tenths = (bytes) => Math.round((bytes / GIB) * 10) / 10;
export const gib = (bytes) => (bytes == null ? NONE : tenths(bytes).toFixed(1));

export function size(bytes) {
  if (bytes == null) return NONE;
  if (bytes >= GIB) return `${gib(bytes)} GiB`;
  if (bytes >= 1024 ** 2) return `${num(bytes / 1024 ** 2)} MiB`;
  if (bytes >= 1024) return `${num(bytes / 1024)} KiB`;
  return `${bytes} B`;
}

export const num = (value, digits = 0) =>
  value == null ? NONE : value.toLocaleString("en-US", { maximumFractionDigits: digits });

/** A measured value: enough digits to compare, no more. */
export function metric(value) {
  if (value == null || Number.isNaN(value)) return "NaN";
  const size_ = Math.abs(value);
  if (size_ !== 0 && (size_ < 1e-3 || size_ >= 1e6)) return value.toExponential(2);
  return Number.isInteger(value) ? num(value) : String(+value.toPrecision(4));
}

export function duration(seconds) {
  if (seconds == null) return NONE;
  const s = Math.max(0, Math.round(seconds));
  const two = (n) => String(n).padStart(2, "0");
  if (s < 60) return t("time.s", { s });
  if (s < 3600) {
    const m = Math.floor(s / 60);
    return m < 10 && s % 60 ? t("time.ms", { m, s: two(s % 60) }) : t("time.m", { m });
  }
  const h = Math.floor(s / 3600), m = Math.floor((s % 3600) / 60);
  if (h < 48) return m ? t("time.hm", { h, m: two(m) }) : t("time.h", { h });
  return t("time.dh", { d: Math.floor(h / 24), h: h % 24 });
}

const locale = () => (language() === "ko" ? "ko-KR" : "en-GB");
const asDate = (time) => (time instanceof Date ? time : new Date(time));
const dayKey = (date) => `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;

/** "22:00", with the day in front when it is not today. */
export function clock(time) {
  if (time == null) return NONE;
  const date = asDate(time);
  const hm = date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  if (dayKey(date) === dayKey(new Date(now()))) return hm;
  if (Math.abs(date - now()) < 14 * 3600e3) return hm;
  return `${dayOf(date)} ${hm}`;
}

/** Always with its day: "17일 22:02". */
export function stamp(time) {
  if (time == null) return NONE;
  const date = asDate(time);
  const hm = date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return dayKey(date) === dayKey(new Date(now())) ? hm : `${dayOf(date)} ${hm}`;
}

export function dayOf(date) {
  const far = Math.abs(date - now()) > 20 * 86400e3;
  return date.toLocaleDateString(locale(), far ? { month: "short", day: "numeric" } : { day: "numeric" })
    + (language() === "en" && !far ? ` ${date.toLocaleDateString("en-GB", { month: "short" })}` : "");
}

export function weekday(time) {
  return asDate(time).toLocaleDateString(locale(), { weekday: "short", month: "long", day: "numeric" });
}

/** "11월 18일 (수) 18:48 KST" for the corner of the page: the zone stands here once. */
export function corner() {
  const date = new Date(now());
  const day = language() === "ko"
    ? `${date.getMonth() + 1}월 ${date.getDate()}일 (${date.toLocaleDateString("ko-KR", { weekday: "short" })})`
    : date.toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short" }).replace(",", "");
  const hm = date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return `${day} ${hm} ${zoneName(date)}`;
}

function zoneName(date) {
  if (Intl.DateTimeFormat().resolvedOptions().timeZone === "Asia/Seoul") return "KST";
  const part = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" }).formatToParts(date)
    .find((p) => p.type === "timeZoneName");
  return part ? part.value : "";
}

export const secondsSince = (iso) => (iso ? (now() - Date.parse(iso)) / 1000 : null);
export const ago = (iso) => (iso ? t("time.ago", { d: duration(secondsSince(iso)) }) : NONE);
export const ahead = (iso) => (iso ? t("time.in", { d: duration(-secondsSince(iso)) }) : NONE);
export const near = (iso) => (Date.parse(iso) >= now() ? ahead(iso) : ago(iso));
export const full = (iso) => (iso ? new Date(iso).toISOString() : "");

/** "02:25–03:10", a day only where it is needed. */
export const timeSpan = (from, to) => `${clock(from)}–${clock(to)}`;
