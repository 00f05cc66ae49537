import type { RouteObject } from "react-router";

/** What affiliates hand on. */
export const materialRoutes: RouteObject[] = [{ path: "materials", lazy: async () => ({ Component: (await import("./materials/Materials")).Materials }) }];
