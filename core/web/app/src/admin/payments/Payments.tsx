import { Tabs } from "@mantine/core";

import { text } from "../../text";
import { Page } from "../../ui/Page";
import { useQueryState } from "../../ui/useQueryState";
import { Attempts } from "./Attempts";
import { Comparisons } from "./Comparisons";
import { Messages } from "./Messages";
import { GatewayRefunds } from "./GatewayRefunds";

const t = text.payments;

const tabs = [
  { value: "attempts", label: t.attempts, content: <Attempts /> },
  { value: "events", label: t.events, content: <Messages /> },
  { value: "refunds", label: t.refunds, content: <GatewayRefunds /> },
  { value: "comparisons", label: t.comparisons, content: <Comparisons /> },
];

/** What passes between us and gateways. */
export function Payments() {
  const [tab, setTab] = useQueryState("tab", "attempts");
  return (
    <Page title={text.nav.payments} about={t.about}>
      <Tabs value={tab} onChange={setTab} keepMounted={false}>
        <Tabs.List mb="md">
          {tabs.map(({ value, label }) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {tabs.map(({ value, content }) => (
          <Tabs.Panel key={value} value={value}>
            {content}
          </Tabs.Panel>
        ))}
      </Tabs>
    </Page>
  );
}
