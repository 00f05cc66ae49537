import { Button, SimpleGrid } from "@mantine/core";
import { useState } from "react";

import { ok, source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { Money } from "../../ui/Money";
import { StateBadge } from "../../ui/StateBadge";
import { When } from "../../ui/When";
import { Fact } from "../parts/Fact";
import { withNames, type Named } from "../parts/names";
import { Ref } from "../parts/Ref";
import { Case, CaseList } from "./Cases";
import { NoteDialog } from "./NoteDialog";

type Review = Schemas["CommissionReview"];

const t = text.bookings;

export function BalanceReviews() {
  return (
    <CaseList<Named<Review>>
      source={(resolved) =>
        withNames(
          source<Review>(["commission-reviews", resolved], (query, signal) => client.GET("/api/v1/commission-reviews", { params: { query: { ...query, resolved } }, signal })),
          (r) => [r.affiliate_id, r.program_id],
        )
      }
      rowKey={({ row }) => row.id}
      empty={t.noBalanceReviews}
      render={(named) => <One {...named} />}
    />
  );
}

function One({ row: r, name }: Named<Review>) {
  const writes = may(useMe(), "payouts:write");
  const [resolving, setResolving] = useState(false);
  const title = fill(t.belowFloor, { name: name(r.affiliate_id) });
  return (
    <Case
      title={title}
      state={<StateBadge state={r.resolved_at ? "resolved" : "open"} />}
      decide={t.belowFloorText}
      actions={
        writes &&
        !r.resolved_at && (
          <Button size="xs" onClick={() => setResolving(true)}>
            {t.resolve}
          </Button>
        )
      }
    >
      <SimpleGrid cols={{ base: 2, sm: 4 }}>
        <Fact label={t.balance}>
          <Money amount={r.balance} />
        </Fact>
        <Fact label={t.floor}>
          <Money amount={r.floor} />
        </Fact>
        <Fact label={t.affiliate}>
          <Ref id={r.affiliate_id} name={name(r.affiliate_id)} />
        </Fact>
        <Fact label={t.program}>
          <Ref id={r.program_id} name={name(r.program_id)} />
        </Fact>
        <Fact label={t.commission}>
          <Ref id={r.commission_id} />
        </Fact>
        <Fact label={t.refund}>
          <Ref id={r.conversion_id} />
        </Fact>
        <Fact label={t.at}>
          <When at={r.created_at} />
        </Fact>
        {r.resolved_at && (
          <Fact label={t.decided}>
            <When at={r.resolved_at} /> {r.resolution}
          </Fact>
        )}
      </SimpleGrid>
      {resolving && (
        <NoteDialog
          title={title}
          action={t.resolve}
          label={t.closeNote}
          hint={t.closeHint}
          onClose={() => setResolving(false)}
          run={(note) => ok(client.POST("/api/v1/commission-reviews/{id}/resolve", { params: { path: { id: r.id } }, body: { note } }))}
        />
      )}
    </Case>
  );
}
