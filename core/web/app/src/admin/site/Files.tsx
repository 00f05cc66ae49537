import { Button, Card, Group, SimpleGrid, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconFileTypePdf, IconTrash } from "@tabler/icons-react";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { CopyText } from "../../ui/CopyText";
import { formatBytes, formatNumber } from "../../ui/locale";
import { EmptyState, Loaded } from "../../ui/states";
import { When } from "../../ui/When";
import { Sender } from "./Sender";
import { Uses } from "./Uses";
import classes from "./Files.module.css";

type Media = Schemas["SiteMedia"];
const t = text.publicSite;

/** Pictures and documents that everybody may see. */
export function Files({ readOnly }: { readOnly: boolean }) {
  const cache = useQueryClient();
  const [doomed, setDoomed] = useState<Media>();
  const [used, setUsed] = useState<boolean>(); // undefined: it is not known yet
  const ask = (media?: Media) => {
    setUsed(undefined);
    setDoomed(media);
  };
  const list = useInfiniteQuery({
    queryKey: ["site-media", "list"],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) => ok(client.GET("/api/v1/site/media", { params: { query: { limit: 24, ...(pageParam && { cursor: pageParam }) } }, signal })),
    getNextPageParam: (last) => last.next_cursor || undefined,
  });
  const changed = () => cache.invalidateQueries({ queryKey: ["site-media"] });
  const remove = async (m: Media) => {
    await ok(client.DELETE("/api/v1/site/media/{id}", { params: { path: { id: m.id } } }));
    notifications.show({ message: fill(t.deleted, { name: m.file_name }), color: "teal" });
    await changed();
  };
  return (
    <Stack>
      {!readOnly && <Sender onSent={changed} />}
      <Loaded query={list}>
        {({ pages }) => {
          const items = pages.flatMap((p) => p.items);
          return items.length === 0 ? (
            <Card>
              <EmptyState title={t.filesEmpty}>{t.filesEmptyText}</EmptyState>
            </Card>
          ) : (
            <SimpleGrid component="ul" aria-label={t.filesList} cols={{ base: 1, xs: 2, md: 3, lg: 4 }} m={0} p={0} style={{ listStyle: "none" }}>
              {items.map((m) => (
                <One key={m.id} media={m} onDelete={readOnly ? undefined : () => ask(m)} />
              ))}
            </SimpleGrid>
          );
        }}
      </Loaded>
      {list.hasNextPage && (
        <Button variant="default" onClick={() => void list.fetchNextPage()} loading={list.isFetchingNextPage} style={{ alignSelf: "center" }}>
          {text.table.next}
        </Button>
      )}
      <ConfirmDialog
        opened={doomed !== undefined}
        onClose={() => ask()}
        title={fill(t.deleteTitle, { name: doomed?.file_name ?? "" })}
        action={t.delete}
        danger
        disabled={used !== false}
        onConfirm={async () => doomed && remove(doomed)}
      >
        {doomed && <Uses media={doomed} onKnown={setUsed} />}
      </ConfirmDialog>
    </Stack>
  );
}

function One({ media: m, onDelete }: { media: Media; onDelete?: () => void }) {
  return (
    <Card component="li" padding="sm">
      <Card.Section className={classes.picture}>{m.width > 0 ? <img src={m.path} alt="" loading="lazy" /> : <IconFileTypePdf size={48} aria-hidden />}</Card.Section>
      <Stack gap={4} mt="sm">
        <Text size="sm" fw={600} truncate title={m.file_name}>
          {m.file_name}
        </Text>
        <Text size="xs" c="dimmed">
          {m.width > 0 && `${fill(t.dots, { width: formatNumber(m.width), height: formatNumber(m.height) })} · `}
          {formatBytes(m.size)} · <When at={m.created_at} as="date" />
        </Text>
        <Group gap="xs" justify="space-between" wrap="nowrap" fz="xs">
          <CopyText value={m.path} />
          {onDelete && (
            <Button variant="subtle" color="red" size="compact-xs" onClick={onDelete} aria-label={`${t.delete} ${m.file_name}`} style={{ flexShrink: 0 }}>
              <IconTrash size={14} />
            </Button>
          )}
        </Group>
      </Stack>
    </Card>
  );
}
