import { Card, Group, SimpleGrid, Skeleton, Text } from "@mantine/core";
import { IconArrowDownRight, IconArrowUpRight } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { fill, text } from "../text";
import { formatPercent } from "./locale";

interface StatProps {
  label: string;
  value: ReactNode;
  /** Of the period before, to compare with. */
  before?: { value: number; shown: string; now: number };
  hint?: ReactNode;
  /** Less is better, as with refunds. */
  inverse?: boolean;
}

// Amounts up to crores, as ₹12,34,56,789.00, fit on one line, however narrow the card is.
const figureSize = "clamp(0.75rem, 10cqi, 1.5rem)";

/** One figure, with its change. */
export function Stat({ label, value, before, hint, inverse }: StatProps) {
  return (
    <Card padding="md" component="section" aria-label={label}>
      <Text size="sm" c="dimmed">
        {label}
      </Text>
      <div style={{ containerType: "inline-size" }}>
        <Text fz={figureSize} fw={650} lh={1.3} style={{ fontVariantNumeric: "tabular-nums", overflowWrap: "anywhere" }} component="div">
          {value}
        </Text>
      </div>
      {before && <Change {...before} inverse={inverse} />}
      {hint && (
        <Text size="xs" c="dimmed" component="div">
          {hint}
        </Text>
      )}
    </Card>
  );
}

function Change({ value, shown, now, inverse }: { value: number; shown: string; now: number; inverse?: boolean }) {
  const title = fill(text.common.compared, { before: shown });
  if (value === 0 || value === now) {
    return (
      <Text size="xs" c="dimmed" title={title}>
        {value === now ? text.common.noChange : fill(text.common.was, { before: shown })}
      </Text>
    );
  }
  const change = (now - value) / Math.abs(value);
  const up = change > 0;
  const Icon = up ? IconArrowUpRight : IconArrowDownRight;
  return (
    <Group gap={2} title={title} wrap="nowrap" c={up !== (inverse ?? false) ? "teal" : "red"}>
      <Icon size={14} aria-hidden />
      <Text size="xs" fw={600} component="span">
        {up ? "+" : ""}
        {formatPercent(change)}
      </Text>
    </Group>
  );
}

export function StatGrid({ children }: { children: ReactNode }) {
  return <SimpleGrid cols={{ base: 2, sm: 3, lg: 4, xl: 5 }} spacing="sm">{children}</SimpleGrid>;
}

export function StatGridLoading({ count = 8 }: { count?: number }) {
  return (
    <StatGrid>
      {Array.from({ length: count }, (_, i) => (
        <Skeleton key={i} height={96} radius="lg" />
      ))}
    </StatGrid>
  );
}
