import { Alert, Checkbox, List, Stack, Text } from "@mantine/core";
import { useState } from "react";

import { ok } from "../api/call";
import { client } from "../api/client";
import { useMe } from "../session/Session";
import { signOut } from "../session/session";
import { text } from "../text";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { PasswordField } from "./PasswordField";

const t = text.account;

/** Tells what being forgotten means, before it is done. */
export function EraseDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const me = useMe();
  const [password, setPassword] = useState("");
  const [known, setKnown] = useState(false);
  const close = () => {
    setPassword("");
    setKnown(false);
    onClose();
  };
  return (
    <ConfirmDialog
      opened={opened}
      onClose={close}
      danger
      title={t.eraseTitle}
      action={t.eraseDo}
      disabled={!known || !password}
      onConfirm={async () => {
        await ok(client.DELETE("/api/v1/me", { body: { password } }));
        await signOut();
      }}
    >
      <Stack gap="sm">
        <Text fw={600}>{t.eraseGone}</Text>
        <List size="sm">
          {t.eraseGoneList.map((line) => (
            <List.Item key={line}>{line}</List.Item>
          ))}
        </List>
        {me.affiliate_id && <Alert color="red">{t.eraseGoneAffiliate}</Alert>}
        <Text size="sm">{t.eraseStays}</Text>
        <PasswordField label={t.password} value={password} onChange={setPassword} />
        <Checkbox label={t.eraseConfirm} checked={known} onChange={(e) => setKnown(e.currentTarget.checked)} />
      </Stack>
    </ConfirmDialog>
  );
}
