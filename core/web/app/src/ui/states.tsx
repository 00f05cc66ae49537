import { Alert, Button, Card, Center, Skeleton, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import { IconAlertTriangle, IconCloudOff, IconInbox } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "react-router";

import { isProblem, isUnreachable, sentence } from "../api/problem";
import { signIn } from "../session/pkce";
import { SignedOut } from "../session/session";
import { fill, text } from "../text";

/** Where there is nothing yet: what would be here, and how to get it. */
export function EmptyState({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <Center py="xl" px="md">
      <Stack align="center" gap="xs" maw={420}>
        <ThemeIcon size={48} radius="xl" variant="light" aria-hidden>
          <IconInbox size={26} />
        </ThemeIcon>
        <Text fw={600} ta="center">
          {title}
        </Text>
        {children && (
          <Text c="dimmed" size="sm" ta="center" component="div">
            {children}
          </Text>
        )}
        {action}
      </Stack>
    </Center>
  );
}

/** Where something could not be loaded, or done if a title says so: what happened, and what to do. */
export function ErrorState({ error, retry, title }: { error: unknown; retry?: () => void; title?: string }) {
  const away = isUnreachable(error);
  const gone = isProblem(error) && error.status === 404 && title === undefined;
  if (gone) {
    return (
      <Card role="alert" data-error>
        <EmptyState title={text.error.notFound}>{sentence(error)}</EmptyState>
      </Card>
    );
  }
  return (
    <Alert role="alert" data-error color={away ? "yellow" : "red"} icon={away ? <IconCloudOff /> : <IconAlertTriangle />} title={title ?? text.error.title}>
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{sentence(error)}</Text>
        {isProblem(error) && error.request_id && (
          <Text size="xs" c="dimmed">
            {fill(text.error.request, { id: error.request_id })}
          </Text>
        )}
        {error instanceof SignedOut ? (
          <Button size="xs" onClick={() => void signIn(location.pathname + location.search)}>
            {text.error.signIn}
          </Button>
        ) : (
          retry && (
            <Button size="xs" variant="light" onClick={retry}>
              {text.common.retry}
            </Button>
          )
        )}
      </Stack>
    </Alert>
  );
}

/** The shape of what is being loaded. */
export function LoadingState({ lines = 5 }: { lines?: number }) {
  return (
    <Stack gap="sm" role="status" aria-label={text.common.loading}>
      {Array.from({ length: lines }, (_, i) => (
        <Skeleton key={i} height={18} width={`${95 - ((i * 13) % 40)}%`} />
      ))}
    </Stack>
  );
}

interface Asked<T> {
  data: T | undefined;
  error: unknown;
  refetch: () => unknown;
}

/** One question to the API and its three outcomes. Data that is there stays while it is asked again. */
export function Loaded<T>({ query, children, lines }: { query: Asked<T>; children: (data: T) => ReactNode; lines?: number }) {
  if (query.data !== undefined) {
    return <>{children(query.data)}</>;
  }
  if (query.error) {
    return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  }
  return <LoadingState lines={lines} />;
}

export function NotFound() {
  return (
    <Center py={80} px="md" component="main">
      <Stack align="center" ta="center">
        <Title order={1}>{text.error.notFound}</Title>
        <Text c="dimmed">{text.error.notFoundText}</Text>
        <Button component={Link} to="/" variant="light">
          {text.error.notFoundHome}
        </Button>
      </Stack>
    </Center>
  );
}
