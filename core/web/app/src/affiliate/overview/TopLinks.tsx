import { Anchor, Box, Card, Group, Stack, Text, Title } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "react-router";

import { currenciesOf, valueOf } from "../../analytics/figures";
import type { Report } from "../../analytics/report";
import { formatMetric } from "../../analytics/words";
import { fill, text } from "../../text";
import { formatNumber } from "../../ui/locale";
import type { Period } from "../../ui/period";
import { Loaded } from "../../ui/states";
import classes from "./Overview.module.css";

/** The five links with the most clicks of the period. */
export function TopLinks({ query, period }: { query: Pick<UseQueryResult<Report>, "data" | "error" | "refetch">; period: Period }) {
  return (
    <Card component="section" aria-labelledby="top-links" h="100%">
      <Group justify="space-between" mb="sm">
        <Title order={2} id="top-links">
          {text.myOverview.topLinks}
        </Title>
        <Anchor component={Link} to="/affiliate/links" size="sm">
          {text.myOverview.allLinks}
        </Anchor>
      </Group>
      <Loaded query={query}>
        {({ rows, names }) => {
          const most = Math.max(...rows.map((r) => r.clicks), 1);
          const shown = rows.filter((r) => r.clicks > 0);
          if (shown.length === 0) {
            return <Text c="dimmed">{text.myOverview.topLinksEmpty}</Text>;
          }
          return (
            <Stack gap="sm" component="ul" className={classes.list}>
              {shown.map((row) => (
                <li key={row.key}>
                  <Group justify="space-between" gap="0 12px" align="baseline">
                    <Anchor component={Link} to={row.key ? `/affiliate/links/${row.key}?period=${period.name}` : "/affiliate/links"} fw={600} underline="hover" style={{ overflowWrap: "anywhere" }}>
                      {row.key ? (names[row.key] ?? row.key) : text.myOverview.noLink}
                    </Anchor>
                    <Text component="span" fw={600} style={{ whiteSpace: "nowrap" }}>
                      {currenciesOf(row).map((c) => formatMetric("commission", valueOf(row, "commission", c), c)).join(" + ")}
                    </Text>
                  </Group>
                  <Text size="sm" c="dimmed">
                    {fill(text.myOverview.clicksOf, { n: formatNumber(row.clicks) })}, {fill(text.myOverview.salesOf, { n: formatNumber(row.sales) })}
                  </Text>
                  <Box className={classes.bar} style={{ width: `${(row.clicks / most) * 100}%` }} aria-hidden />
                </li>
              ))}
            </Stack>
          );
        }}
      </Loaded>
    </Card>
  );
}
