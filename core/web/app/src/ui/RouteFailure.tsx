import { useNetwork } from "@mantine/hooks";
import { useEffect, useRef } from "react";
import { useLocation, useNavigate, useRouteError } from "react-router";

import { ErrorState } from "./states";

/** In the place of a page whose part could not be loaded, or that broke. What stands around it stays. */
export function RouteFailure() {
  const error = useRouteError();
  const navigate = useNavigate();
  const { pathname, search } = useLocation();
  const { online } = useNetwork();
  const wasOffline = useRef(!online);
  useEffect(() => {
    if (online && wasOffline.current) {
      void navigate(pathname + search, { replace: true });
    }
    wasOffline.current = !online;
  }, [online, navigate, pathname, search]);
  // A part that is gone, as of an older version, is found by loading the page anew; without a network that would end in nothing.
  return <ErrorState error={error} retry={() => (navigator.onLine ? location.reload() : void navigate(pathname + search, { replace: true }))} />;
}
