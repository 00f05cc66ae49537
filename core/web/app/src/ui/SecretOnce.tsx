import { Button, Code, Group, Modal, Stack, Text } from "@mantine/core";

import { text } from "../text";
import { CopyText } from "./CopyText";

/** Shows a secret the one time that it can be seen. Closing takes a deed, so that no stray click loses it. */
export function SecretOnce({ title, about, secret, onClose }: { title: string; about: string; secret: string; onClose: () => void }) {
  return (
    <Modal opened onClose={onClose} title={title} closeOnClickOutside={false} closeOnEscape={false} withCloseButton={false}>
      <Stack>
        <Text size="sm">{about}</Text>
        <Code block>
          <CopyText value={secret} whole />
        </Code>
        <Group justify="flex-end">
          <Button onClick={onClose}>{text.partners.secretKept}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
