import { Anchor, Card, Group, Select, SimpleGrid, Text } from "@mantine/core";
import { useState, type ReactNode } from "react";
import { Link } from "react-router";

import { useReport, type Query } from "../../analytics/report";
import type { Dimension } from "../../analytics/state";
import { valueLabel } from "../../analytics/words";
import { text } from "../../text";
import { formatNumber, formatPercent } from "../../ui/locale";
import { Loaded } from "../../ui/states";
import classes from "../overview/Overview.module.css";

interface Props {
  query: Query;
  enabled: boolean;
  explore: (by: Dimension) => string;
}

const { myLinks: words } = text;
const subs = ["sub1", "sub2", "sub3", "sub4", "sub5"] as const;

/** Where the clicks of a link come from, with what, and under which notes. */
export function Breakdowns(props: Props) {
  const [sub, setSub] = useState<Dimension>("sub1");
  return (
    <SimpleGrid cols={{ base: 1, sm: 2, xl: 4 }} spacing="md">
      <Breakdown {...props} by="referrer_host" title={words.referrers} />
      <Breakdown {...props} by="country" title={words.countries} />
      <Breakdown {...props} by="device" title={words.devices} />
      <Breakdown
        {...props} by={sub} title={words.subs}
        choice={<Select aria-label={words.subs} size="xs" w={98} value={sub} onChange={(s) => s && setSub(s as Dimension)} allowDeselect={false} data={subs.map((value) => ({ value, label: text.analytics.dimensions[value] }))} />}
      />
    </SimpleGrid>
  );
}

function Breakdown({ query, enabled, by, title, explore, choice }: Props & { by: Dimension; title: string; choice?: ReactNode }) {
  const report = useReport("mine", { ...query, group_by: by, limit: 6 }, { enabled });
  return (
    <Card component="section" aria-label={title} padding="md">
      <Group justify="space-between" mb="xs" gap={6} wrap="nowrap" mih={30}>
        <Text fw={600} style={{ whiteSpace: "nowrap" }}>{title}</Text>
        {choice}
        <Anchor component={Link} to={explore(by)} size="sm" aria-label={`${words.explore}: ${title}`}>
          {words.explore}
        </Anchor>
      </Group>
      <Loaded query={report} lines={4}>
        {({ rows, total, names }) => {
          const shown = rows.filter((r) => r.clicks > 0);
          if (shown.length === 0) {
            return <Text size="sm" c="dimmed">{words.breakdownEmpty}</Text>;
          }
          return (
            <ul className={classes.list}>
              {shown.map((row) => (
                <li key={row.key} style={{ padding: "4px 0" }}>
                  <Group justify="space-between" gap="xs" wrap="nowrap">
                    <Text size="sm" truncate>
                      {valueLabel(by, row.key, names)}
                    </Text>
                    <Text size="sm" style={{ whiteSpace: "nowrap", fontVariantNumeric: "tabular-nums" }}>
                      {formatNumber(row.clicks)} <Text span c="dimmed" size="xs">{formatPercent(Math.round((row.clicks / Math.max(total.clicks, 1)) * 1000) / 1000)}</Text>
                    </Text>
                  </Group>
                  <div className={classes.bar} style={{ width: `${(row.clicks / Math.max(total.clicks, 1)) * 100}%` }} aria-hidden />
                </li>
              ))}
            </ul>
          );
        }}
      </Loaded>
    </Card>
  );
}
