// Commission rules: their order, their terms in words, and as a form holds them.
import type { Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { decimalText, formatBasisPoints, formatMoney, minorDigits, parseMoney, type Amount } from "../../ui/locale";

export type Rule = Schemas["Rule"];
type RuleTerms = Schemas["RuleTerms"];

const t = text.partners;

/** The more specific, the higher: the affiliate's own, his group's, the product's, the program's. As the core ranks them. */
export function rank(rule: { affiliate_id?: string; group_id?: string; product_id?: string }): number {
  return (rule.affiliate_id ? 4 : 0) + (rule.group_id ? 2 : 0) + (rule.product_id ? 1 : 0);
}

/** What a rule pays, in words. */
export function termsInWords(r: { percent_bp?: number | null; flat?: Amount } & Omit<RuleTerms, "percent_bp" | "flat">): string {
  const words = [r.flat ? fill(t.termFlat, { amount: formatMoney(r.flat) }) : fill(t.termPercent, { percent: formatBasisPoints(r.percent_bp ?? 0) })];
  const top = r.tiers?.steps[r.tiers.steps.length - 1];
  if (top) {
    words.push(fill(t.termTiers, { top: top.flat ? formatMoney(top.flat) : formatBasisPoints(top.percent_bp ?? 0) }));
  }
  if (r.levels?.length) {
    words.push(r.levels.length === 1 ? t.termLevel : fill(t.termLevels, { n: r.levels.length }));
  }
  if (r.months) {
    words.push(fill(t.termMonths, { n: r.months }));
  }
  if (r.cap_order) {
    words.push(fill(t.termCapOrder, { amount: formatMoney(r.cap_order) }));
  }
  if (r.cap_month) {
    words.push(fill(t.termCapMonth, { amount: formatMoney(r.cap_month) }));
  }
  return words.join(", ");
}

export interface RuleValues {
  program_id: string;
  on: Rule["on"];
  whom: "all" | "group" | "affiliate";
  group_id: string;
  affiliate_id: string;
  product_id: string;
  pay: "percent" | "flat";
  /** In percent. */
  percent: number | "";
  currency: string;
  flat: string;
  tiers: boolean;
  tiers_by: "count" | "amount";
  steps: { from: string; percent: number | ""; flat: string }[];
  months: number;
  levels: { percent: number | ""; of: "net" | "commission" }[];
  cap_order: string;
  cap_month: string;
}

const typed = (amount: Amount | undefined): string => (amount ? decimalText(amount.minor, minorDigits(amount.currency)) : "");

export function valuesOf(rule?: Rule, program = "", currency = "INR"): RuleValues {
  const money = rule?.flat?.currency ?? rule?.cap_order?.currency ?? rule?.cap_month?.currency ?? (rule?.tiers?.currency || currency);
  return {
    program_id: rule?.program_id ?? program,
    on: rule?.on ?? "sale",
    whom: rule?.affiliate_id ? "affiliate" : rule?.group_id ? "group" : "all",
    group_id: rule?.group_id ?? "",
    affiliate_id: rule?.affiliate_id ?? "",
    product_id: rule?.product_id ?? "",
    pay: rule?.flat ? "flat" : "percent",
    percent: rule?.percent_bp === undefined || rule.percent_bp === null ? "" : rule.percent_bp / 100,
    currency: money,
    flat: typed(rule?.flat),
    tiers: rule?.tiers !== undefined,
    tiers_by: rule?.tiers?.by ?? "count",
    steps: rule?.tiers?.steps.map((s) => ({
      from: rule.tiers?.by === "amount" ? decimalText(s.from, minorDigits(money)) : String(s.from),
      percent: s.percent_bp === undefined ? "" : s.percent_bp / 100,
      flat: typed(s.flat),
    })) ?? [{ from: "10", percent: "", flat: "" }],
    months: rule?.months ?? 0,
    levels: rule?.levels?.map((l) => ({ percent: l.percent_bp / 100, of: l.of })) ?? [],
    cap_order: typed(rule?.cap_order),
    cap_month: typed(rule?.cap_month),
  };
}

const bp = (percent: number | ""): number => Math.round((percent || 0) * 100);

export function termsOf(v: RuleValues): RuleTerms {
  const currency = v.currency.trim().toUpperCase();
  const amount = (typed: string): Amount => ({ minor: parseMoney(typed, currency) ?? 0, currency });
  return {
    ...(v.pay === "percent" ? { percent_bp: bp(v.percent) } : { flat: amount(v.flat) }),
    ...(v.tiers && {
      tiers: {
        by: v.tiers_by,
        ...(v.tiers_by === "amount" && { currency }),
        steps: v.steps.map((s) => ({
          from: v.tiers_by === "amount" ? (parseMoney(s.from, currency) ?? 0) : Number(s.from),
          ...(v.pay === "percent" ? { percent_bp: bp(s.percent) } : { flat: amount(s.flat) }),
        })),
      },
    }),
    ...(v.months > 0 && { months: v.months }),
    ...(v.levels.length > 0 && { levels: v.levels.map((l) => ({ percent_bp: bp(l.percent), of: l.of })) }),
    ...(v.cap_order.trim() && { cap_order: amount(v.cap_order) }),
    ...(v.cap_month.trim() && { cap_month: amount(v.cap_month) }),
  };
}

/** For whom and what, as the API takes it. */
export function scopeOf(v: RuleValues) {
  return {
    on: v.on,
    ...(v.whom === "affiliate" && { affiliate_id: v.affiliate_id }),
    ...(v.whom === "group" && { group_id: v.group_id }),
    ...(v.on === "sale" && v.product_id && { product_id: v.product_id }),
  };
}

/** A rule that is there, as part of a draft. */
export function draftOf(r: Rule): Schemas["DraftRule"] {
  return {
    on: r.on,
    ...(r.affiliate_id && { affiliate_id: r.affiliate_id }),
    ...(r.group_id && { group_id: r.group_id }),
    ...(r.product_id && { product_id: r.product_id }),
    ...(r.percent_bp !== null && { percent_bp: r.percent_bp }),
    ...(r.flat && { flat: r.flat }),
    ...(r.tiers && { tiers: r.tiers }),
    ...(r.months && { months: r.months }),
    ...(r.levels && { levels: r.levels }),
    ...(r.cap_order && { cap_order: r.cap_order }),
    ...(r.cap_month && { cap_month: r.cap_month }),
  };
}
