import { Navigate, Outlet, createBrowserRouter } from "react-router";

import { accountRoutes } from "./account/routes";
import { adminRoutes } from "./admin/routes";
import { affiliateRoutes } from "./affiliate/routes";
import { home } from "./areas";
import { Callback } from "./session/Callback";
import { SessionGate, useMe } from "./session/Session";
import { supportRoutes } from "./support/routes";
import { text } from "./text";
import { ErrorState, NotFound } from "./ui/states";

function Home() {
  return <Navigate to={home(useMe())} replace />;
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
      errorElement: <ErrorState error={new Error(text.error.unexpected)} retry={() => location.reload()} />,
      children: [{ index: true, element: <Home /> }, affiliateRoutes, adminRoutes, supportRoutes, accountRoutes, { path: "*", element: <NotFound /> }],
    },
  ],
  { basename: "/app" },
);
