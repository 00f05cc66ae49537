import { Button, Card, Stack, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";

import { ok } from "../../api/call";
import { client } from "../../api/client";
import { useMe } from "../../session/Session";
import { text } from "../../text";
import { Page } from "../../ui/Page";
import { ErrorState } from "../../ui/states";
import { PasswordField } from "../PasswordField";
import { useDeed } from "../useDeed";
import { Factor } from "./Factor";
import { Sessions } from "./Sessions";

const t = text.security;
const shortest = 10; // characters, as the core wants

/** Password, second factor, and where somebody is signed in. */
export function Security() {
  const me = useMe();
  return (
    <Page title={text.nav.security} about={t.about}>
      {!me.read_only && <Password email={me.email} />}
      <Factor />
      <Sessions />
    </Page>
  );
}

function Password({ email }: { email: string }) {
  const cache = useQueryClient();
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const deed = useDeed();
  const differs = again !== "" && again !== next;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void deed.run(async () => {
      await ok(client.POST("/api/v1/me/password", { body: { current_password: current, new_password: next } }));
      notifications.show({ message: t.changed });
      setCurrent("");
      setNext("");
      setAgain("");
      await cache.invalidateQueries({ queryKey: ["my-sessions"] });
    });
  };
  return (
    <Card component="section" aria-label={t.password}>
      <Title order={2} size="h4">
        {t.password}
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        {t.passwordText}
      </Text>
      <form onSubmit={submit}>
        <Stack gap="sm" maw={420} align="stretch">
          <input type="text" autoComplete="username" value={email} readOnly hidden />
          <PasswordField label={t.current} value={current} onChange={setCurrent} />
          <PasswordField label={t.next} value={next} onChange={setNext} fresh error={next !== "" && next.length < shortest ? t.short : undefined} />
          <PasswordField label={t.again} value={again} onChange={setAgain} fresh error={differs ? t.differs : undefined} />
          {deed.failure !== undefined && <ErrorState error={deed.failure} title={text.error.deed} />}
          <Button type="submit" loading={deed.busy} disabled={!current || next.length < shortest || again !== next} style={{ alignSelf: "flex-start" }}>
            {t.change}
          </Button>
        </Stack>
      </form>
    </Card>
  );
}
