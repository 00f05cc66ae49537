import { Group, Stack, Text } from "@mantine/core";

import type { Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { formatDateTime, formatMoney, type Amount } from "../locale";
import { Money } from "../Money";
import { StateBadge } from "../StateBadge";
import { When } from "../When";
import { Part, type WhyPaths } from "./Part";
import { Named } from "./Named";

const w = text.why;
type Commission = Schemas["WhyCommission"];

/** What became of a commission: its hold, what took it back, what paid it. */
export function After({ why, commission: c, paths }: { why: Schemas["Why"]; commission: Commission; paths: WhyPaths }) {
  const left = c.amount.minor - c.reversed.minor;
  return (
    <>
      <Part title={w.hold}>
        <Group justify="space-between" align="flex-start">
          <Text style={{ flex: 1, minWidth: "12rem" }}>
            {c.state === "reversed" ? w.holdGone : c.released_at ? fill(w.released, { at: formatDateTime(c.released_at) }) : fill(w.holdUntil, { at: formatDateTime(c.release_at) })}
          </Text>
          <StateBadge state={c.state} />
        </Group>
      </Part>
      {c.reversals.length + c.restorals.length > 0 && (
        <Part title={w.changes}>
          <Changes why={why} commission={c} paths={paths} />
        </Part>
      )}
      <Part title={w.payouts}>
        {c.payouts.length > 0 ? <Payouts commission={c} paths={paths} /> : <Text>{left === 0 ? w.payoutNothing : c.released_at ? w.payoutNext : w.payoutHold}</Text>}
      </Part>
    </>
  );
}

function Changes({ why, commission: c, paths }: { why: Schemas["Why"]; commission: Commission; paths: WhyPaths }) {
  const all = [...c.reversals.map((r) => ({ r, back: false })), ...c.restorals.map((r) => ({ r, back: true }))].sort((x, y) => x.r.created_at.localeCompare(y.r.created_at));
  return (
    <Stack gap="md">
      {all.map(({ r, back }) => (
        <div key={r.conversion_id + String(back)}>
          <Group justify="space-between" wrap="nowrap" align="flex-start">
            <Text fw={600}>
              <Named id={r.conversion_id} path={why.view === "own" || why.view === "all" ? paths.conversion : undefined}>
                {cause(why, c, r)}
              </Named>
            </Text>
            <Money amount={back ? r.amount : { ...r.amount, minor: -r.amount.minor }} fw={600} />
          </Group>
          <Text size="sm" c="dimmed">
            <When at={r.created_at} />
          </Text>
          <Text size="sm">{arithmetic(r.arithmetic, back) ?? r.text}</Text>
        </div>
      ))}
    </Stack>
  );
}

/** Which conversion took it back: a refund, a rejection, a dispute; or somebody who assigned the sale. */
function cause(why: Schemas["Why"], c: Commission, r: Schemas["Reversal"]): string {
  if (r.arithmetic.replaced || r.conversion_id === c.conversion_id) {
    return w.causes.assigned ?? r.conversion_id;
  }
  const found = [why.conversion, ...why.related].find(({ id }) => id === r.conversion_id);
  if (!found) {
    return r.conversion_id;
  }
  const kind = found.type === "refund" && found.name === "dispute" ? "dispute" : found.type;
  return w.causes[kind] ?? kind;
}

function arithmetic(a: Schemas["ReversalArithmetic"], back: boolean): string | undefined {
  const show = (amount: Amount | undefined) => (amount ? formatMoney(amount) : "");
  const values = { due: show(a.due), refunded: show(a.refunded), before: show(a.before), result: show(a.result) };
  if (back) {
    return a.refunded && fill(a.refunded.minor === 0 ? w.restored : w.restoredTo, values);
  }
  const words = a.replaced ? w.replaced : a.all ? w.all : a.refunded ? w.partly : undefined;
  return words && [fill(words, values), a.before.minor !== 0 && fill(w.before, values)].filter(Boolean).join(" ");
}

const undone = new Set(["failed", "returned", "cancelled"]);

function Payouts({ commission: c, paths }: { commission: Commission; paths: WhyPaths }) {
  // What was taken back before the payout was not paid; only what is paid beyond what is left is made up for later.
  const paid = c.payouts.reduce((sum, p) => (undone.has(p.state) ? sum : sum + p.share.amount.minor), 0);
  const over = paid - (c.amount.minor - c.reversed.minor);
  return (
    <Stack gap="sm">
      {c.payouts.map((p) => (
        <Group key={p.id} justify="space-between" align="flex-start" gap="xs">
          <div style={{ flex: 1, minWidth: "12rem" }}>
            <Text>
              <Named id={p.id} path={paths.payout && (() => paths.payout?.(p) ?? "")}>
                {fill(p.share.amount.minor < 0 ? w.payoutLess : w.payoutShare, { share: formatMoney({ ...p.share.amount, minor: Math.abs(p.share.amount.minor) }), total: formatMoney(p.net) })}
              </Named>
            </Text>
            <Text size="sm" c="dimmed">
              <When at={p.paid_at ?? p.created_at} /> · {p.account}
              {p.reference && ` · ${p.reference}`}
            </Text>
          </div>
          <StateBadge state={p.state} />
        </Group>
      ))}
      {over > 0 && <Text size="sm">{fill(w.payoutNetted, { amount: formatMoney({ minor: over, currency: c.amount.currency }) })}</Text>}
    </Stack>
  );
}
