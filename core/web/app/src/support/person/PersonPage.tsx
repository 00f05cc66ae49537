import { Alert, Anchor, Grid, Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Link, useParams } from "react-router";

import { Actor, actionWords } from "../../admin/audit/Entry";
import { mailKind } from "../../admin/mails/MailDetail";
import { useNames } from "../../admin/parts/names";
import { Ref } from "../../admin/parts/Ref";
import { useStaffArea } from "../../admin/parts/area";
import { Deeds } from "../../admin/people/Deeds";
import { RoleBadges } from "../../admin/people/Roles";
import { PersonSessions } from "../../admin/people/Sessions";
import { api, type Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { CopyText } from "../../ui/CopyText";
import { Facts } from "../../ui/Facts";
import { formatDateTime } from "../../ui/locale";
import { Money } from "../../ui/Money";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { Loaded } from "../../ui/states";
import { When } from "../../ui/When";
import { Entries, Section } from "./Section";

type Overview = Schemas["PersonOverview"];
const t = text.support.person;
const newest = 10; // of each kind, as the API gives them

/** One person, with all that belongs to him: the page to have open while somebody is on the telephone. */
export function PersonPage() {
  const { id = "" } = useParams();
  const query = api.useQuery("get", "/api/v1/people/{id}/overview", { params: { path: { id } } });
  const person = query.data?.person;
  return (
    <Page
      title={person ? person.name || person.email : text.nav.people}
      trail={useStaffArea().trail(text.nav.people, "people")}
      about={person && <About overview={query.data!} />}
      actions={person && <Deeds person={person} />}
    >
      <Loaded query={query} lines={12}>
        {(overview) => <All overview={overview} />}
      </Loaded>
    </Page>
  );
}

function About({ overview: { person } }: { overview: Overview }) {
  return (
    <Group gap="xs">
      <StateBadge state={person.status} />
      <RoleBadges held={person.roles} />
      <CopyText value={person.email} mono={false} />
    </Group>
  );
}

function All({ overview }: { overview: Overview }) {
  const { person } = overview;
  const hidden = new Set(overview.parts.filter((p) => p.state === "not_permitted").map((p) => p.part));
  const cut = new Set(overview.parts.filter((p) => p.state === "cut").map((p) => p.part));
  const away = overview.parts.filter((p) => p.state === "unavailable").map((p) => p.part);
  const words = (parts: Iterable<string>) => [...parts].map((p) => partWords[p] ?? p).join(", ");
  const more = (part: string) => (cut.has(part) ? fill(t.newest, { n: newest }) : undefined);
  return (
    <Stack>
      {person.status === "erased" && <Alert color="gray">{text.people.ended}</Alert>}
      {away.length > 0 && <Alert color="yellow">{fill(text.support.partUnavailable, { part: words(away) })}</Alert>}
      <Grid gap="lg">
        <Grid.Col span={{ base: 12, lg: 8 }}>
          <Stack gap="lg">
            {overview.affiliate && <Affiliate overview={overview} hidden={hidden} />}
            {!hidden.has("orders") && <Orders orders={overview.orders} more={more("orders")} />}
            {overview.affiliate && !hidden.has("links") && <Links links={overview.links} more={more("links")} />}
            {overview.affiliate && !hidden.has("payouts") && <Payouts payouts={overview.payouts} more={more("payouts")} />}
            {!hidden.has("mails") && <Mails mails={overview.mails} more={more("mails")} />}
            {!hidden.has("audit") && <Audit audit={overview.audit} more={more("audit")} />}
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 4 }}>
          <Stack gap="lg">
            <Section title={text.shell.account}>
              <Facts
                facts={[
                  ["ID", <CopyText value={person.id} />],
                  [t.since, <When at={person.created_at} />],
                  [t.changed, <When at={person.updated_at} as="ago" />],
                  [t.second, overview.second_factor ? text.common.yes : text.common.no],
                  [t.affiliate, !overview.affiliate && t.noAffiliate],
                ]}
              />
            </Section>
            {!hidden.has("entitlements") && <Rights rights={overview.entitlements} />}
            {!hidden.has("sessions") && <PersonSessions person={person} sessions={overview.sessions} more={more("sessions")} />}
            {hidden.size > 0 && (
              <Text size="sm" c="dimmed">
                {fill(t.hidden, { parts: words(hidden) })}
              </Text>
            )}
          </Stack>
        </Grid.Col>
      </Grid>
    </Stack>
  );
}

