// A program as its form holds it: text and numbers that people type, in their units.
import type { Schemas } from "../../api/client";
import { decimalText, minorDigits, parseMoney } from "../../ui/locale";

type Program = Schemas["Program"];

export const sources = ["coupon", "click", "customer"] as const;

export interface ProgramValues {
  name: string;
  open: boolean;
  currency: string;
  attribution_window_days: number;
  attribution_model: Program["attribution_model"];
  hold_days: number;
  allowed_hosts: string[];
  fallback_url: string;
  click_param: string;
  browser_conversions: Program["browser_conversions"];
  precedence: string[];
  bind: Schemas["ProgramTerms"]["bind"];
  bind_days: number;
  lifetime: boolean;
  self_purchases: boolean;
  refuse_self_purchases: boolean;
  time_zone: string;
  /** In percent; empty: none. */
  max_share: number | "";
  product_holds: { product_id: string; days: number }[];
  floors: { currency: string; below: string }[];
}

export function valuesOf(p?: Program): ProgramValues {
  const terms = p?.terms;
  return {
    name: p?.name ?? "",
    open: p?.status !== "disabled",
    currency: p?.currency ?? "INR",
    attribution_window_days: p?.attribution_window_days ?? 30,
    attribution_model: p?.attribution_model ?? "last_click",
    hold_days: p?.hold_days ?? 30,
    allowed_hosts: p?.allowed_hosts ?? [],
    fallback_url: p?.fallback_url ?? "",
    click_param: p?.click_param ?? "click_id",
    browser_conversions: p?.browser_conversions ?? "off",
    precedence: terms?.precedence?.length ? [...terms.precedence] : [...sources],
    bind: terms?.bind || "lead",
    bind_days: terms?.bind_days ?? 0,
    lifetime: terms?.lifetime ?? false,
    self_purchases: terms?.self_purchases ?? false,
    refuse_self_purchases: terms?.refuse_self_purchases ?? false,
    time_zone: terms?.time_zone ?? "",
    max_share: terms?.max_share_bp === undefined ? "" : terms.max_share_bp / 100,
    product_holds: terms?.product_holds?.map((h) => ({ ...h })) ?? [],
    floors: terms?.floors?.map((f) => ({ currency: f.currency, below: decimalText(Math.abs(f.minor), minorDigits(f.currency)) })) ?? [],
  };
}

export function termsOf(v: ProgramValues): Schemas["ProgramTerms"] {
  return {
    precedence: v.precedence as Schemas["ProgramTerms"]["precedence"],
    bind: v.bind,
    bind_days: v.lifetime ? 0 : v.bind_days,
    lifetime: v.lifetime,
    self_purchases: v.self_purchases,
    refuse_self_purchases: v.refuse_self_purchases,
    ...(v.time_zone.trim() && { time_zone: v.time_zone.trim() }),
    ...(v.max_share !== "" && { max_share_bp: Math.round(v.max_share * 100) }),
    product_holds: v.product_holds,
    floors: v.floors.map((f) => ({ currency: f.currency.toUpperCase(), minor: -(parseMoney(f.below, f.currency.toUpperCase()) ?? 0) })),
  };
}

export function fieldsOf(v: ProgramValues) {
  return {
    name: v.name.trim(),
    currency: v.currency.trim().toUpperCase(),
    attribution_window_days: v.attribution_window_days,
    attribution_model: v.attribution_model,
    hold_days: v.hold_days,
    allowed_hosts: v.allowed_hosts,
    fallback_url: v.fallback_url.trim(),
    click_param: v.click_param.trim(),
    browser_conversions: v.browser_conversions,
    terms: termsOf(v),
  };
}
