import { Button, Card, Group, Stack, Switch, Text, Title } from "@mantine/core";
import { useState, type ReactNode } from "react";

import { text } from "../../text";
import { EmptyState, ErrorState, LoadingState } from "../../ui/states";
import { useSource, type Source } from "../../ui/table/source";

const t = text.bookings;

interface ListProps<T> {
  source: (all: boolean) => Source<T>;
  rowKey: (row: T) => string;
  empty: string;
  render: (row: T) => ReactNode;
}

/** Cases one below the other: they are read, not compared. */
export function CaseList<T>({ source, rowKey, empty, render }: ListProps<T>) {
  const [all, setAll] = useState(false);
  const query = useSource(source(all));
  const rows = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Stack>
      <Switch label={t.resolvedToo} checked={all} onChange={(e) => setAll(e.currentTarget.checked)} />
      {query.isPending && <LoadingState />}
      {query.isError && <ErrorState error={query.error} retry={() => void query.refetch()} />}
      {query.isSuccess && rows.length === 0 && (
        <Card>
          <EmptyState title={empty} />
        </Card>
      )}
      {rows.map((row) => (
        <div key={rowKey(row)}>{render(row)}</div>
      ))}
      {query.hasNextPage && (
        <Group justify="center">
          <Button variant="light" onClick={() => void query.fetchNextPage()} loading={query.isFetchingNextPage}>
            {text.table.next}
          </Button>
        </Group>
      )}
    </Stack>
  );
}

interface CaseProps {
  title: ReactNode;
  state: ReactNode;
  /** What to decide. */
  decide: string;
  /** What is known. */
  children: ReactNode;
  actions?: ReactNode;
}

export function Case({ title, state, decide, children, actions }: CaseProps) {
  return (
    <Card component="article">
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={2} fz={16}>
            {title}
          </Title>
          {state}
        </Group>
        <Text size="sm">{decide}</Text>
        {children}
        {actions && <Group gap="xs">{actions}</Group>}
      </Stack>
    </Card>
  );
}
