import { Center, Loader } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext, useEffect, type ReactNode } from "react";
import { useLocation } from "react-router";

import { ok } from "../api/call";
import { client, type Schemas } from "../api/client";
import { text } from "../text";
import { ErrorState } from "../ui/states";
import { signIn } from "./pkce";
import { isViewing, SignedOut } from "./session";

export type Me = Schemas["Me"];

const MeContext = createContext<Me | undefined>(undefined);

/** Who is signed in. Only below SessionGate. */
export function useMe(): Me {
  const me = useContext(MeContext);
  if (!me) {
    throw new Error("BUG: useMe outside of SessionGate");
  }
  return me;
}

/** True if the token of this session holds one of the scopes. Admin holds all but the personal ones. */
export function may(me: Me, ...scopes: Schemas["Me"]["scopes"]): boolean {
  return scopes.some((scope) => me.scopes.includes(scope));
}

/** Lets nobody in who is not signed in, and sends them to the sign-in pages. */
export function SessionGate({ children }: { children: ReactNode }) {
  const { pathname, search } = useLocation();
  const cache = useQueryClient();
  const me = useQuery({
    queryKey: ["me"],
    queryFn: async ({ signal }) => ok(client.GET("/api/v1/me", { signal })),
    staleTime: 60_000,
    retry: (count, error) => !(error instanceof SignedOut) && count < 3,
  });
  const signedOut = me.error instanceof SignedOut;
  useEffect(() => {
    if (signedOut && !isViewing()) {
      cache.clear();
      void signIn("/app" + pathname + search);
    }
  }, [signedOut, pathname, search, cache]);

  if (me.data) {
    return <MeContext value={me.data}>{children}</MeContext>;
  }
  return (
    <Center mih="100vh" p="md">
      {me.error && !signedOut ? <ErrorState error={me.error} retry={() => void me.refetch()} /> : <Loader aria-label={text.common.loading} />}
    </Center>
  );
}
