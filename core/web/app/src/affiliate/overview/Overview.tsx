import { Button, Grid, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconPlus } from "@tabler/icons-react";
import { Link } from "react-router";

import { ok } from "../../api/call";
import { client } from "../../api/client";
import { inSpan, useReport } from "../../analytics/report";
import { text } from "../../text";
import { zone } from "../../ui/locale";
import { Page } from "../../ui/Page";
import { usePeriod } from "../../ui/period";
import { PeriodPicker } from "../../ui/PeriodPicker";
import { Writes } from "../../ui/Writes";
import { useMyLinks } from "../useMyLinks";
import { FirstSteps, useSteps } from "./FirstSteps";
import { comparable } from "./compare";
import { MyFeed } from "./MyFeed";
import { TopLinks } from "./TopLinks";
import { Totals } from "./Totals";
import { Trend } from "./Trend";

const refresh = 60_000; // ms; the feed is what is live

/** How the business of an affiliate goes. Figures come first, in three requests; the rest when they are there. */
export function Overview() {
  const [period, setPeriod] = usePeriod();
  const span = { from: period.from.getTime(), to: period.to.getTime(), zone };
  const bucket = period.to.getTime() - period.from.getTime() > 2 * 86_400_000 ? "day" : "hour";
  const before = comparable(span, Date.now());
  const now = useReport("mine", { ...inSpan(span), bucket }, { refresh });
  const earlier = useReport("mine", { ...inSpan(before), bucket });
  const balances = useQuery({ queryKey: ["my-balances"], queryFn: ({ signal }) => ok(client.GET("/api/v1/me/affiliate/balances", { signal })), refetchInterval: refresh });
  const top = useReport("mine", { ...inSpan(span), group_by: "link", limit: 5 }, { enabled: now.isFetched, refresh });
  const links = useMyLinks();
  const steps = useSteps(links, now.isFetched);
  const fresh = steps.fresh && now.data?.total.clicks === 0;

  return (
    <Page
      title={text.nav.overview}
      about={text.myOverview.about}
      actions={
        <Writes>
          <Button component={Link} to="/affiliate/links?new=1" leftSection={<IconPlus size={16} aria-hidden />}>
            {text.myOverview.newLink}
          </Button>
        </Writes>
      }
    >
      <FirstSteps steps={steps} welcome={fresh} />
      {!fresh && (
        <Stack gap="md">
          <PeriodPicker period={period} onChange={setPeriod} />
          <Totals report={now} before={earlier.data?.total} balances={balances} />
          {!(now.error && !now.data) && <Trend now={now.data} before={earlier.data} span={span} spanBefore={before} hourly={bucket === "hour"} explore={`/affiliate/analytics?period=${period.name}`} />}
          <Grid gap="md">
            <Grid.Col span={{ base: 12, md: 6 }}>
              <TopLinks query={top} period={period} />
            </Grid.Col>
            <Grid.Col span={{ base: 12, md: 6 }}>
              <MyFeed links={links.data} enabled={now.isFetched} />
            </Grid.Col>
          </Grid>
        </Stack>
      )}
    </Page>
  );
}
