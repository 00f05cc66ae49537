import type { RouteObject } from "react-router";

/** Orders, payments and what is sold. */
export const salesRoutes: RouteObject[] = [
  { path: "orders", lazy: async () => ({ Component: (await import("./orders/Orders")).Orders }) },
  { path: "orders/:id", lazy: async () => ({ Component: (await import("./orders/OrderPage")).OrderPage }) },
  { path: "payments", lazy: async () => ({ Component: (await import("./payments/Payments")).Payments }) },
  { path: "products", lazy: async () => ({ Component: (await import("./products/Products")).Products }) },
  { path: "products/new", lazy: async () => ({ Component: (await import("./products/ProductPage")).NewProduct }) },
  { path: "products/:id", lazy: async () => ({ Component: (await import("./products/ProductPage")).ProductPage }) },
  { path: "coupons", lazy: async () => ({ Component: (await import("./coupons/Coupons")).Coupons }) },
];
