import type { Schemas } from "../../api/client";
import { text } from "../../text";

/** A right that a machine's token may have. */
export type TokenScope = Schemas["TokenRequest"]["scopes"][number];
/** A right that a program may be granted for a person: every one there is. */
export type ClientScope = Schemas["OAuthClientRequest"]["scopes"][number];

// What needs a person behind it. The compiler compares it with the API's document, as it does the words.
const personal: Record<Exclude<ClientScope, TokenScope>, true> = { me: true, "affiliate:self": true, "learner:self": true };

const every = Object.keys(text.scopeTexts) as ClientScope[];

export const tokenScopes: readonly TokenScope[] = every.filter((scope): scope is TokenScope => !(scope in personal));
/** Personal ones first: they are what such programs are for. */
export const clientScopes: readonly ClientScope[] = [...every.filter((scope) => scope in personal), ...tokenScopes];

/** In words; one that only a newer core knows stands for itself. */
export function scopeWords(scope: string): string {
  return (text.scopeTexts as Record<string, string>)[scope] ?? scope;
}
