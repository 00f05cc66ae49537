// The addresses of postbacks, as the core reads them: so that mistakes are seen while one writes.
import { fill, text } from "../../text";
import { decimalText, minorDigits } from "../../ui/locale";

const t = text.postbacks;

export const macros = Object.keys(t.macros);

// Others choose its value freely: in a path it could lead elsewhere.
const onlyQuery = new Set(["txn_id"]);

/** The values of a made-up sale. */
export const sample: Record<string, string> = {
  event: "commission.created", event_id: "evt_01J8Z0QK5T2VG", conversion_id: "cnv_01J8Z0QK5T2VG", txn_id: "order-1001", type: "sale", amount: "1499.00", currency: "INR",
  commission: "1124.25", commission_currency: "INR", commission_id: "com_01J8Z0QK5T2VG", click_id: "FF5Ssn76V--0-qoj9DPK6Iw1RFzTV04k0V8l2xu", link_id: "lnk_01J8Z0QK5T2VG",
  program_id: "prg_01J8Z0QK5T2VG",
};

/** What is wrong with an address; undefined: nothing that can be seen here. */
export function complaint(url: string): string | undefined {
  if (!/^https?:\/\/[^\s/?{}]+/i.test(url)) {
    return url.includes("{") && !/^https?:\/\/[^/?]+[/?]/i.test(url) ? t.wrong.early : t.wrong.scheme;
  }
  let rest = url;
  let before = "";
  while (rest) {
    const at = rest.search(/[{}]/);
    if (at < 0) {
      return undefined;
    }
    before += rest.slice(0, at);
    const end = rest.indexOf("}", at);
    if (rest[at] === "}" || end < 0) {
      return t.wrong.brace;
    }
    const name = rest.slice(at + 1, end);
    if (!macros.includes(name)) {
      return fill(t.wrong.unknown, { name: `{${name}}` });
    }
    if (!/[/?]/.test(before.split("://")[1] ?? "")) {
      return t.wrong.early;
    }
    if (onlyQuery.has(name) && !before.includes("?")) {
      return fill(t.wrong.onlyQuery, { name: `{${name}}` });
    }
    before += "x";
    rest = rest.slice(end + 1);
  }
  return undefined;
}

/** Puts values in, each escaped for where it stands. */
export function expand(url: string, values: Record<string, string>): string {
  return url.replace(/\{([a-z_]+)\}/g, (macro, name: string, at: number) => {
    if (!macros.includes(name)) {
      return macro;
    }
    const value = encodeURIComponent(values[name] ?? "");
    return url.slice(0, at).includes("?") ? value.replaceAll("%20", "+") : value;
  });
}

/** The request of a postback: a POST carries what is behind the ? as a form. */
export function requestOf(method: string, url: string): { line: string; form?: string } {
  const [path, query] = [url.split("?")[0] ?? url, url.slice((url.indexOf("?") + 1 || url.length + 1))];
  return method === "POST" ? { line: `POST ${path}`, form: query } : { line: `GET ${url}` };
}

interface Payload {
  id?: string;
  type?: string;
  data?: { conversion?: Record<string, unknown>; commission?: { id?: string; amount?: Money } };
}

interface Money {
  minor: number;
  currency: string;
}

/** The values of macros that an event has. */
export function valuesOf(payload: unknown): Record<string, string> {
  const p = (payload ?? {}) as Payload;
  const c = p.data?.conversion ?? {};
  const word = (value: unknown) => (typeof value === "string" ? value : "");
  const amount = c.amount as Money | null | undefined;
  const commission = p.data?.commission;
  return {
    event: p.type ?? "", event_id: p.id ?? "", conversion_id: word(c.id), txn_id: word(c.txn_id), type: word(c.type), click_id: word(c.click_id), link_id: word(c.link_id),
    program_id: word(c.program_id), amount: decimal(amount), currency: amount?.currency ?? "", commission: decimal(commission?.amount),
    commission_currency: commission?.amount?.currency ?? "", commission_id: commission?.id ?? "",
  };
}

function decimal(amount: Money | null | undefined): string {
  return amount ? decimalText(amount.minor, minorDigits(amount.currency)) : "";
}
