import { ActionIcon, CopyButton, Group, Text, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";

import { text } from "../text";

/** A text that people take elsewhere: a link, an identifier. */
export function CopyText({ value, label, mono = true, whole }: { value: string; label?: string; mono?: boolean; /** Shown in full, on as many lines as it takes. */ whole?: boolean }) {
  return (
    <Group gap={4} wrap="nowrap" style={{ minWidth: 0 }}>
      <Text component="span" inherit truncate={!whole} ff={mono ? "monospace" : undefined} title={value} style={whole ? { overflowWrap: "anywhere", whiteSpace: "normal", minWidth: 0 } : undefined}>
        {label ?? value}
      </Text>
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? text.common.copied : text.common.copy}>
            <ActionIcon variant="subtle" color={copied ? "teal" : "gray"} size="sm" onClick={copy} aria-label={copied ? text.common.copied : `${text.common.copy} ${value}`}>
              {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Group>
  );
}
