import { Table, Text } from "@mantine/core";
import type { ReactNode } from "react";

import type { Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { formatBasisPoints, formatMoney, type Amount } from "../locale";
import { Money } from "../Money";
import { formatMonth } from "../span";
import { typeWord } from "./Part";
import { volume } from "./Rule";

const w = text.why;

interface Line {
  label: ReactNode;
  amount?: Amount;
  strong?: boolean;
}

/** The calculation line by line, as it was kept, and what changed since. */
export function Arithmetic({ commission: c }: { commission: Schemas["WhyCommission"] }) {
  const lines = [...made(c), ...changed(c)];
  return (
    <Table verticalSpacing="xs" horizontalSpacing={0} aria-label={w.arithmetic}>
      <Table.Tbody>
        {lines.map((line, i) => (
          <Table.Tr key={i}>
            <Table.Td pr="md" fw={line.strong ? 650 : undefined} style={{ overflowWrap: "anywhere" }}>
              {line.label}
            </Table.Td>
            <Table.Td ta="right" style={{ verticalAlign: "top" }} fw={line.strong ? 650 : undefined}>
              {line.amount && <Money amount={line.amount} />}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function made(c: Schemas["WhyCommission"]): Line[] {
  const a = c.explanation.arithmetic;
  const reductions = a.reductions ?? [];
  const first: Amount = { minor: reductions[0]?.before ?? a.result.minor, currency: a.result.currency };
  const lines: Line[] = [a.base ? { label: c.product ? `${w.base}: ${c.product}` : w.base, amount: a.base } : { label: w.lead }, { label: step(a), amount: first }];
  if (a.tier) {
    const unit = a.base?.currency ?? a.result.currency;
    lines.push({
      label: fill(w.tier, {
        from: volume(a.tier.by, a.tier.from, unit), reached: volume(a.tier.by, a.tier.reached, unit), month: a.month ? formatMonth(a.month) : text.common.period,
      }),
    });
  }
  for (const r of reductions) {
    const values = { kind: r.kind, limit: formatMoney(r.limit), total: formatMoney({ minor: r.total, currency: a.result.currency }) };
    lines.push({ label: fill(w.reductions[r.kind] ?? w.reductionUnknown, values), amount: { minor: r.after - r.before, currency: a.result.currency } });
  }
  lines.push({ label: w.earned, amount: a.result, strong: true });
  return lines;
}

/** From the base to the first result. */
function step(a: Schemas["CommissionArithmetic"]): ReactNode {
  const percent = formatBasisPoints(a.percent_bp ?? 0);
  if (a.level) {
    const of = formatMoney(a.share_of ?? a.result);
    const label = a.of === "commission" ? w.sponsorCommission : a.of === "net" || !a.of ? w.sponsorNet : `${w.sponsorNet} (${a.of})`;
    return <Rounded rounding={a.rounding}>{fill(label, { level: a.level, percent, amount: of })}</Rounded>;
  }
  if (a.flat) {
    return (a.quantity ?? 1) > 1 ? fill(w.flatUnits, { amount: formatMoney(a.flat), n: a.quantity ?? 1 }) : fill(w.flat, { amount: formatMoney(a.flat), type: typeWord(a.on) });
  }
  return <Rounded rounding={a.rounding}>{fill(w.share, { percent })}</Rounded>;
}

function Rounded({ rounding, children }: { rounding?: string; children: ReactNode }) {
  return (
    <>
      {children}
      {rounding && (
        <Text span inherit c="dimmed">
          , {fill(w.rounded, { rounding: w.roundings[rounding] ?? rounding })}
        </Text>
      )}
    </>
  );
}

function changed(c: Schemas["WhyCommission"]): Line[] {
  if (c.reversals.length + c.restorals.length === 0) {
    return [];
  }
  const all = [
    ...c.reversals.map((r) => ({ at: r.created_at, label: w.takenBack, minor: -r.amount.minor })),
    ...c.restorals.map((r) => ({ at: r.created_at, label: w.givenBack, minor: r.amount.minor })),
  ].sort((x, y) => x.at.localeCompare(y.at));
  const lines: Line[] = all.map(({ label, minor }) => ({ label, amount: { minor, currency: c.amount.currency } }));
  lines.push({ label: w.left, amount: { minor: c.amount.minor - c.reversed.minor, currency: c.amount.currency }, strong: true });
  return lines;
}
