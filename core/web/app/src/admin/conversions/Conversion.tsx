import { Alert, Button, Card, Group, Modal, SimpleGrid, Stack, Text, Textarea, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useParams } from "react-router";

import { ok } from "../../api/call";
import { api, client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { CopyText } from "../../ui/CopyText";
import { Money } from "../../ui/Money";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { ErrorState, Loaded } from "../../ui/states";
import { When } from "../../ui/When";
import { Why } from "../../ui/Why";
import { useStaffArea } from "../parts/area";
import { Fact } from "../parts/Fact";
import { History } from "../parts/History";
import { useNames } from "../parts/names";
import { mentions } from "../parts/prose";
import { AffiliatePicker } from "../parts/pickers";
import { Ref } from "../parts/Ref";
import { conversionState } from "./Conversions";

type Detail = Schemas["ConversionDetail"];

const t = text.bookings;

export function Conversion() {
  const { id = "" } = useParams();
  const query = api.useQuery("get", "/api/v1/conversions/{id}", { params: { path: { id } } });
  const trail = useStaffArea().trail(text.nav.conversions, "conversions");
  if (!query.data) {
    return (
      <Page title={text.nav.conversions} trail={trail}>
        <Loaded query={query} lines={8}>
          {() => null}
        </Loaded>
      </Page>
    );
  }
  return <One c={query.data} trail={trail} />;
}

function One({ c, trail }: { c: Detail; trail: { label: string; to: string }[] }) {
  const me = useMe();
  const type = text.conversionTypes[c.type] ?? c.type;
  const { whyPaths } = useStaffArea();
  const [assigning, setAssigning] = useState(false);
  const why = api.useQuery("get", "/api/v1/conversions/{id}/why", { params: { path: { id: c.id } } });
  const name = useNames(mentions([c.affiliate_id, c.program_id, c.link_id, why.data?.attribution]).filter((id) => !id.startsWith("per_")));
  const assignable = (c.type === "sale" || c.type === "lead") && c.closed !== "rejected" && may(me, "conversions:write");
  return (
    <Page
      title={c.ref_txn_id ? fill(t.titleOf, { type, of: c.ref_txn_id }) : `${type} ${c.txn_id}`}
      trail={trail}
      about={
        <Group gap="xs">
          <StateBadge state={conversionState(c)} />
          {c.detail}
        </Group>
      }
      actions={assignable && <Button onClick={() => setAssigning(true)}>{t.assign}</Button>}
    >
      {c.no_commission && <Alert color="yellow">{t.noCommission[c.no_commission] ?? c.no_commission}</Alert>}
      <Card padding="md">
        <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }}>
          <Fact label={t.amount}>{c.amount ? <Money amount={c.amount} /> : "–"}</Fact>
          {c.refunded && c.refunded.minor !== 0 && (
            <Fact label={t.refundedSoFar}>
              <Money amount={c.refunded} />
            </Fact>
          )}
          <Fact label={t.affiliate}>{c.affiliate_id ? <Ref id={c.affiliate_id} name={name(c.affiliate_id)} /> : t.unattributed}</Fact>
          <Fact label={t.link}>
            <Ref id={c.link_id} name={c.link_id && "/" + name(c.link_id)} />
          </Fact>
          <Fact label={t.program}>
            <Ref id={c.program_id} name={name(c.program_id)} />
          </Fact>
          <Fact label={t.channel}>{t.channels[c.channel] ?? c.channel}</Fact>
          <Fact label={t.received}>
            <When at={c.received_at} />
          </Fact>
          <Fact label={t.booked}>
            <When at={c.booked_at} />
          </Fact>
          {c.order_id && (
            <Fact label={t.order}>
              <Ref id={c.order_id} />
            </Fact>
          )}
          {c.customer && (
            <Fact label={t.customer}>
              <CopyText value={c.customer} />
            </Fact>
          )}
          {c.click_id && (
            <Fact label={t.click}>
              <CopyText value={c.click_id} />
            </Fact>
          )}
          {c.ref_txn_id && (
            <Fact label={t.transaction}>
              <CopyText value={c.txn_id} />
            </Fact>
          )}
          <Fact label={text.common.id}>
            <CopyText value={c.id} />
          </Fact>
        </SimpleGrid>
      </Card>
      <section>
        <Title order={2} mb="xs">
          {t.whyTitle}
        </Title>
        <Loaded query={why}>{(data) => <Why why={data} paths={{ ...whyPaths, name }} />}</Loaded>
      </section>
      {may(me, "audit:read") && (
        <section>
          <Title order={2} mb="xs">
            {text.partners.history}
          </Title>
          <History object={c.id} />
        </section>
      )}
      {assigning && <Assign c={c} onClose={() => setAssigning(false)} />}
    </Page>
  );
}

function Assign({ c, onClose }: { c: Detail; onClose: () => void }) {
  const cache = useQueryClient();
  const [affiliate, setAffiliate] = useState("");
  const [reason, setReason] = useState("");
  const save = useMutation({
    mutationFn: () => ok(client.POST("/api/v1/conversions/{id}/assign", { params: { path: { id: c.id } }, body: { ...(affiliate && { affiliate_id: affiliate }), reason: reason.trim() } })),
    onSuccess: async () => {
      notifications.show({ message: t.assigned });
      await cache.invalidateQueries();
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title={t.assignTitle}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          save.mutate();
        }}
      >
        <Stack>
          <Text size="sm">{t.assignText}</Text>
          <AffiliatePicker label={t.affiliate} description={t.assignNobody} value={affiliate} onChange={setAffiliate} />
          <Textarea label={t.assignReason} description={t.assignReasonHint} required autosize minRows={2} maxLength={500} value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
          {save.error && <ErrorState error={save.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {text.common.cancel}
            </Button>
            <Button type="submit" loading={save.isPending} disabled={reason.trim() === "" || affiliate === c.affiliate_id}>
              {t.assign}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
