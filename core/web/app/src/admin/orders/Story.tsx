import { Alert, Badge, Card, Chip, Group, Stack, Text, ThemeIcon, Timeline, Title } from "@mantine/core";
import {
  IconActivity, IconArrowBackUp, IconBuildingBank, IconCash, IconClick, IconCreditCard, IconFileInvoice, IconGavel, IconHistory, IconMail, IconReceipt2, IconRotateClockwise, IconShoppingCart,
  IconTarget, IconWebhook,
} from "@tabler/icons-react";
import { useMemo, useState, type ReactNode } from "react";

import { api, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { Loaded } from "../../ui/states";
import { When } from "../../ui/When";
import { useNames } from "../parts/names";
import { mentions, Names } from "../parts/prose";
import { Entry } from "./StoryEntry";

type Story = Schemas["OrderStory"];
type Kind = Schemas["StoryEntry"]["kind"];
const t = text.orders;

const icons: Record<Kind, ReactNode> = {
  click: <IconClick size={14} />,
  attribution: <IconTarget size={14} />,
  order_event: <IconShoppingCart size={14} />,
  payment: <IconCreditCard size={14} />,
  payment_event: <IconWebhook size={14} />,
  payment_refund: <IconRotateClockwise size={14} />,
  refund: <IconArrowBackUp size={14} />,
  document: <IconFileInvoice size={14} />,
  conversion: <IconActivity size={14} />,
  commission: <IconReceipt2 size={14} />,
  reversal: <IconArrowBackUp size={14} />,
  restoral: <IconRotateClockwise size={14} />,
  ledger_transaction: <IconBuildingBank size={14} />,
  payout: <IconCash size={14} />,
  mail: <IconMail size={14} />,
  audit: <IconHistory size={14} />,
};

const colors: Partial<Record<Kind, string>> = { refund: "red", reversal: "red", payment_refund: "red", commission: "teal", payout: "teal", conversion: "teal" };

/** All that happened to an order, in its order. */
export function Story({ id }: { id: string }) {
  const query = api.useQuery("get", "/api/v1/orders/{id}/story", { params: { path: { id } } });
  return (
    <Card component="section" aria-labelledby="story">
      <Title order={2} id="story">
        {t.story}
      </Title>
      <Text size="sm" c="dimmed" mb="md">
        {t.storyAbout}
      </Text>
      <Loaded query={query} lines={10}>
        {(story) => <Entries story={story} />}
      </Loaded>
    </Card>
  );
}

function Entries({ story }: { story: Story }) {
  const kinds = [...new Set(story.entries.map((e) => e.kind))];
  const [kind, setKind] = useState<Kind | "">("");
  const me = useMe();
  const named = useMemo(() => mentions(story.entries), [story]);
  const name = useNames(named.filter((id) => may(me, id.startsWith("per_") ? "people:read" : "catalog:read")));
  return (
    <Stack>
      <Incomplete parts={story.parts} />
      {kinds.length > 2 && (
        <Group gap={6} role="group" aria-label={t.showOnly}>
          {(["", ...kinds] as const).map((k) => (
            <Chip key={k} size="xs" checked={kind === k} onChange={() => setKind(k)}>
              {k === "" ? t.everything : (text.storyParts[k] ?? k)}
            </Chip>
          ))}
        </Group>
      )}
      <Names value={name}>
        <Timeline bulletSize={26} lineWidth={2} active={story.entries.length}>
          {story.entries
            .filter((e) => kind === "" || e.kind === kind)
            .map((e, i) => (
              <Timeline.Item
                key={`${e.kind} ${e.id} ${i}`}
                bullet={
                  <ThemeIcon size={26} radius="xl" variant="light" color={colors[e.kind] ?? "accent"} aria-hidden>
                    {icons[e.kind] ?? <IconGavel size={14} />}
                  </ThemeIcon>
                }
              >
                <Entry entry={e} />
                <Text size="xs" c="dimmed" mt={2}>
                  <When at={e.at} />
                </Text>
              </Timeline.Item>
            ))}
        </Timeline>
      </Names>
    </Stack>
  );
}

// What the reader does not see is named, so that nobody takes a part for the whole.
function Incomplete({ parts }: { parts: Story["parts"] }) {
  const missing = parts.filter((p) => p.state !== "complete");
  if (missing.length === 0) {
    return null;
  }
  const words = { cut: t.partCut, unavailable: t.partUnavailable, not_permitted: t.partForbidden, complete: "" };
  return (
    <Alert role="note" color="yellow" title={t.incomplete}>
      <Group gap={6}>
        {missing.map((p) => (
          <Badge key={p.part} variant="outline" color="gray" tt="none">
            {fill(words[p.state], { part: text.storyParts[p.part] ?? p.part, scope: p.scope })}
          </Badge>
        ))}
      </Group>
    </Alert>
  );
}
