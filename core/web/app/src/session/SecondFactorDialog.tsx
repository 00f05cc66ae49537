import { Anchor, Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { Link } from "react-router";

import { ok } from "../api/call";
import { client } from "../api/client";
import { onSecondFactor } from "../api/fetch";
import { sentence } from "../api/problem";
import { text } from "../text";

/** Asks for the second factor whenever the API wants it proved, and lets the request go on. Mounted once. */
export function SecondFactorDialog() {
  const [opened, setOpened] = useState(false);
  const [code, setCode] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();
  const waiting = useRef<((proved: boolean) => void)[]>([]);
  const factor = useQuery({ queryKey: ["second-factor"], queryFn: () => ok(client.GET("/api/v1/me/second-factor")), enabled: opened });

  useEffect(() => {
    onSecondFactor(
      () =>
        new Promise((resolve) => {
          waiting.current.push(resolve);
          setOpened(true);
        }),
    );
    return () => onSecondFactor(undefined);
  }, []);

  const end = (proved: boolean) => {
    setOpened(false);
    setCode("");
    setFailure(undefined);
    waiting.current.splice(0).forEach((resolve) => resolve(proved));
  };
  const prove = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFailure(undefined);
    try {
      await ok(client.POST("/api/v1/me/second-factor/prove", { body: { code: code.trim() } }));
      end(true);
    } catch (error) {
      setFailure(sentence(error));
      setCode("");
    } finally {
      setBusy(false);
    }
  };
  const missing = factor.data && !factor.data.enrolled;
  return (
    <Modal opened={opened} onClose={() => end(false)} title={text.shell.secondFactor} zIndex={400}>
      {missing ? (
        <Stack>
          <Text>{text.shell.secondFactorSetUp}</Text>
          <Anchor component={Link} to="/account/security" onClick={() => end(false)}>
            {text.nav.security}
          </Anchor>
        </Stack>
      ) : (
        <form onSubmit={(e) => void prove(e)}>
          <Stack>
            <Text size="sm">{text.shell.secondFactorText}</Text>
            <TextInput
              label={text.shell.secondFactorCode}
              value={code}
              onChange={(e) => setCode(e.currentTarget.value)}
              error={failure}
              inputMode="numeric"
              autoComplete="one-time-code"
              maxLength={24}
              data-autofocus
              required
            />
            <Group justify="flex-end">
              <Button variant="default" onClick={() => end(false)}>
                {text.common.cancel}
              </Button>
              <Button type="submit" loading={busy}>
                {text.shell.secondFactorSend}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}
