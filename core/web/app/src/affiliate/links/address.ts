// Addresses of links and where they lead: the rules of trackers, told before anything is sent.

export const subNames = ["sub1", "sub2", "sub3", "sub4", "sub5"] as const;
export const utmNames = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"] as const;
export type Parameter = (typeof subNames)[number] | (typeof utmNames)[number];
export type Parameters = Partial<Record<Parameter, string>>;

export const maxParameter = 255; // bytes that are kept with a click

/** Why a destination is not possible. */
export type Refusal = "empty" | "incomplete" | "scheme" | "user" | "host" | "long";

/** Says whether affiliates may lead to an address: absolute, and on one of the program's hosts. "*.shop.example" is every host below. */
export function checkDestination(text: string, hosts: readonly string[]): Refusal | undefined {
  const typed = text.trim();
  if (typed === "") {
    return "empty";
  }
  if (new TextEncoder().encode(typed).length > 2048) {
    return "long";
  }
  // The browser forgives what a tracker does not: backslashes, missing slashes, line ends.
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(typed)?.[1]?.toLowerCase();
  if (scheme && scheme !== "https" && scheme !== "http" && typed.includes("://")) {
    return "scheme";
  }
  let url: URL;
  try {
    url = new URL(typed);
  } catch {
    return "incomplete";
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    return typed.includes("://") ? "scheme" : "incomplete";
  }
  if (!/^https?:\/\/[^/\\?#]/i.test(typed) || /[\s\\]/.test(typed)) {
    return "incomplete";
  }
  if (url.username || url.password || typed.slice(0, typed.search(/[/?#]|$/)).includes("@")) {
    return "user";
  }
  return hosts.some((entry) => allows(entry, url)) ? undefined : "host";
}

function allows(entry: string, url: URL): boolean {
  const [name = "", port = ""] = entry.toLowerCase().split(":");
  if (url.port !== port) {
    return false;
  }
  const host = url.hostname.toLowerCase();
  return name.startsWith("*.") ? name.length > 2 && host.endsWith(name.slice(1)) && host.length > name.length - 1 : host === name;
}

/** Why a slug is not possible; whether it is free only the core knows. */
export function checkSlug(slug: string): "short" | "long" | "characters" | undefined {
  if (/[^A-Za-z0-9._~-]/.test(slug)) {
    return "characters";
  }
  return slug.length < 4 ? "short" : slug.length > 64 ? "long" : undefined;
}

/** The address to hand on: tracker and slug, with a page of the program to lead to instead, sub-ids and campaign. */
export function address(tracker: string, slug: string, { to = "", ...parameters }: Parameters & { to?: string } = {}): string {
  const query = new URLSearchParams();
  if (to.trim()) {
    query.set("to", to.trim());
  }
  for (const name of [...subNames, ...utmNames]) {
    const value = parameters[name]?.trim();
    if (value) {
      query.set(name, value);
    }
  }
  // %20 rather than +: it is read as a blank everywhere, in chats too.
  const text = query.toString().replaceAll("+", "%20");
  return `${tracker}/${slug}${text ? "?" + text : ""}`;
}

/** Where a new link leads at first: the start page of the program's first host that is one. */
export function startPage(hosts: readonly string[]): string {
  const host = hosts.find((h) => !h.startsWith("*"));
  return host ? `https://${host}/` : "";
}
