import type { RouteObject } from "react-router";

/** What leaves the house. */
export const moneyRoutes: RouteObject[] = [
  { path: "payouts", lazy: async () => ({ Component: (await import("./payouts/Batches")).Batches }) },
  { path: "payouts/new", lazy: async () => ({ Component: (await import("./payouts/NewBatch")).NewBatch }) },
  { path: "payouts/:id", lazy: async () => ({ Component: (await import("./payouts/BatchPage")).BatchPage }) },
  { path: "payouts/:batch/:id", lazy: async () => ({ Component: (await import("./payouts/PayoutPage")).PayoutPage }) },
  { path: "payout-requests", lazy: async () => ({ Component: (await import("./payouts/Requests")).PayoutRequests }) },
  { path: "kyc", lazy: async () => ({ Component: (await import("./kyc/Documents")).KYCDocuments }) },
  { path: "tax", lazy: async () => ({ Component: (await import("./tax/TaxRules")).TaxRules }) },
];
