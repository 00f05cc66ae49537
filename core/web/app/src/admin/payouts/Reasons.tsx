import { Badge, Group, Tooltip } from "@mantine/core";

import type { Schemas } from "../../api/client";
import { text } from "../../text";

export function reason(r: Schemas["PayoutReason"]): string {
  return text.payoutReasons[r.code] ?? r.code.replaceAll("_", " ");
}

/** That somebody can be paid, or everything that stands against it. */
export function Reasons({ of, ready = text.payouts.ready }: { of: Pick<Schemas["PayoutCandidate"], "ready" | "reasons">; ready?: string }) {
  if (of.ready) {
    return (
      <Badge color="teal" variant="light" tt="none">
        {ready}
      </Badge>
    );
  }
  return (
    <Group gap={4}>
      {of.reasons.map((r) => (
        <Tooltip key={r.code} label={r.detail} disabled={!r.detail} multiline maw={320}>
          <Badge color="orange" variant="light" tt="none" tabIndex={0}>
            {reason(r)}
          </Badge>
        </Tooltip>
      ))}
    </Group>
  );
}
