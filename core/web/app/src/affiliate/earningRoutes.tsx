import type { RouteObject } from "react-router";

/** What an affiliate earns and is paid, and his other affairs. */
export const earningRoutes: RouteObject[] = [
  { path: "conversions", lazy: async () => ({ Component: (await import("./earnings/Conversions")).Conversions }) },
  { path: "conversions/:id", lazy: async () => ({ Component: (await import("./earnings/ConversionPage")).ConversionPage }) },
  { path: "commissions", lazy: async () => ({ Component: (await import("./earnings/Commissions")).Commissions }) },
  { path: "commissions/:id", lazy: async () => ({ Component: (await import("./earnings/CommissionPage")).CommissionPage }) },
  { path: "payouts", lazy: async () => ({ Component: (await import("./payouts/Payouts")).Payouts }) },
  { path: "payouts/:id", lazy: async () => ({ Component: (await import("./payouts/PayoutPage")).PayoutPage }) },
  { path: "documents", lazy: async () => ({ Component: (await import("./documents/Documents")).Documents }) },
  { path: "downline", lazy: async () => ({ Component: (await import("./downline/Downline")).Downline }) },
  { path: "postbacks", lazy: async () => ({ Component: (await import("./postbacks/Postbacks")).Postbacks }) },
  { path: "postbacks/new", lazy: async () => ({ Component: (await import("./postbacks/NewPostback")).NewPostback }) },
  { path: "postbacks/:id", lazy: async () => ({ Component: (await import("./postbacks/PostbackPage")).PostbackPage }) },
  { path: "postbacks/:id/deliveries/:delivery", lazy: async () => ({ Component: (await import("./postbacks/DeliveryPage")).DeliveryPage }) },
];
