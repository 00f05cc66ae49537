import { Button, Card, Code, Group, Modal, Stack, Text, Title } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useState } from "react";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { CopyText } from "../../ui/CopyText";

const t = text.partners;

/** Shows a secret the one time that it can be seen: closing takes a deed, so that no stray click loses it. */
export function SecretOnce({ program, onClose }: { program: Schemas["ProgramWithSecret"]; onClose: () => void }) {
  return (
    <Modal opened onClose={onClose} title={fill(t.secretNew, { name: program.name })} closeOnClickOutside={false} closeOnEscape={false} withCloseButton={false}>
      <Stack>
        <Text size="sm">{t.secretOnce}</Text>
        <Code block>
          <CopyText value={program.postback_secret} />
        </Code>
        <Group justify="flex-end">
          <Button onClick={onClose}>{t.secretKept}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}

/** The postback secret of a program: only a new one can be had. */
export function Secret({ program }: { program: Schemas["Program"] }) {
  const writes = may(useMe(), "catalog:write");
  const [asking, setAsking] = useState(false);
  const [made, setMade] = useState<Schemas["ProgramWithSecret"]>();
  return (
    <Card component="section" aria-label={t.secret}>
      <Title order={2}>{t.secret}</Title>
      <Text size="sm" c="dimmed" maw="44rem" mb="sm">
        {t.secretText}
      </Text>
      {writes && (
        <Button variant="default" leftSection={<IconKey size={16} aria-hidden />} onClick={() => setAsking(true)} style={{ alignSelf: "flex-start" }}>
          {t.secretRotate}
        </Button>
      )}
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={t.secretRotateTitle}
        action={t.secretRotate}
        onConfirm={async () => setMade(await ok(client.POST("/api/v1/programs/{id}/postback-secret", { params: { path: { id: program.id } } })))}
      >
        <Text size="sm">{t.secretRotateText}</Text>
      </ConfirmDialog>
      {made && <SecretOnce program={made} onClose={() => setMade(undefined)} />}
    </Card>
  );
}
