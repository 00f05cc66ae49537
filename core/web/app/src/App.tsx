import { Navigate, Outlet, createBrowserRouter, type RouteObject } from "react-router";

import { accountRoutes } from "./account/routes";
import { adminRoutes } from "./admin/routes";
import { affiliateRoutes } from "./affiliate/routes";
import { home } from "./areas";
import { Callback } from "./session/Callback";
import { SessionGate, useMe } from "./session/Session";
import { supportRoutes } from "./support/routes";
import { RouteFailure } from "./ui/RouteFailure";
import { NotFound } from "./ui/states";

function Home() {
  return <Navigate to={home(useMe())} replace />;
}

// A page that fails leaves the navigation of its area in place.
function guarded({ children, ...area }: RouteObject): RouteObject {
  return { ...area, index: false, children: [{ errorElement: <RouteFailure />, children }] };
}

/** Each area brings its routes; its pages are loaded when they are first looked at. */
export const router = createBrowserRouter(
  [
    { path: "/callback", element: <Callback /> },
    {
      element: (
        <SessionGate>
          <Outlet />
        </SessionGate>
      ),
      errorElement: <RouteFailure />,
      children: [{ index: true, element: <Home /> }, ...[affiliateRoutes, adminRoutes, supportRoutes, accountRoutes].map(guarded), { path: "*", element: <NotFound /> }],
    },
  ],
  { basename: "/app" },
);
