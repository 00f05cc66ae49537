import { Button, CopyButton, Group, Modal, SimpleGrid, Stack, Text } from "@mantine/core";
import { IconCheck, IconCopy, IconDownload, IconPrinter } from "@tabler/icons-react";

import { config } from "../../config";
import { useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { save } from "../../ui/table/csv";
import classes from "./RecoveryCodes.module.css";

const t = text.security;

/** Shows recovery codes the one time that they can be seen: to copy, to save, to print. It closes by the button alone. */
export function RecoveryCodes({ codes, onClose }: { codes: string[] | undefined; onClose: () => void }) {
  const me = useMe();
  const list = codes ?? [];
  const sheet = [fill(t.codesHead, { site: config.site, email: me.email }), "", ...list, ""].join("\n");
  return (
    <Modal opened={codes !== undefined} onClose={onClose} title={t.codesTitle} closeOnClickOutside={false} closeOnEscape={false} withCloseButton={false} className={classes.codes}>
      <Stack>
        <Text size="sm">{t.codesText}</Text>
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs" component="ol" className={classes.list}>
          {list.map((code) => (
            <Text key={code} component="li" ff="monospace" fw={600}>
              {code}
            </Text>
          ))}
        </SimpleGrid>
        <Group gap="xs" className={classes.buttons}>
          <CopyButton value={list.join("\n")}>
            {({ copied, copy }) => (
              <Button size="xs" variant="default" leftSection={copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />} onClick={copy}>
                {copied ? text.common.copied : t.copyAll}
              </Button>
            )}
          </CopyButton>
          <Button size="xs" variant="default" leftSection={<IconDownload size={14} aria-hidden />} onClick={() => save(t.codesName, sheet, "text/plain")}>
            {text.common.download}
          </Button>
          <Button size="xs" variant="default" leftSection={<IconPrinter size={14} aria-hidden />} onClick={() => print()}>
            {t.print}
          </Button>
        </Group>
        <Group justify="flex-end" className={classes.buttons}>
          <Button onClick={onClose}>{t.kept}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
