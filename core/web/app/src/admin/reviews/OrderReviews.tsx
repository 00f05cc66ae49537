import { Button, SimpleGrid, Text } from "@mantine/core";
import { useState } from "react";
import { Link } from "react-router";

import { ok, source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { CopyText } from "../../ui/CopyText";
import { Money } from "../../ui/Money";
import { StateBadge } from "../../ui/StateBadge";
import { When } from "../../ui/When";
import { Fact } from "../parts/Fact";
import { Case, CaseList } from "./Cases";
import { NoteDialog } from "./NoteDialog";

type Review = Schemas["OrderReview"];

const t = text.bookings;

export function OrderReviews() {
  return (
    <CaseList<Review>
      source={(all) => source(["order-reviews", all], (query, signal) => client.GET("/api/v1/order-reviews", { params: { query: { ...query, open: !all } }, signal }))}
      rowKey={(r) => r.id}
      empty={t.noOrderReviews}
      render={(r) => <One r={r} />}
    />
  );
}

function One({ r }: { r: Review }) {
  const writes = may(useMe(), "orders:write");
  const [closing, setClosing] = useState(false);
  const words = t.kinds[r.kind] ?? { name: r.kind, decide: "" };
  return (
    <Case
      title={words.name}
      state={<StateBadge state={r.resolved_at ? "closed" : "open"} />}
      decide={words.decide}
      actions={
        <>
          {r.order_id && (
            <Button component={Link} to={`/admin/orders/${r.order_id}`} variant="default" size="xs">
              {t.toOrder}
            </Button>
          )}
          {writes && !r.resolved_at && (
            <Button size="xs" onClick={() => setClosing(true)}>
              {t.close}
            </Button>
          )}
        </>
      }
    >
      <Text size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
        {r.detail}
      </Text>
      <SimpleGrid cols={{ base: 2, sm: 4 }}>
        <Fact label={t.amount}>
          <Money amount={r.amount} />
        </Fact>
        <Fact label={t.gateway}>{r.gateway}</Fact>
        {r.payment_id && (
          <Fact label={t.payment}>
            <CopyText value={r.payment_id} />
          </Fact>
        )}
        {r.ref && (
          <Fact label={t.gatewayRef}>
            <CopyText value={r.ref} />
          </Fact>
        )}
        <Fact label={t.at}>
          <When at={r.created_at} />
        </Fact>
        {r.resolved_at && (
          <Fact label={fill(t.closedBy, { by: r.resolved_by })}>
            <When at={r.resolved_at} /> {r.note}
          </Fact>
        )}
      </SimpleGrid>
      {closing && (
        <NoteDialog
          title={words.name}
          action={t.close}
          label={t.closeNote}
          hint={t.closeHint}
          onClose={() => setClosing(false)}
          run={(note) => ok(client.POST("/api/v1/order-reviews/{id}/close", { params: { path: { id: r.id } }, body: { note } }))}
        >
          <Text size="sm">{words.decide}</Text>
        </NoteDialog>
      )}
    </Case>
  );
}
