import { Button, Stack, Switch, Text } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { Link } from "react-router";

import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState, Loaded } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";
import { useNames } from "../parts/names";
import { GroupPicker, ProgramPicker, useProducts } from "../parts/pickers";
import { termsInWords, type Rule } from "./rule";
import { useRules } from "./rules";

const t = text.partners;

/** Rules in the order in which they are tried, of one program or of all. */
export function RuleTable({ program }: { program?: string }) {
  const me = useMe();
  const writes = may(me, "catalog:write");
  const [chosen, setChosen] = useQueryState("program");
  const [group, setGroup] = useQueryState("group");
  const [ended, setEnded] = useQueryState("ended");
  const id = program ?? chosen;
  const query = useRules({ ...(id && { program_id: id }), ...(group && { group_id: group }), ...(ended && { ended: true }) });
  const rules = query.data ?? [];
  const name = useNames(rules.flatMap((r) => [r.program_id, r.affiliate_id, r.group_id]));
  const products = useProducts(may(me, "shop:read"));
  const product = (of: string) => products.data?.find((p) => p.id === of)?.name ?? of;
  const who = (r: Rule) => (r.affiliate_id ? name(r.affiliate_id) : r.group_id ? fill(t.groupNamed, { name: name(r.group_id) }) : t.everybody);

  // Their place among the rules of the same program for the same event.
  const places = new Map<string, number>();
  const counts = new Map<string, number>();
  for (const r of rules.filter((r) => !r.ended_at)) {
    const key = r.program_id + r.on;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    places.set(r.id, counts.get(key) ?? 0);
  }
  const columns: Column<Rule>[] = [
    { key: "who", title: t.who, value: who },
    { key: "what", title: t.what, value: (r) => (r.product_id ? product(r.product_id) : r.on === "lead" ? (t.ons["lead"] ?? "") : t.everyProduct) },
    { key: "on", title: t.on, value: (r) => t.ons[r.on] ?? r.on },
    { key: "place", title: t.rank, value: (r) => places.get(r.id) ?? 0, render: (r) => places.get(r.id) ?? "–", align: "right" },
    { key: "pays", title: t.pays, value: termsInWords },
    ...(program ? [] : [{ key: "program", title: t.program, value: (r: Rule) => name(r.program_id) }]),
    { key: "version", title: t.version, value: (r) => r.version, align: "right", wide: true },
    { key: "since", title: t.since, value: (r) => r.valid_from, render: (r) => (r.ended_at ? <StateBadge state="ended" /> : <When at={r.valid_from} as="date" />) },
  ];
  const add = writes && (
    <Button component={Link} to={`/admin/rules/new${id ? `?program=${id}` : ""}`} leftSection={<IconPlus size={16} aria-hidden />}>
      {t.addRule}
    </Button>
  );
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed">
        {t.rulesOrder}
      </Text>
      <Loaded query={query}>
        {(rows) => (
          <DataTable
            name={text.nav.rules}
            source={rows}
            rowKey={(r) => r.id}
            columns={columns}
            to={(r) => `/admin/rules/${r.id}`}
            actions={add}
            empty={
              <EmptyState title={t.noRules} action={add}>
                {t.noRulesText}
              </EmptyState>
            }
            filters={
              <>
                {!program && <ProgramPicker aria-label={t.program} placeholder={t.anyProgram} value={chosen} onChange={setChosen} w={{ base: "100%", xs: 190 }} />}
                <GroupPicker aria-label={t.group} placeholder={t.anyGroup} value={group} onChange={setGroup} w={{ base: "100%", xs: 170 }} />
                <Switch label={t.withEnded} checked={ended !== ""} onChange={(e) => setEnded(e.currentTarget.checked ? "yes" : null)} mb={8} />
              </>
            }
          />
        )}
      </Loaded>
    </Stack>
  );
}
