import { Stack } from "@mantine/core";

import { may, useMe } from "../session/Session";
import { text } from "../text";
import { Page } from "../ui/Page";
import { usePeriod } from "../ui/period";
import { PeriodPicker } from "../ui/PeriodPicker";
import { LiveFeed } from "./overview/LiveFeed";
import { Todo } from "./overview/Todo";
import { Top } from "./overview/Top";
import { Figures } from "./parts/Figures";

/** The business at a glance. */
export function Overview() {
  const me = useMe();
  const [period, setPeriod] = usePeriod();
  return (
    <Page title={text.nav.overview} about={text.business.about}>
      {may(me, "reports:read") && (
        <Stack gap="xl">
          <Todo />
          <Stack gap="sm">
            <PeriodPicker period={period} onChange={setPeriod} />
            <Figures period={period} />
            <Top period={period} beside={<LiveFeed />} />
          </Stack>
        </Stack>
      )}
    </Page>
  );
}
