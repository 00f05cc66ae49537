import { Card, Title } from "@mantine/core";
import type { ReactNode } from "react";

import { text } from "../../text";

/** The pages of what an explanation names. What has none is named and not linked. */
export interface WhyPaths {
  conversion?: (id: string) => string;
  commission?: (id: string) => string;
  payout?: (payout: { id: string; batch_id: string }) => string;
  link?: (id: string) => string;
  affiliate?: (id: string) => string;
  rule?: (id: string) => string;
  /** What an affiliate is called. */
  name?: (id: string) => string;
}

/** One question that an explanation answers. */
export function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Card component="section" aria-label={title}>
      <Title order={2} size="h4" mb="sm">
        {title}
      </Title>
      {children}
    </Card>
  );
}

/** "sale", in a sentence. */
export function typeWord(type: string): string {
  return (text.conversionTypes[type] ?? type).toLowerCase();
}