const partWords: Record<string, string> = {
  second_factor: t.second, affiliate: t.affiliate, links: t.links, balances: t.balances, payouts: t.payouts, orders: t.orders, entitlements: t.rights, mails: t.mails, sessions: t.sessions,
  audit: t.audit,
};

function Affiliate({ overview: { affiliate, balances }, hidden }: { overview: Overview; hidden: Set<string> }) {
  const name = useNames([affiliate?.sponsor_id ?? "", affiliate?.group_id ?? ""]);
  if (!affiliate) {
    return null;
  }
  return (
    <Section title={t.affiliate} beside={<StateBadge state={affiliate.status} />}>
      <Facts
        facts={[
          [text.people.name, <Ref id={affiliate.id} name={affiliate.name} />],
          [text.partners.sponsor, affiliate.sponsor_id && <Ref id={affiliate.sponsor_id} name={name(affiliate.sponsor_id)} />],
          [text.partners.group, affiliate.group_id && name(affiliate.group_id)],
        ]}
      />
      {!hidden.has("balances") &&
        (balances.length === 0 ? (
          <Text size="sm" c="dimmed">
            {t.noBalances}
          </Text>
        ) : (
          <Facts facts={balances.map((b) => [`${text.partners.balanceKinds[b.kind] ?? b.kind}, ${b.amount.currency}`, <Money amount={b.amount} fw={600} />])} />
        ))}
    </Section>
  );
}

interface More {
  more?: ReactNode;
}

function Orders({ orders, more }: { orders: Overview["orders"] } & More) {
  return (
    <Section title={t.orders} beside={more}>
      <Entries
        of={orders}
        row={(o) => ({ key: o.id, name: <Ref id={o.id} name={o.number} />, facts: [o.coupon, o.gateway], amount: <Money amount={o.total} />, state: o.state, at: o.created_at })}
      />
    </Section>
  );
}

function Links({ links, more }: { links: Overview["links"] } & More) {
  return (
    <Section title={t.links} beside={more}>
      <Entries of={links} row={(l) => ({ key: l.id, name: <Ref id={l.id} name={`/${l.slug}`} />, facts: [l.destination], state: l.status, at: l.created_at })} />
    </Section>
  );
}

function Payouts({ payouts, more }: { payouts: Overview["payouts"] } & More) {
  return (
    <Section title={t.payouts} beside={more}>
      <Entries of={payouts} row={(p) => ({ key: p.id, name: <Ref id={p.batch_id} name={p.id} />, facts: [p.account, p.reference, p.reason], amount: <Money amount={p.net} />, state: p.state, at: p.paid_at ?? p.created_at })} />
    </Section>
  );
}

function Mails({ mails, more }: { mails: Overview["mails"] } & More) {
  const { support } = useStaffArea();
  const page = (id: string) => (support ? `/support/mails/${id}` : `/admin/mails?open=${id}`);
  return (
    <Section title={t.mails} beside={more}>
      <Entries
        of={mails}
        row={(m) => ({
          key: m.id,
          name: (
            <Anchor component={Link} to={page(m.id)} inherit underline="hover">
              {m.subject}
            </Anchor>
          ),
          facts: [mailKind(m.template), m.last_error],
          state: m.state,
          at: m.created_at,
        })}
      />
    </Section>
  );
}

function Audit({ audit, more }: { audit: Overview["audit"] } & More) {
  const name = useNames(audit.filter((e) => e.actor.kind === "person").map((e) => e.actor.id));
  return (
    <Section title={t.audit} beside={more}>
      <Entries of={audit} row={(e) => ({ key: e.id, name: actionWords(e.action), facts: [e.reason], amount: <Actor entry={e} name={name} />, at: e.at })} />
    </Section>
  );
}

function Rights({ rights }: { rights: Overview["entitlements"] }) {
  return (
    <Section title={t.rights}>
      <Entries of={rights} row={(r) => ({ key: r.code + r.granted_at, name: r.code, facts: [r.revoked_at && `${t.revoked} ${formatDateTime(r.revoked_at)}`], at: r.granted_at })} />
    </Section>
  );
}
