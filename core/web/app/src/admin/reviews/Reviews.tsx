import { Tabs } from "@mantine/core";

import { may, useMe } from "../../session/Session";
import { text } from "../../text";
import { Page } from "../../ui/Page";
import { useQueryState } from "../../ui/useQueryState";
import { BalanceReviews } from "./BalanceReviews";
import { OrderReviews } from "./OrderReviews";
import { PayoutReviews } from "./PayoutReviews";

const t = text.bookings;

/** What no rule decides: each with what to decide, what is known, and the way to end it. */
export function Reviews() {
  const me = useMe();
  const [tab, setTab] = useQueryState("tab", "orders");
  return (
    <Page title={text.nav.reviews} about={t.reviewsAbout}>
      <Tabs value={tab} onChange={setTab} keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="orders">{t.reviewTabs.orders}</Tabs.Tab>
          {may(me, "ledger:read") && <Tabs.Tab value="balances">{t.reviewTabs.balances}</Tabs.Tab>}
          {may(me, "payouts:read") && <Tabs.Tab value="payouts">{t.reviewTabs.payouts}</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="orders">
          <OrderReviews />
        </Tabs.Panel>
        <Tabs.Panel value="balances">
          <BalanceReviews />
        </Tabs.Panel>
        <Tabs.Panel value="payouts">
          <PayoutReviews />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
