import { Alert, Button, Card, Group, SegmentedControl, Select, SimpleGrid, Skeleton } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "react-router";

import { change } from "../../analytics/state";
import { ok } from "../../api/call";
import { client } from "../../api/client";
import { text } from "../../text";
import { Page } from "../../ui/Page";
import { EmptyState, ErrorState } from "../../ui/states";
import { Writes } from "../../ui/Writes";
import { stateOf } from "../links/Links";
import { usePrograms } from "../links/usePrograms";
import { useMyLinks } from "../useMyLinks";
import { MaterialCard } from "./MaterialCard";

const { myMaterials: words } = text;
const kinds = ["all", "banner", "text", "email", "landing", "file"] as const;

/** What the business gives to hand on. The link chosen is put in by the core, which knows whose it is. */
export function Materials() {
  const [query, setQuery] = useSearchParams();
  const links = useMyLinks();
  const programs = usePrograms();
  const usable = links.data?.filter((l) => stateOf(l) === "active") ?? [];
  const chosen = usable.find((l) => l.id === query.get("link")) ?? usable[0];
  const kind = kinds.find((k) => k === query.get("kind")) ?? "all";
  const link_id = chosen?.id;
  const materials = useQuery({
    queryKey: ["my-materials", link_id],
    queryFn: ({ signal }) => ok(client.GET("/api/v1/me/affiliate/materials", { params: { query: { ...(link_id && { link_id }) } }, signal })),
    enabled: !links.isPending, placeholderData: keepPreviousData,
  });
  const set = (changes: Record<string, string | undefined>) => setQuery((now) => change(now, changes), { replace: true });
  const items = materials.data?.items ?? [];
  const shown = items.filter((m) => kind === "all" || m.kind === kind);
  const present = kinds.filter((k) => k === "all" || items.some((m) => m.kind === k));
  return (
    <Page title={text.nav.materials} about={words.about}>
      {links.data && usable.length === 0 ? (
        <Alert title={words.noLinks}>
          <Writes>
            <Button component={Link} to="/affiliate/links?new=1" size="xs">
              {words.makeLink}
            </Button>
          </Writes>
        </Alert>
      ) : (
        <Group align="flex-end" gap="md">
          <Select
            label={words.link} description={words.linkHint} placeholder={words.linkNone} value={chosen?.id ?? null} onChange={(id) => id && set({ link: id })} allowDeselect={false} searchable
            data={usable.map((l) => ({ value: l.id, label: l.slug }))} w={{ base: "100%", sm: 300 }} disabled={!links.data}
          />
          {present.length > 2 && (
            <SegmentedControl aria-label={words.kind} value={kind} onChange={(k) => set({ kind: k === "all" ? undefined : k })} data={present.map((k) => ({ value: k, label: words.kinds[k] }))} maw="100%" styles={{ label: { paddingInline: "clamp(4px, 2vw, 12px)" } }} />
          )}
        </Group>
      )}
      {links.error && !links.data && <ErrorState error={links.error} retry={() => void links.refetch()} />}
      {materials.data ? (
        shown.length === 0 ? (
          <Card>
            <EmptyState title={items.length === 0 ? words.empty : words.emptyKind}>{items.length === 0 && words.emptyText}</EmptyState>
          </Card>
        ) : (
          <SimpleGrid cols={{ base: 1, md: 2, xl: 3 }} spacing="md">
            {shown.map((m) => (
              <MaterialCard key={m.id} material={m} link={chosen} program={programs.data?.find((p) => p.id === m.program_id)?.name} />
            ))}
          </SimpleGrid>
        )
      ) : materials.error ? (
        <ErrorState error={materials.error} retry={() => void materials.refetch()} />
      ) : (
        <SimpleGrid cols={{ base: 1, md: 2, xl: 3 }} spacing="md" role="status" aria-label={text.common.loading}>
          {Array.from({ length: 6 }, (_, i) => (
            <Skeleton key={i} height={240} radius="lg" />
          ))}
        </SimpleGrid>
      )}
    </Page>
  );
}
