import { Button, Card, SimpleGrid, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { Money } from "../../ui/Money";
import { EmptyState, Loaded } from "../../ui/states";
import { StateBadge } from "../../ui/StateBadge";
import { Fact } from "../parts/Fact";
import { Ref } from "../parts/Ref";
import { Case } from "./Cases";
import { NoteDialog } from "./NoteDialog";

type Candidate = Schemas["PayoutCandidate"];

const t = text.bookings;

/** Affiliates whose payouts wait until somebody has looked at them, as a preview of a payout batch tells it. */
export function PayoutReviews() {
  const query = useQuery({
    queryKey: ["payout-reviews"],
    queryFn: async ({ signal }) => {
      const { items } = await ok(client.GET("/api/v1/ledger/balances", { params: { query: {} }, signal }));
      const currencies = [...new Set(items.filter((b) => b.kind === "payable").map((b) => b.amount.currency))].sort();
      const previews = await Promise.all(currencies.map((currency) => ok(client.POST("/api/v1/payout-batches/preview", { body: { currency, executor: "manual" }, signal }))));
      return previews.flatMap((p) => p.candidates).filter((c) => c.reasons.some((r) => r.code === "review_needed"));
    },
  });
  return (
    <Loaded query={query}>
      {(candidates) =>
        candidates.length === 0 ? (
          <Card>
            <EmptyState title={t.noPayoutReviews} />
          </Card>
        ) : (
          <Stack>
            {candidates.map((c) => (
              <One key={c.affiliate_id + c.payable.currency} c={c} />
            ))}
          </Stack>
        )
      }
    </Loaded>
  );
}

function One({ c }: { c: Candidate }) {
  const writes = may(useMe(), "payouts:write");
  const [letting, setLetting] = useState(false);
  const title = fill(t.payoutReview, { name: c.name });
  return (
    <Case
      title={title}
      state={<StateBadge state="open" />}
      decide={t.payoutReviewText}
      actions={
        <>
          <Button component={Link} to={`/admin/affiliates/${c.affiliate_id}?tab=money`} variant="default" size="xs">
            {t.evidence}
          </Button>
          {writes && (
            <Button size="xs" onClick={() => setLetting(true)}>
              {t.payoutLet}
            </Button>
          )}
        </>
      }
    >
      <SimpleGrid cols={{ base: 2, sm: 4 }}>
        <Fact label={t.affiliate}>
          <Ref id={c.affiliate_id} name={c.name} />
        </Fact>
        <Fact label={t.payable}>
          <Money amount={c.payable} />
        </Fact>
        <Fact label={t.wouldPay}>
          <Money amount={c.net} />
        </Fact>
        <Fact label={text.partners.methods}>{c.account || "–"}</Fact>
      </SimpleGrid>
      {c.reasons.map((r) => (
        <Text key={r.code} size="sm" c="dimmed">
          {r.detail}
        </Text>
      ))}
      {letting && (
        <NoteDialog
          title={title}
          action={t.payoutLet}
          label={t.payoutReason}
          hint={t.closeHint}
          onClose={() => setLetting(false)}
          run={(reason) => ok(client.POST("/api/v1/affiliates/{id}/payout-reviews", { params: { path: { id: c.affiliate_id } }, body: { currency: c.payable.currency, reason } }))}
        />
      )}
    </Case>
  );
}
