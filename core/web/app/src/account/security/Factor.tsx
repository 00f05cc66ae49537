import { Alert, Badge, Button, Card, Group, Stack, Text, TextInput, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { formatDateTime } from "../../ui/locale";
import { Loaded } from "../../ui/states";
import { PasswordField } from "../PasswordField";
import { Enrolment } from "./Enrolment";
import { RecoveryCodes } from "./RecoveryCodes";

const t = text.security;
const few = 3; // recovery codes that are too few

/** The second factor: set up, renewed, removed. */
export function Factor() {
  const factor = useQuery({ queryKey: ["second-factor"], queryFn: ({ signal }) => ok(client.GET("/api/v1/me/second-factor", { signal })) });
  return (
    <Card component="section" aria-label={t.factor}>
      <Title order={2} size="h4">
        {t.factor}
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        {t.factorText}
      </Text>
      <Loaded query={factor} lines={2}>
        {(state) => <State state={state} />}
      </Loaded>
    </Card>
  );
}

function State({ state }: { state: Schemas["FactorState"] }) {
  const me = useMe();
  const cache = useQueryClient();
  const [open, setOpen] = useState<"enrol" | "codes" | "remove">();
  const [codes, setCodes] = useState<string[]>();
  const close = () => setOpen(undefined);
  const changed = () => Promise.all([cache.invalidateQueries({ queryKey: ["second-factor"] }), cache.invalidateQueries({ queryKey: ["me"] })]);
  return (
    <Stack gap="sm">
      <Group gap="sm">
        <Badge variant="light" color={state.enrolled ? "teal" : "orange"} tt="none">
          {state.enrolled ? t.factorOn : t.factorOff}
        </Badge>
        {state.enrolled && <Text size="sm">{fill(t.codesLeft, { n: state.recovery_codes_left })}</Text>}
        {state.proved_at && (
          <Text size="sm" c="dimmed">
            {fill(t.proved, { at: formatDateTime(state.proved_at) })}
          </Text>
        )}
      </Group>
      {state.enrolled && state.recovery_codes_left <= few && <Alert color="yellow">{t.codesFew}</Alert>}
      {!me.read_only && (
        <Group gap="xs">
          {state.enrolled ? (
            <>
              <Button size="xs" variant="default" onClick={() => setOpen("codes")}>
                {t.newCodes}
              </Button>
              <Button size="xs" variant="subtle" color="red" onClick={() => setOpen("remove")}>
                {t.remove}
              </Button>
            </>
          ) : (
            <Button onClick={() => setOpen("enrol")}>{t.setUp}</Button>
          )}
        </Group>
      )}
      <Enrolment
        opened={open === "enrol"}
        onClose={close}
        done={(made) => {
          close();
          setCodes(made);
        }}
      />
      <ConfirmDialog
        opened={open === "codes"}
        onClose={close}
        title={t.newCodesTitle}
        action={t.newCodes}
        onConfirm={async () => setCodes((await ok(client.POST("/api/v1/me/second-factor/recovery-codes"))).recovery_codes)}
      >
        <Text>{t.newCodesText}</Text>
      </ConfirmDialog>
      <RemoveFactor opened={open === "remove"} onClose={close} done={changed} />
      <RecoveryCodes
        codes={codes}
        onClose={() => {
          setCodes(undefined);
          void changed();
        }}
      />
    </Stack>
  );
}

function RemoveFactor({ opened, onClose, done }: { opened: boolean; onClose: () => void; done: () => Promise<unknown> }) {
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const close = () => {
    setPassword("");
    setCode("");
    onClose();
  };
  return (
    <ConfirmDialog
      opened={opened}
      onClose={close}
      danger
      title={t.removeTitle}
      action={t.remove}
      disabled={!password || code.trim().length < 6}
      onConfirm={async () => {
        await ok(client.POST("/api/v1/me/second-factor/remove", { body: { password, code: code.trim() } }));
        notifications.show({ message: t.removed });
        await done();
      }}
    >
      <Text size="sm">{t.removeText}</Text>
      <PasswordField label={text.account.password} value={password} onChange={setPassword} />
      <TextInput label={t.code} value={code} onChange={(e) => setCode(e.currentTarget.value)} autoComplete="one-time-code" maxLength={24} required />
    </ConfirmDialog>
  );
}
