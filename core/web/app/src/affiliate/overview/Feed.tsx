import { Anchor, Box, Card, Group, Text, ThemeIcon, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconArrowBackUp, IconClick, IconRobot, IconShoppingCart } from "@tabler/icons-react";
import { useMemo } from "react";
import { Link } from "react-router";

import { ok } from "../../api/call";
import { client } from "../../api/client";
import { valueLabel } from "../../analytics/words";
import { fill, text } from "../../text";
import { Money } from "../../ui/Money";
import { ErrorState, LoadingState } from "../../ui/states";
import { When } from "../../ui/When";
import type { MyLink } from "../useMyLinks";
import { happenings, type Happening } from "./feed";
import classes from "./Overview.module.css";

const day = 86_400_000; // ms
const minute = 60_000; // ms
const every = 5_000; // ms between looks for clicks
const shown = 30;

/** What happens, as it happens. Nothing is asked for while nobody looks at the tab. */
export function Feed({ links, enabled }: { links: readonly MyLink[] | undefined; enabled: boolean }) {
  const clicks = useQuery({
    queryKey: ["feed", "clicks"],
    queryFn: ({ signal }) => {
      const to = Math.ceil(Date.now() / minute) * minute + minute; // a clock that is ahead of ours has news too
      return ok(client.GET("/api/v1/me/affiliate/clicks", { params: { query: { from: new Date(to - day).toISOString(), to: new Date(to).toISOString(), limit: shown } }, signal }));
    },
    enabled, refetchInterval: every,
  });
  const conversions = useQuery({
    queryKey: ["feed", "conversions"],
    queryFn: ({ signal }) => ok(client.GET("/api/v1/me/affiliate/conversions", { params: { query: { limit: shown } }, signal })),
    enabled, refetchInterval: 2 * every,
  });
  const slugs = useMemo(() => Object.fromEntries(links?.map((l) => [l.id, l.slug]) ?? []), [links]);
  const error = clicks.error ?? conversions.error;
  const items = clicks.data && conversions.data && happenings(clicks.data.items, conversions.data.items, Date.now() - day, shown);
  return (
    <Card component="section" aria-labelledby="feed" h="100%">
      <Group justify="space-between">
        <Title order={2} id="feed">
          {text.myOverview.feed}
        </Title>
        <Anchor component={Link} to="/affiliate/conversions" size="sm">
          {text.myOverview.allConversions}
        </Anchor>
      </Group>
      <Text size="sm" c="dimmed" mb="xs">
        {items && error ? text.myOverview.feedPaused : text.myOverview.feedAbout}
      </Text>
      {!items ? (
        error ? <ErrorState error={error} retry={() => void Promise.all([clicks.refetch(), conversions.refetch()])} /> : <LoadingState lines={6} />
      ) : items.length === 0 ? (
        <Text c="dimmed">{text.myOverview.feedEmpty}</Text>
      ) : (
        <Box component="ul" className={classes.feed} tabIndex={0} aria-label={text.myOverview.feed}>
          {items.map((h) => (
            <li key={h.key} className={classes.item}>
              <Entry happening={h} slugs={slugs} />
            </li>
          ))}
        </Box>
      )}
    </Card>
  );
}

function Entry({ happening: { at, click, conversion }, slugs }: { happening: Happening; slugs: Record<string, string> }) {
  const when = (
    <Text size="xs" c="dimmed" component="span" ml="auto" style={{ flex: "none" }}>
      <When at={at} as="ago" />
    </Text>
  );
  if (click) {
    const from = [click.country && valueLabel("country", click.country, {}), click.device && valueLabel("device", click.device, {}), click.referrer_host].filter(Boolean).join(" · ");
    return (
      <>
        <ThemeIcon variant="light" color={click.bot ? "gray" : "accent"} radius="xl" aria-hidden>
          {click.bot ? <IconRobot size={16} /> : <IconClick size={16} />}
        </ThemeIcon>
        <Box style={{ minWidth: 0 }}>
          <Text size="sm" truncate>
            {fill(text.myOverview.clickOn, { link: slugs[click.link_id] ?? click.link_id })}
          </Text>
          <Text size="xs" c="dimmed">
            {click.bot ? valueLabel("bot", click.bot, {}) : from}
          </Text>
        </Box>
        {when}
      </>
    );
  }
  if (!conversion) {
    return null;
  }
  const takes = conversion.type === "refund" || conversion.type === "rejected";
  return (
    <>
      <ThemeIcon variant="light" color={takes ? "red" : "teal"} radius="xl" aria-hidden>
        {takes ? <IconArrowBackUp size={16} /> : <IconShoppingCart size={16} />}
      </ThemeIcon>
      <Box style={{ minWidth: 0 }}>
        <Anchor component={Link} to={`/affiliate/conversions/${conversion.id}`} size="sm" fw={600} underline="hover">
          {text.myOverview.conversion[conversion.type] ?? conversion.type} {conversion.amount && <Money amount={conversion.amount} />}
        </Anchor>
        {conversion.link_id && (
          <Text size="xs" c="dimmed" truncate>
            {fill(text.myOverview.forLink, { link: slugs[conversion.link_id] ?? conversion.link_id })}
          </Text>
        )}
      </Box>
      {when}
    </>
  );
}
