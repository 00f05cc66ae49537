import type { RouteObject } from "react-router";

/** How the machinery is. */
export const machineRoutes: RouteObject[] = [{ path: "system", lazy: async () => ({ Component: (await import("./system/System")).System }) }];
