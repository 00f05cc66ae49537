import { Button, Center, Loader, Stack, Text, Title } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { useNavigate } from "react-router";

import { sentence } from "../api/problem";
import { text } from "../text";
import { signIn, SignInError, takeAnswer } from "./pkce";
import { exchange } from "./session";

/** Where the sign-in pages come back to. */
export function Callback() {
  const navigate = useNavigate();
  const begun = useRef(false); // a code is good once
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    if (begun.current) {
      return;
    }
    begun.current = true;
    const finish = async () => {
      const { code, verifier, returnTo } = takeAnswer(new URLSearchParams(location.search));
      await exchange(code, verifier);
      await navigate(returnTo.replace(/^\/app/, "") || "/", { replace: true });
    };
    finish().catch((error: unknown) => setFailure(error instanceof SignInError ? error.message || text.error.signInForeign : sentence(error)));
  }, [navigate]);
  return (
    <Center mih="100vh" p="md">
      {failure === undefined ? (
        <Loader aria-label={text.common.loading} />
      ) : (
        <Stack align="center">
          <Title order={1}>{text.error.signInFailed}</Title>
          <Text>{failure}</Text>
          <Button onClick={() => void signIn("/app/")}>{text.error.signIn}</Button>
        </Stack>
      )}
    </Center>
  );
}
