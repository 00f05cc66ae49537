import { Alert, Badge, Box, Card, Group, Stack, Text } from "@mantine/core";

import { useStaffArea } from "../admin/parts/area";
import type { Schemas } from "../api/client";
import { fill, text } from "../text";
import { formatNumber } from "../ui/locale";
import { Money } from "../ui/Money";
import { StateBadge } from "../ui/StateBadge";
import { EmptyState } from "../ui/states";
import { When } from "../ui/When";
import { byKind, pageOfHit, type Hit } from "./hits";
import classes from "./Overview.module.css";

const t = text.support;

export const hitID = (index: number) => `hit-${index}`;

interface Props {
  result: Schemas["SearchResult"];
  /** It answers what was typed before. */
  stale: boolean;
  active: Hit | undefined;
  onOpen: (hit: Hit) => void;
}

/** What was found, by kind. One of it is chosen with the arrow keys in the search field. */
export function Results({ result, stale, active, onOpen }: Props) {
  const area = useStaffArea();
  const groups = byKind(result.hits);
  let index = 0;
  return (
    <Stack className={stale ? classes.stale : undefined}>
      <Text size="sm" c="dimmed" role="status">
        {result.hits.length > 0 ? fill(t.found, { n: formatNumber(result.hits.length) }) : ""}
      </Text>
      {result.unsigned_click_id && <Alert color="yellow">{t.unsigned}</Alert>}
      {result.hits.length === 0 && (
        <Card>
          <EmptyState title={t.nothing}>{t.nothingText}</EmptyState>
        </Card>
      )}
      <Stack id="hits" role="listbox" aria-label={t.title}>
        {groups.map(([kind, hits]) => (
          <Card key={kind} padding="xs" role="group" aria-label={t.kinds[kind] ?? kind}>
            <Text size="sm" fw={650} px={12} pt={4} pb={2} role="presentation">
              {t.kinds[kind] ?? kind}
            </Text>
            {hits.map((hit) => (
              <Row key={hit.id} id={hitID(index++)} hit={hit} page={pageOfHit(hit, area) !== undefined} chosen={hit === active} onOpen={() => onOpen(hit)} />
            ))}
          </Card>
        ))}
      </Stack>
      <Incomplete parts={result.parts} />
    </Stack>
  );
}

function Row({ id, hit, page, chosen, onOpen }: { id: string; hit: Hit; page: boolean; chosen: boolean; onOpen: () => void }) {
  return (
    <Box id={id} role="option" aria-selected={chosen} data-page={page || undefined} className={classes.hit} onClick={page ? onOpen : undefined}>
      <Box className={classes.words}>
        <Text size="sm" fw={600} c={page ? "var(--mantine-color-anchor)" : undefined} component="span" ff={hit.kind === "click" ? "monospace" : undefined}>
          {hit.title}
        </Text>
        {hit.subtitle && (
          <Text size="sm" c="dimmed">
            {hit.subtitle}
          </Text>
        )}
      </Box>
      {hit.amount && (
        <Text size="sm">
          <Money amount={hit.amount} />
        </Text>
      )}
      {hit.state && <StateBadge state={hit.state} />}
      {hit.at && (
        <Text size="sm" c="dimmed">
          <When at={hit.at} />
        </Text>
      )}
    </Box>
  );
}

/** What the reader does not see is named, so that nobody takes a part for the whole. */
export function Incomplete({ parts }: { parts: Schemas["StoryPart"][] }) {
  const missing = parts.filter((p) => p.state !== "complete");
  if (missing.length === 0) {
    return null;
  }
  const words = { cut: t.partCut, unavailable: t.partUnavailable, not_permitted: t.partForbidden, complete: "" };
  return (
    <Alert color="yellow" title={t.incomplete}>
      <Group gap={6}>
        {missing.map((p) => (
          <Badge key={p.part} variant="outline" color="gray" tt="none">
            {fill(words[p.state], { part: t.kinds[p.part] ?? text.storyParts[p.part] ?? p.part, scope: p.scope })}
          </Badge>
        ))}
      </Group>
    </Alert>
  );
}
