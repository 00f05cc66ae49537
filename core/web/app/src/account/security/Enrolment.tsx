import { Anchor, Button, CopyButton, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { text } from "../../text";
import { QRCode } from "../../ui/QRCode";
import { ErrorState } from "../../ui/states";
import { PasswordField } from "../PasswordField";
import { useDeed } from "../useDeed";

const t = text.security;

interface Props {
  opened: boolean;
  onClose: () => void;
  /** Is given the recovery codes, which are shown once. */
  done: (codes: string[]) => void;
}

/** Password, then the secret for the app, then a code of it. */
export function Enrolment({ opened, onClose, done }: Props) {
  const [password, setPassword] = useState("");
  const [secret, setSecret] = useState<Schemas["EnrolmentBody"]>();
  const [code, setCode] = useState("");
  const deed = useDeed();
  const clear = () => {
    setPassword("");
    setSecret(undefined);
    setCode("");
    deed.reset();
  };
  const close = () => {
    clear();
    onClose();
  };
  const begin = (event: FormEvent) => {
    event.preventDefault();
    void deed.run(async () => setSecret(await ok(client.POST("/api/v1/me/second-factor", { body: { password } }))));
  };
  const confirm = (event: FormEvent) => {
    event.preventDefault();
    void deed.run(async () => {
      const made = await ok(client.POST("/api/v1/me/second-factor/confirm", { body: { code: code.trim() } }));
      clear();
      done(made.recovery_codes);
    });
  };
  return (
    <Modal opened={opened} onClose={close} title={t.setUpTitle} closeOnClickOutside={secret === undefined}>
      {secret === undefined ? (
        <form onSubmit={begin}>
          <Stack>
            <Text size="sm">{t.setUpPassword}</Text>
            <PasswordField label={text.account.password} value={password} onChange={setPassword} />
            {deed.failure !== undefined && <ErrorState error={deed.failure} title={text.error.deed} />}
            <Buttons close={close} action={t.goOn} busy={deed.busy} />
          </Stack>
        </form>
      ) : (
        <form onSubmit={confirm}>
          <Stack>
            <Text size="sm">{t.scan}</Text>
            <Group justify="center">
              <QRCode value={secret.url} label={t.qr} size={220} />
            </Group>
            <div>
              <Text size="sm" fw={500}>
                {t.secret}
              </Text>
              <Group gap="xs" align="flex-start" wrap="nowrap">
                <Text ff="monospace" style={{ flex: 1, minWidth: 0 }}>
                  {secret.secret.replace(/(.{4})(?=.)/g, "$1 ")}
                </Text>
                <CopyButton value={secret.secret}>
                  {({ copied, copy }) => (
                    <Button size="compact-sm" variant="default" onClick={copy} style={{ flex: "none" }}>
                      {copied ? text.common.copied : text.common.copy}
                    </Button>
                  )}
                </CopyButton>
              </Group>
            </div>
            <Anchor href={secret.url} size="sm">
              {t.openApp}
            </Anchor>
            <TextInput label={t.code} description={t.enter} value={code} onChange={(e) => setCode(e.currentTarget.value)} inputMode="numeric" autoComplete="one-time-code" maxLength={8} required data-autofocus />
            {deed.failure !== undefined && <ErrorState error={deed.failure} title={text.error.deed} />}
            <Buttons close={close} action={t.confirm} busy={deed.busy} />
          </Stack>
        </form>
      )}
    </Modal>
  );
}

function Buttons({ close, action, busy }: { close: () => void; action: string; busy: boolean }) {
  return (
    <Group justify="flex-end">
      <Button variant="default" onClick={close} disabled={busy}>
        {text.common.cancel}
      </Button>
      <Button type="submit" loading={busy}>
        {action}
      </Button>
    </Group>
  );
}
