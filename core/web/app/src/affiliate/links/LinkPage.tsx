import { Alert, Anchor, Button, Card, Group, Stack, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { IconEdit, IconPlayerPause } from "@tabler/icons-react";
import { useParams } from "react-router";

import { inSpan, useReport, type Query } from "../../analytics/report";
import { ok } from "../../api/call";
import { client } from "../../api/client";
import { config } from "../../config";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { CopyText } from "../../ui/CopyText";
import { Facts } from "../../ui/Facts";
import { formatDate, zone } from "../../ui/locale";
import { Page } from "../../ui/Page";
import { usePeriod } from "../../ui/period";
import { PeriodPicker } from "../../ui/PeriodPicker";
import { StatGrid, StatGridLoading } from "../../ui/Stat";
import { ErrorState, Loaded } from "../../ui/states";
import { StateBadge } from "../../ui/StateBadge";
import { When } from "../../ui/When";
import { Writes } from "../../ui/Writes";
import { comparable } from "../overview/compare";
import { OfPeriod } from "../overview/Totals";
import { Trend } from "../overview/Trend";
import { linksChanged, type MyLink } from "../useMyLinks";
import { address } from "./address";
import { AddressBuilder } from "./AddressBuilder";
import { Breakdowns } from "./Breakdowns";
import { EditLink } from "./EditLink";
import { LastClicks } from "./LastClicks";
import { stateOf } from "./Links";
import { usePrograms } from "./usePrograms";

const { myLinks: words } = text;

/** One link: its address in every form, and what it does. */
export function LinkPage() {
  const { id = "" } = useParams();
  const link = useQuery({ queryKey: ["my-link", id], queryFn: ({ signal }) => ok(client.GET("/api/v1/me/affiliate/links/{id}", { params: { path: { id } }, signal })) });
  const programs = usePrograms();
  const hosts = programs.data?.find((p) => p.id === link.data?.program_id)?.allowed_hosts;
  return (
    <Page
      title={link.data?.slug ?? text.nav.links}
      trail={[{ label: text.nav.links, to: "/affiliate/links" }]}
      actions={link.data && <Deeds key={link.data.updated_at} link={link.data} hosts={hosts} />}
    >
      <Loaded query={link}>
        {(found) => (
          <Stack gap="lg">
            <About link={found} program={programs.data?.find((p) => p.id === found.program_id)?.name} />
            <Performance link={found} />
            <Card component="section" aria-labelledby="builder">
              <Title order={2} id="builder">
                {words.builder}
              </Title>
              <Text size="sm" c="dimmed" mb="sm">
                {words.builderAbout}
              </Text>
              <AddressBuilder slug={found.slug} hosts={hosts} />
            </Card>
            <LastClicks link={found} />
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}

function About({ link, program }: { link: MyLink; program: string | undefined }) {
  const state = stateOf(link);
  return (
    <Card>
      {state === "disabled" && <Alert color="gray" mb="sm">{words.disabled}</Alert>}
      {state === "expired" && link.expires_at && <Alert color="orange" mb="sm">{fill(words.expiredOn, { date: formatDate(link.expires_at) })}</Alert>}
      <Facts
        facts={[
          [words.address, <CopyText value={address(config.tracker, link.slug)} />],
          [words.destination, <Anchor href={link.destination.includes("{") ? undefined : link.destination} target="_blank" rel="noreferrer" style={{ overflowWrap: "anywhere" }}>{link.destination}</Anchor>],
          [words.program, program],
          [words.state, <StateBadge state={state} label={state === "expired" ? words.expired : undefined} />],
          [words.expires, link.expires_at ? <When at={link.expires_at} /> : undefined],
          [words.made, <When at={link.created_at} />],
        ]}
      />
    </Card>
  );
}

function Deeds({ link, hosts }: { link: MyLink; hosts: readonly string[] | undefined }) {
  const queries = useQueryClient();
  const [editing, edit] = useDisclosure();
  const [disabling, disable] = useDisclosure();
  return (
    <Writes>
      <Button variant="default" leftSection={<IconEdit size={16} aria-hidden />} onClick={edit.open}>
        {words.edit}
      </Button>
      {link.status === "active" && (
        <Button variant="default" leftSection={<IconPlayerPause size={16} aria-hidden />} onClick={disable.open}>
          {words.disable}
        </Button>
      )}
      <EditLink link={link} hosts={hosts} opened={editing} onClose={edit.close} />
      <ConfirmDialog
        opened={disabling} onClose={disable.close} title={fill(words.disableTitle, { slug: link.slug })} action={words.disable} danger
        onConfirm={async () => linksChanged(queries, await ok(client.PATCH("/api/v1/me/affiliate/links/{id}", { params: { path: { id: link.id } }, body: { status: "disabled" } })))}
      >
        <Text>{words.disableText}</Text>
      </ConfirmDialog>
    </Writes>
  );
}

function Performance({ link }: { link: MyLink }) {
  const [period, setPeriod] = usePeriod();
  const span = { from: period.from.getTime(), to: period.to.getTime(), zone };
  const bucket = span.to - span.from > 2 * 86_400_000 ? "day" : "hour";
  const before = comparable(span, Date.now());
  const filter = [`link:${link.id}`];
  const asked: Query = { ...inSpan(span), filter };
  const now = useReport("mine", { ...asked, bucket });
  const earlier = useReport("mine", { ...inSpan(before), filter, bucket });
  return (
    <Stack gap="md" component="section" aria-labelledby="performance">
      <Group justify="space-between">
        <Title order={2} id="performance">
          {words.performance}
        </Title>
        <PeriodPicker period={period} onChange={setPeriod} />
      </Group>
      {now.error && !now.data ? (
        <ErrorState error={now.error} retry={() => void now.refetch()} />
      ) : (
        <>
          {now.data ? <StatGrid><OfPeriod now={now.data.total} before={earlier.data?.total} /></StatGrid> : <StatGridLoading count={7} />}
          <Trend now={now.data} before={earlier.data} span={span} spanBefore={before} hourly={bucket === "hour"} explore={`/affiliate/analytics?by=country&f=${filter[0]}&period=${period.name}`} />
          <Breakdowns query={asked} enabled={now.isFetched} explore={(by) => `/affiliate/analytics?by=${by}&f=${filter[0]}&period=${period.name}`} />
        </>
      )}
    </Stack>
  );
}
