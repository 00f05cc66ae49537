import type { RouteObject } from "react-router";

/** Orders, payments and what is sold. */
export const salesRoutes: RouteObject[] = [
  { path: "orders", lazy: async () => ({ Component: (await import("./orders/Orders")).Orders }) },
  { path: "orders/:id", lazy: async () => ({ Component: (await import("./orders/OrderPage")).OrderPage }) },
  { path: "payments", lazy: async () => ({ Component: (await import("./payments/Payments")).Payments }) },
];
