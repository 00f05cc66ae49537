import type { RouteObject } from "react-router";

/** Conversions, commissions, reviews and the ledger. */
export const earningsRoutes: RouteObject[] = [
  { path: "conversions", lazy: async () => ({ Component: (await import("./conversions/Conversions")).Conversions }) },
  { path: "conversions/:id", lazy: async () => ({ Component: (await import("./conversions/Conversion")).Conversion }) },
  { path: "commissions", lazy: async () => ({ Component: (await import("./commissions/Commissions")).Commissions }) },
  { path: "commissions/:id", lazy: async () => ({ Component: (await import("./commissions/Commission")).Commission }) },
  { path: "reviews", lazy: async () => ({ Component: (await import("./reviews/Reviews")).Reviews }) },
  { path: "ledger", lazy: async () => ({ Component: (await import("./ledger/Ledger")).Ledger }) },
];
