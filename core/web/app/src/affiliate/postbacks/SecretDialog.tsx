import { Button, Group, Modal, Stack, Text } from "@mantine/core";

import { text } from "../../text";
import { CopyText } from "../../ui/CopyText";

const t = text.postbacks;

/** Shows a secret the one time that it can be seen. It closes by the button alone. */
export function SecretDialog({ secret, onClose }: { secret: string | undefined; onClose: () => void }) {
  return (
    <Modal opened={secret !== undefined} onClose={onClose} title={t.secretTitle} closeOnClickOutside={false} closeOnEscape={false} withCloseButton={false}>
      <Stack>
        <Text size="sm">{t.secretText}</Text>
        {secret && <CopyText value={secret} />}
        <Group justify="flex-end">
          <Button onClick={onClose}>{t.secretKept}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
