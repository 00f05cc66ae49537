import { Stack, Text } from "@mantine/core";

import type { Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { Facts } from "../Facts";
import { formatBasisPoints, formatMoney, formatNumber } from "../locale";
import { When } from "../When";
import { typeWord, type WhyPaths } from "./Part";
import { Named } from "./Named";

const w = text.why;
type Rule = Schemas["Rule"];

/** The rule in the version that paid, and its terms. */
export function RuleOf({ commission: c, own, paths }: { commission: Schemas["WhyCommission"]; own: boolean; paths: WhyPaths }) {
  const a = c.explanation.arithmetic;
  const scope = a.group_id ? w.ruleScope.group : a.for_all ? w.ruleScope.all : own && c.level === 0 ? w.ruleScope.ownYours : w.ruleScope.own;
  return (
    <Stack gap="xs">
      <Text>
        <Named id={a.rule_id} path={paths.rule}>
          {scope}
        </Named>
        {a.product_id && ` ${w.ruleProduct}`}, {fill(w.ruleVersion, { version: a.rule_version })}
        {c.rule && (
          <>
            , {w.ruleSince} <When at={c.rule.valid_from} />
          </>
        )}
        .
      </Text>
      {c.rule ? <Terms rule={c.rule} /> : <Text c="dimmed">{w.ruleGone}</Text>}
    </Stack>
  );
}

export function rate(rule: { percent_bp?: number | null; flat?: Schemas["Amount"] }, on: string): string {
  return rule.flat ? fill(w.ruleFlat, { amount: formatMoney(rule.flat), type: typeWord(on) }) : fill(w.rulePercent, { percent: formatBasisPoints(rule.percent_bp ?? 0) });
}

function Terms({ rule: r }: { rule: Rule }) {
  return (
    <Facts
      facts={[
        [w.rulePays, rate(r, r.on)],
        [w.ruleTiers, r.tiers && <Tiers rule={r} tiers={r.tiers} />],
        [w.ruleCapOrder, r.cap_order && formatMoney(r.cap_order)],
        [w.ruleCapMonth, r.cap_month && formatMoney(r.cap_month)],
        [w.ruleMonths, r.months ? fill(w.ruleMonthsValue, { n: r.months }) : ""],
        [
          w.ruleLevels,
          r.levels?.length
            ? r.levels.map((l, i) => fill(w.ruleLevel, { level: i + 1, percent: formatBasisPoints(l.percent_bp), of: l.of === "net" ? w.ofNet : l.of === "commission" ? w.ofCommission : l.of })).join("; ")
            : "",
        ],
      ]}
    />
  );
}

function Tiers({ rule, tiers }: { rule: Rule; tiers: NonNullable<Rule["tiers"]> }) {
  return (
    <Stack gap={2}>
      {tiers.steps.map((step) => (
        <span key={step.from}>{fill(w.ruleTier, { rate: rate(step, rule.on), from: volume(tiers.by, step.from, tiers.currency ?? "") })}</span>
      ))}
    </Stack>
  );
}

/** What tiers count: sales, or money. */
export function volume(by: string, n: number, currency: string): string {
  if (by === "count") {
    return fill(w.sales, { n: formatNumber(n) });
  }
  return by === "amount" && currency ? formatMoney({ minor: n, currency }) : `${by} ${n}`;
}
