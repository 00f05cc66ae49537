// Forms of pages: values as they are typed, sent as the API has them.
import type { UseFormReturnType } from "@mantine/form";

import { fieldErrors } from "../api/problem";

/** Shows the API's words at the fields that they are about. Returns false if none of the form's fields is meant. */
export function showErrors<V extends Record<string, unknown>>(form: UseFormReturnType<V>, error: unknown): boolean {
  const mine = Object.entries(fieldErrors(error)).filter(([field]) => (field.split(/[.[]/)[0] ?? "") in form.values);
  mine.forEach(([field, message]) => form.setFieldError(field.split(/[.[]/)[0] ?? field, message));
  return mine.length > 0;
}

/** "18.5" of a form is 1850 basis points; undefined if it is no percentage of 0 to 100 with two decimals. */
export function parsePercent(typed: string): number | undefined {
  const match = /^(\d{1,3})(?:\.(\d{0,2}))?$/.exec(typed.trim());
  if (!match) {
    return undefined;
  }
  const bp = Number(match[1]) * 100 + Number((match[2] ?? "").padEnd(2, "0"));
  return bp <= 10_000 ? bp : undefined;
}

export function percentText(bp: number): string {
  return String(bp / 100); // two decimals at most: exact enough to be typed back
}
