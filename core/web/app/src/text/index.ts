// All words of the pages. A language is one object of the same shape; adding one is adding a folder beside en and a line here.
import * as en from "./en";

export type Text = typeof en;

export const text: Text = en;

/** Puts values into {places}. */
export function fill(template: string, values: Record<string, string | number>): string {
  return template.replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}
