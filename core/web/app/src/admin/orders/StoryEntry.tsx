import { Box, Group, Text } from "@mantine/core";
import { use, type ReactNode } from "react";

import type { Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { formatDateTime, formatMoney } from "../../ui/locale";
import { Money } from "../../ui/Money";
import { countryName } from "../../ui/span";
import { StateBadge } from "../../ui/StateBadge";
import { SmallTable } from "../../ui/table/SmallTable";
import { actionWords } from "../audit/Entry";
import { Names, reworded } from "../parts/prose";
import { Ref } from "../parts/Ref";

type StoryEntry = Schemas["StoryEntry"];
const s = text.story;

/** One thing that happened: what, how much, and why. */
export function Entry({ entry: e }: { entry: StoryEntry }) {
  if (e.click) {
    return <Click click={e.click} />;
  }
  if (e.attribution) {
    return <Happened title={e.attribution.decided === "checkout" ? s.attributionCheckout : s.attributionConversion} detail={e.attribution.text} />;
  }
  if (e.commission) {
    return <Commission commission={e.commission} />;
  }
  if (e.ledger_transaction) {
    return <LedgerLines transaction={e.ledger_transaction} />;
  }
  return <Payments entry={e} />;
}

function Payments({ entry: e }: { entry: StoryEntry }) {
  if (e.payment) {
    const p = e.payment;
    return <Happened title={fill(s.payment, { gateway: p.gateway })} state={p.state} amount={p.paid ?? p.amount} detail={[p.reason, p.gateway_payment_id || p.gateway_ref]} />;
  }
  if (e.payment_event) {
    const p = e.payment_event;
    return <Happened title={fill(s.paymentEvent, { gateway: p.gateway, type: p.type })} state={p.state} detail={[p.reason, p.gateway_event_id]} />;
  }
  if (e.payment_refund) {
    const p = e.payment_refund;
    return <Happened title={fill(s.paymentRefund, { gateway: p.gateway })} state={p.state} amount={p.amount} detail={[p.reason, p.last_error, p.gateway_refund_id]} />;
  }
  if (e.refund) {
    return <Happened title={e.refund.kind === "dispute" ? s.dispute : s.refund} state={e.refund.state} amount={e.refund.amount} detail={[e.refund.reason, fill(s.by, { who: e.refund.actor })]} />;
  }
  return <Papers entry={e} />;
}

function Papers({ entry: e }: { entry: StoryEntry }) {
  if (e.order_event) {
    const o = e.order_event;
    const title = o.from && o.to && o.from !== o.to ? fill(s.orderEvent, { from: word(o.from), to: word(o.to) }) : fill(s.orderEventOnly, { kind: word(o.kind) });
    return <Happened title={title} amount={o.amount} detail={[o.detail, fill(s.by, { who: o.actor })]} />;
  }
  if (e.document) {
    return <Happened title={fill(e.document.kind === "invoice" ? s.invoice : s.creditNote, { number: e.document.number })} amount={e.document.total} />;
  }
  if (e.conversion) {
    const c = e.conversion;
    return (
      <Happened
        title={<Ref id={c.id} name={fill(s.conversion, { type: text.conversionTypes[c.type] ?? c.type })} />}
        state={c.state}
        amount={c.amount}
        detail={[c.no_commission && word(c.no_commission), c.reason]}
      />
    );
  }
  const back = e.reversal ?? e.restoral;
  if (back) {
    return <Happened title={e.reversal ? s.reversal : s.restoral} amount={back.amount} detail={back.text} />;
  }
  if (e.payout) {
    const p = e.payout;
    return (
      <Happened
        title={
          <Ref id={p.batch_id} name={fill(s.payout, { share: formatMoney(p.share.amount), total: formatMoney(p.net) })} />
        }
        state={p.state}
        detail={[p.account, p.reference, p.reason]}
      />
    );
  }
  if (e.mail) {
    return <Happened title={fill(s.mail, { subject: e.mail.subject })} state={e.mail.state} detail={[fill(s.mailTo, { to: e.mail.to }), e.mail.last_error]} />;
  }
  if (e.audit) {
    return <Happened title={fill(s.audit, { action: actionWords(e.audit.action) })} detail={[fill(s.by, { who: e.audit.actor.name || e.audit.actor.id || e.audit.actor.kind }), e.audit.reason]} />;
  }
  return <Happened title={e.kind} detail={e.refs} />;
}

interface HappenedProps {
  title: ReactNode;
  state?: string;
  amount?: Schemas["Amount"];
  detail?: string | (string | undefined | false)[];
}

function Happened({ title, state, amount, detail }: HappenedProps) {
  const name = use(Names);
  const words = reworded((typeof detail === "string" ? detail : detail?.filter(Boolean).join(" · ")) ?? "", name);
  return (
    <>
      <Group gap="xs">
        <Text fw={600} component="span" style={{ overflowWrap: "anywhere" }}>
          {title}
        </Text>
        {amount && <Money amount={amount} />}
        {state && <StateBadge state={state} />}
      </Group>
      {words && (
        <Text size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
          {words}
        </Text>
      )}
    </>
  );
}

function Click({ click: c }: { click: Schemas["StoryClick"] }) {
  const name = use(Names);
  const visitor = fill(s.clickVisitor, { device: [c.browser, c.os, c.device].filter(Boolean).join(" / ") || s.clickDevice, country: c.country ? countryName(c.country) : s.clickNowhere, from: c.referrer_host || s.clickDirect });
  const verdict = c.result === "attributed" ? s.clickResult : fill(s.clickNot, { why: word(c.result) });
  return (
    <Happened
      title={<Ref id={c.link_id} name={fill(s.click, { link: "/" + name(c.link_id) })} />}
      detail={[c.stored ? visitor : s.clickUnstored, verdict, c.bot && word(c.bot), [c.utm_source, c.utm_medium, c.utm_campaign].filter(Boolean).join(" / ")]}
    />
  );
}

function Commission({ commission: c }: { commission: Schemas["StoryCommission"] }) {
  const title = c.level === 0 ? s.commission : fill(s.commissionLevel, { level: c.level });
  return (
    <>
      <Happened title={<Ref id={c.affiliate_id} name={title} />} state={c.state} amount={c.amount} detail={c.why} />
      <Text size="xs" c="dimmed">
        {fill(s.commissionState, { state: word(c.state), at: formatDateTime(c.release_at) })}
      </Text>
    </>
  );
}

function LedgerLines({ transaction: l }: { transaction: Schemas["LedgerTransaction"] }) {
  const name = use(Names);
  const whose = (e: { affiliate_id: string }) => (e.affiliate_id ? name(e.affiliate_id) : text.bookings.business);
  const title = fill(s.ledger, { kind: text.bookings.transactionKinds[l.kind] ?? word(l.kind) });
  return (
    <>
      <Happened title={title} detail={l.reason} />
      <Box maw={460} mt={4} fz="sm">
        <SmallTable
          name={title}
          rows={l.entries}
          rowKey={(e) => e.account_id}
          columns={[
            { key: "account", title: text.bookings.account, value: (e) => text.partners.balanceKinds[e.kind] ?? word(e.kind) },
            { key: "affiliate", title: text.bookings.affiliate, value: whose, render: (e) => (e.affiliate_id ? <Ref id={e.affiliate_id} name={whose(e)} /> : whose(e)) },
            { key: "amount", title: text.bookings.amount, align: "right", value: (e) => e.amount.minor, render: (e) => <Money amount={e.amount} /> },
          ]}
        />
      </Box>
    </>
  );
}

function word(code: string): string {
  return text.states[code] ?? code.replaceAll("_", " ");
}
