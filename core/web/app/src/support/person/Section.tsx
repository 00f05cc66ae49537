import { Card, Group, Stack, Text, Title } from "@mantine/core";
import { useId, type ReactNode } from "react";

import { text } from "../../text";
import { StateBadge } from "../../ui/StateBadge";
import { When } from "../../ui/When";
import classes from "./Section.module.css";

/** A part of a page, with its name and what is to be known beside it. */
export function Section({ title, beside, children }: { title: string; beside?: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <Card component="section" aria-labelledby={id}>
      <Group justify="space-between" mb="sm" gap="xs">
        <Title order={2} id={id}>
          {title}
        </Title>
        {typeof beside === "string" ? (
          <Text size="sm" c="dimmed">
            {beside}
          </Text>
        ) : (
          beside
        )}
      </Group>
      <Stack gap="sm">{children}</Stack>
    </Card>
  );
}

interface Row {
  key: string;
  name: ReactNode;
  /** Empty ones are left out. */
  facts: (string | null | undefined | false)[];
  amount?: ReactNode;
  state?: string;
  at?: string;
}

/** A short list without a table's machinery: name, what is known, state, time. */
export function Entries<T>({ of, row }: { of: readonly T[]; row: (entry: T) => Row }) {
  if (of.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        {text.support.person.none}
      </Text>
    );
  }
  return (
    <ul className={classes.list}>
      {of.map((entry) => {
        const r = row(entry);
        const facts = r.facts.filter(Boolean).join(" · ");
        return (
          <li key={r.key} className={classes.entry}>
            <div className={classes.words}>
              <Text size="sm" fw={600} component="div">
                {r.name}
              </Text>
              {facts && (
                <Text size="sm" c="dimmed">
                  {facts}
                </Text>
              )}
            </div>
            {r.amount && (
              <Text size="sm" component="div">
                {r.amount}
              </Text>
            )}
            {r.state && <StateBadge state={r.state} />}
            {r.at && (
              <Text size="sm" c="dimmed">
                <When at={r.at} />
              </Text>
            )}
          </li>
        );
      })}
    </ul>
  );
}
