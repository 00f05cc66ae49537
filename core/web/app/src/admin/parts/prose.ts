// Texts of the core name things by their identifiers and amounts by their digits. People read names, and figures in their own way.
import { createContext } from "react";

import { formatDateTime, formatMoney, minorDigits } from "../../ui/locale";

/** What identifiers stand for; those that are not known stand for themselves. */
export const Names = createContext<(id: string) => string>((id) => id);

/** All identifiers of things with names that are somewhere in a value of the API. */
export function mentions(value: unknown): string[] {
  return [...new Set((JSON.stringify(value) ?? "").match(/\b(?:aff|grp|lnk|prg|per)_[0-9A-Z]{13}\b/g) ?? [])];
}

/** The text with names, moments and amounts as people read them. A rule has no name: what it belongs to stands before it. */
export function reworded(text: string, name: (id: string) => string): string {
  return text
    .replace(/ rul_[0-9A-Z]{13}\b/g, "")
    .replace(/\b[a-z]{3}_[0-9A-Z]{13}\b/g, (id) => name(id))
    .replace(/\b(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC\b/g, (_, day: string, time: string) => formatDateTime(`${day}T${time}Z`))
    .replace(/(?<![\d.])(\d{1,13})\.(\d{2,4}) ([A-Z]{3})\b/g, (whole, units: string, parts: string, currency: string) =>
      parts.length === minorDigits(currency) ? formatMoney({ minor: Number(units + parts), currency }) : whole,
    );
}
