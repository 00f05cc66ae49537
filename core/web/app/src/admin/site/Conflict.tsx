import { Button, Group, Modal, Stack, Text } from "@mantine/core";

import type { Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { formatNumber } from "../../ui/locale";
import { When } from "../../ui/When";
import { useSaver } from "./saver";

const t = text.publicSite;

interface Props {
  theirs: Schemas["SiteView"];
  /** Names of the fields in which mine is another. */
  fields: string[];
  onLoad: () => void;
  onKeep: () => void;
  onClose: () => void;
}

/** Tells that somebody else has saved meanwhile, and asks whose is to stay. */
export function Conflict({ theirs, fields, onLoad, onKeep, onClose }: Props) {
  const name = useSaver(theirs.updated_by);
  return (
    <Modal opened onClose={onClose} title={t.conflictTitle}>
      <Stack gap="sm">
        <Text size="sm">
          {fill(t.conflictBy, { name, n: formatNumber(theirs.revision) })} {theirs.updated_at && <When at={theirs.updated_at} />}
        </Text>
        <Text size="sm">{fields.length > 0 ? fill(t.conflictFields, { fields: fields.join(", ") }) : t.conflictSame}</Text>
        <Text size="sm" c="dimmed">
          {t.conflictHint}
        </Text>
        <Group justify="flex-end">
          <Button variant="subtle" onClick={onClose}>
            {text.common.cancel}
          </Button>
          <Button variant="default" onClick={onLoad}>
            {t.loadTheirs}
          </Button>
          {fields.length > 0 && <Button onClick={onKeep}>{t.keepMine}</Button>}
        </Group>
      </Stack>
    </Modal>
  );
}
