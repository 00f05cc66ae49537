import { Anchor, Badge, Box, Card, Group, Text, ThemeIcon, Title } from "@mantine/core";
import { useNetwork } from "@mantine/hooks";
import { IconArrowBackUp, IconClick, IconReceipt2, IconRobot, IconShoppingCart } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "react-router";

import type { StreamState } from "../api/follow";
import { valueLabel } from "../analytics/words";
import { fill, text } from "../text";
import { Money } from "../ui/Money";
import { ErrorState, LoadingState } from "../ui/states";
import { When } from "../ui/When";
import classes from "./Feed.module.css";
import { sums, type Happening } from "./happenings";
import type { FeedState } from "./useFeed";

const t = text.feed;

/** How things are named, and where their pages are. */
export interface Names {
  link: (id: string) => string;
  /** Whose it is, where that is not the reader himself. */
  affiliate?: (id: string) => string;
  conversionPage: (id: string) => string;
  commissionPage: (id: string) => string;
}

/** The list of what happens, and how it comes. */
export function Feed({ feed, names, more, about }: { feed: FeedState; names: Names; more?: ReactNode; about: string }) {
  const { items, error, retry, stream } = feed;
  return (
    <Card component="section" aria-labelledby="feed" h="100%">
      <Group justify="space-between">
        <Group gap="xs">
          <Title order={2} id="feed">
            {t.title}
          </Title>
          {items && <Line stream={stream} failing={error !== undefined} />}
        </Group>
        {more}
      </Group>
      <Text size="sm" c="dimmed" mb="xs">
        {items && error !== undefined ? t.paused : about}
      </Text>
      {!items ? (
        error !== undefined ? <ErrorState error={error} retry={retry} /> : <LoadingState lines={6} />
      ) : items.length === 0 ? (
        <Text c="dimmed">{t.empty}</Text>
      ) : (
        <Box component="ul" className={classes.feed} tabIndex={0} aria-label={t.title}>
          {items.map((h) => (
            <li key={h.key} className={classes.item}>
              <Entry happening={h} names={names} />
            </li>
          ))}
        </Box>
      )}
    </Card>
  );
}

/** How news come: at once, or looked up while there is no stream. */
function Line({ stream, failing }: { stream: StreamState; failing: boolean }) {
  const { online } = useNetwork();
  const [word, color] = !online
    ? [t.offline, "gray"]
    : stream === "open"
      ? [t.live, "teal"]
      : stream === "refused" && !failing
        ? [t.looking, "gray"]
        : stream === "connecting" && !failing
          ? [t.connecting, "gray"]
          : [t.reconnecting, "yellow"];
  return (
    <Badge role="status" variant="dot" color={color} tt="none" fw={500}>
      {word}
    </Badge>
  );
}

function Entry({ happening: { at, click, conversion, commissions }, names }: { happening: Happening; names: Names }) {
  const when = (
    <Text size="xs" c="dimmed" component="span" ml="auto" style={{ flex: "none" }}>
      <When at={at} as="ago" />
    </Text>
  );
  if (click) {
    const from = [click.country && valueLabel("country", click.country, {}), click.device && valueLabel("device", click.device, {}), click.referrer_host].filter(Boolean);
    return (
      <Row icon={click.bot ? <IconRobot size={16} /> : <IconClick size={16} />} color={click.bot ? "gray" : "accent"} when={when}>
        <Text size="sm" truncate>
          {fill(t.clickOn, { link: names.link(click.link_id) })}
        </Text>
        <Small>{[names.affiliate?.(click.affiliate_id), ...(click.bot ? [valueLabel("bot", click.bot, {})] : from)].filter(Boolean).join(" · ")}</Small>
      </Row>
    );
  }
  const earned = commissions && sums(commissions);
  if (conversion) {
    const takes = conversion.type === "refund" || conversion.type === "rejected";
    return (
      <Row icon={takes ? <IconArrowBackUp size={16} /> : <IconShoppingCart size={16} />} color={takes ? "red" : "teal"} when={when}>
        <Anchor component={Link} to={names.conversionPage(conversion.id)} size="sm" fw={600} underline="hover">
          {t.conversion[conversion.type] ?? conversion.type} {conversion.amount && <Money amount={conversion.amount} />}
        </Anchor>
        {(conversion.link_id || conversion.affiliate_id) && (
          <Small>
            {[conversion.affiliate_id && names.affiliate?.(conversion.affiliate_id), conversion.link_id && fill(t.forLink, { link: names.link(conversion.link_id) })].filter(Boolean).join(" · ")}
          </Small>
        )}
        {earned && earned.length > 0 && <Earned amounts={earned} />}
      </Row>
    );
  }
  const commission = commissions?.[0];
  return commission ? (
    <Row icon={<IconReceipt2 size={16} />} color="teal" when={when}>
      <Anchor component={Link} to={names.commissionPage(commission.id)} size="sm" fw={600} underline="hover">
        {t.commission} <Money amount={commission.amount} />
      </Anchor>
      <Small>{[names.affiliate?.(commission.affiliate_id), commission.level > 0 && fill(t.level, { n: commission.level })].filter(Boolean).join(" · ")}</Small>
    </Row>
  ) : null;
}

function Row({ icon, color, when, children }: { icon: ReactNode; color: string; when: ReactNode; children: ReactNode }) {
  return (
    <>
      <ThemeIcon variant="light" color={color} radius="xl" aria-hidden>
        {icon}
      </ThemeIcon>
      <Box style={{ minWidth: 0 }}>{children}</Box>
      {when}
    </>
  );
}

function Small({ children }: { children: ReactNode }) {
  return (
    <Text size="xs" c="dimmed" truncate>
      {children}
    </Text>
  );
}

function Earned({ amounts }: { amounts: ReturnType<typeof sums> }) {
  return (
    <Text size="xs" c="teal" component="div">
      {t.earned}{" "}
      {amounts.map((amount, i) => (
        <span key={amount.currency}>
          {i > 0 && " + "}
          <Money amount={amount} />
        </span>
      ))}
    </Text>
  );
}
