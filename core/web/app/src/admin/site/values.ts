// What the form of the public site holds.
import type { Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { formatNumber } from "../../ui/locale";
import { contrastWithWhite, leastContrast, ratioText } from "./contrast";

const t = text.publicSite;

export type SiteTab = "general" | "landing" | "legal";
export type Values = Record<string, unknown> & Omit<Schemas["SiteRequest"], "revision">;

/** Every field: the tab that it is on, and its name for people. */
export const fields: Record<keyof Omit<Schemas["SiteRequest"], "revision">, { tab: SiteTab; label: string }> = {
  name: { tab: "general", label: t.name },
  support_email: { tab: "general", label: t.supportEmail },
  accent: { tab: "general", label: t.accent },
  locale: { tab: "general", label: t.locale },
  headline: { tab: "landing", label: t.headline },
  text: { tab: "landing", label: t.text },
  hero_image_id: { tab: "landing", label: t.hero },
  featured_product_ids: { tab: "landing", label: t.featured },
  terms: { tab: "legal", label: t.terms },
  privacy: { tab: "legal", label: t.privacy },
  refund: { tab: "legal", label: t.refund },
  contact: { tab: "legal", label: t.contact },
};

export function valuesOf(s: Schemas["SiteView"]): Values {
  const { name, headline, text, hero_image_id, featured_product_ids, terms, privacy, refund, contact, support_email, accent, locale } = s;
  return { name, headline, text, hero_image_id, featured_product_ids, terms, privacy, refund, contact, support_email, accent, locale };
}

/** Names of the fields in which two differ. */
export function differing(a: Values, b: Values): string[] {
  return Object.entries(fields)
    .filter(([field]) => JSON.stringify(a[field]) !== JSON.stringify(b[field]))
    .map(([, { label }]) => label);
}

/** The tab of the first field with an error. */
export function tabOf(errors: Record<string, unknown>): SiteTab | undefined {
  return Object.entries(fields).find(([field]) => errors[field])?.[1].tab;
}

// The API counts characters, not halves of them.
const atMost = (n: number) => (v: string) => {
  const now = [...v].length;
  return now <= n ? null : fill(t.tooLong, { n: formatNumber(n), now: formatNumber(now) });
};

export const checks = {
  name: (v: string) => (v.trim() && [...v.trim()].length <= 80 ? null : t.nameMissing),
  headline: (v: string) => ([...v].length <= 200 ? null : t.headlineLong),
  text: atMost(20_000),
  terms: atMost(120_000),
  privacy: atMost(120_000),
  refund: atMost(120_000),
  contact: atMost(120_000),
  support_email: (v: string) => (!v.trim() || /^[^\s@]+@[^\s@]+$/.test(v.trim()) ? null : t.supportEmailWrong),
  accent: (v: string) => {
    const ratio = contrastWithWhite(v);
    return ratio === undefined ? t.accentWrong : ratio < leastContrast ? fill(t.accentPale, { ratio: ratioText(ratio) }) : null;
  },
  locale: (v: string) => (isTag(v.trim()) ? null : t.localeWrong),
};

function isTag(v: string): boolean {
  try {
    return v !== "" && Intl.getCanonicalLocales(v).length === 1;
  } catch {
    return false;
  }
}
