import { Button, Card, CopyButton, Stack, Text } from "@mantine/core";
import { IconCheck, IconCopy, IconPlus } from "@tabler/icons-react";
import { useMemo } from "react";
import { useSearchParams } from "react-router";

import { currenciesOf, valueOf, zero, type Figures } from "../../analytics/figures";
import { inSpan, useReport } from "../../analytics/report";
import { config } from "../../config";
import { text } from "../../text";
import { formatNumber, zone } from "../../ui/locale";
import { Money } from "../../ui/Money";
import { Page } from "../../ui/Page";
import { namedPeriod } from "../../ui/period";
import { EmptyState, ErrorState, LoadingState } from "../../ui/states";
import { StateBadge } from "../../ui/StateBadge";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { When } from "../../ui/When";
import { Writes } from "../../ui/Writes";
import { useMyLinks, type MyLink } from "../useMyLinks";
import { address } from "./address";
import { NewLink } from "./NewLink";
import { usePrograms } from "./usePrograms";

const { myLinks: words } = text;

export const stateOf = (link: MyLink, now = Date.now()): "active" | "disabled" | "expired" =>
  link.status === "disabled" ? "disabled" : link.expires_at && Date.parse(link.expires_at) <= now ? "expired" : "active";

/** All links with what they did in the last 30 days. */
export function Links() {
  const [query, setQuery] = useSearchParams();
  const links = useMyLinks();
  const programs = usePrograms();
  const period = namedPeriod("30d");
  const report = useReport("mine", { ...inSpan({ from: period.from.getTime(), to: period.to.getTime(), zone }), group_by: "link", limit: 1000 });
  const columns = useMemo(() => {
    const figures = new Map(report.data?.rows.map((row) => [row.key, row]));
    const names = new Map(programs.data?.map((p) => [p.id, p.name]));
    return columnsOf((link) => figures.get(link.id) ?? zero(), (id) => names.get(id) ?? id, report.data ? currenciesOf(report.data.total) : []);
  }, [report.data, programs.data]);
  const create = (
    <Writes>
      <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setQuery({ new: "1" })}>
        {words.create}
      </Button>
    </Writes>
  );
  return (
    <Page title={text.nav.links} about={words.about} actions={create}>
      {links.data ? (
        <DataTable
          name={text.nav.links} columns={columns} source={links.data} rowKey={(link) => link.id} to={(link) => `/affiliate/links/${link.id}`}
          empty={<EmptyState title={words.empty} action={create}>{words.emptyText}</EmptyState>}
        />
      ) : links.error ? (
        <ErrorState error={links.error} retry={() => void links.refetch()} />
      ) : (
        <Card>
          <LoadingState lines={8} />
        </Card>
      )}
      <NewLink
        opened={query.get("new") === "1"} onClose={() => setQuery({}, { replace: true })}
        initial={{ program: query.get("program") ?? undefined, destination: query.get("to") ?? undefined }}
      />
    </Page>
  );
}

/** What people come for: the link, to take it elsewhere. */
function CopyAddress({ value }: { value: string }) {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Button
          size="compact-sm" variant="light" color={copied ? "teal" : undefined} onClick={copy} title={value} aria-label={`${copied ? text.common.copied : text.common.copy} ${value}`}
          leftSection={copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
        >
          {copied ? text.common.copied : text.common.copy}
        </Button>
      )}
    </CopyButton>
  );
}

function Earned({ figures, currencies }: { figures: Figures; currencies: string[] }) {
  const shown = currencies.filter((c, i) => i === 0 || valueOf(figures, "commission", c) !== 0);
  return (
    <Stack gap={0} component="span">
      {shown.map((c) => (
        <Money key={c} amount={{ minor: valueOf(figures, "commission", c), currency: c }} />
      ))}
    </Stack>
  );
}

function columnsOf(figuresOf: (link: MyLink) => Figures, programOf: (id: string) => string, currencies: string[]): Column<MyLink>[] {
  return [
    { key: "slug", title: words.slugColumn, value: (l) => l.slug, render: (l) => <Text span inherit style={{ overflowWrap: "anywhere" }}>{l.slug}</Text> },
    { key: "address", title: words.address, value: (l) => address(config.tracker, l.slug), render: (l) => <CopyAddress value={address(config.tracker, l.slug)} /> },
    { key: "clicks", title: words.clicks, align: "right", value: (l) => figuresOf(l).clicks, render: (l) => formatNumber(figuresOf(l).clicks) },
    { key: "sales", title: words.sales, align: "right", value: (l) => figuresOf(l).sales, render: (l) => formatNumber(figuresOf(l).sales) },
    // What is shown is ordered by its first currency; a file has a column for each.
    ...currencies.map((currency, i): Column<MyLink> => ({
      key: "commission-" + currency, title: words.commission, fileTitle: currencies.length > 1 ? `${words.commission} (${currency})` : undefined, align: "right", hidden: i > 0,
      value: (l) => valueOf(figuresOf(l), "commission", currency), render: (l) => <Earned figures={figuresOf(l)} currencies={currencies} />,
    })),
    { key: "state", title: words.state, value: (l) => stateOf(l), render: (l) => <StateBadge state={stateOf(l)} label={stateOf(l) === "expired" ? words.expired : undefined} /> },
    {
      key: "destination", title: words.destination, value: (l) => l.destination, wide: true,
      render: (l) => <Text size="sm" truncate maw={190} title={l.destination}>{l.destination.replace(/^https?:\/\//, "")}</Text>,
    },
    { key: "program", title: words.program, value: (l) => programOf(l.program_id), wide: true },
    { key: "made", title: words.made, value: (l) => l.created_at, render: (l) => <When at={l.created_at} as="date" />, wide: true },
  ];
}
