import { Badge, Group, Stack, Text } from "@mantine/core";

import type { Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { formatDateTime } from "../locale";
import { formatSpan } from "../span";
import { typeWord, type WhyPaths } from "./Part";
import { Named } from "./Named";

const w = text.why;
type Args = Schemas["AttributionArguments"];

/** To whom the conversion belongs, and all that was looked at. */
export function Attribution({ why, paths }: { why: Schemas["Why"]; paths: WhyPaths }) {
  const type = typeWord(why.conversion.type);
  if (why.view === "downline") {
    const level = why.commissions[0]?.level ?? 1;
    return <Text>{fill(w.downline, { level: level === 1 ? w.downlineLevel.one : fill(w.downlineLevel.many, { n: level }) })}</Text>;
  }
  if (why.view === "reassigned") {
    return <Text>{fill(w.reassigned, { type })}</Text>;
  }
  if (!why.attribution) {
    return <Text>{why.view}</Text>;
  }
  const a = why.attribution.arguments;
  const own = why.view === "own";
  const name = paths.name ?? ((id: string) => id);
  return (
    <Stack gap="sm">
      {a.subject_id && <Text>{fill(w.asSubject, { type: text.conversionTypes.sale?.toLowerCase() ?? "" })}</Text>}
      <Text style={{ overflowWrap: "anywhere" }}>{decided(a, why, own, name) ?? why.attribution.text}</Text>
      {a.reason === "attributed" && a.source === "click" && !!a.disabled_at && <Text>{fill(w.disabledLater, { at: formatDateTime(a.disabled_at) })}</Text>}
      {!own && a.affiliate_id && (
        <Text size="sm">
          <Named id={a.affiliate_id} path={paths.affiliate}>
            {name(a.affiliate_id)}
          </Named>
        </Text>
      )}
      <Candidates why={why} own={own} name={name} />
    </Stack>
  );
}

type NameOf = (id: string) => string;

/** The outcome in a sentence; undefined where there are no words for it. */
function decided(a: Args, why: Schemas["Why"], own: boolean, name: NameOf): string | undefined {
  const who = own ? w.you : a.affiliate_id ? fill(w.affiliate, { id: name(a.affiliate_id) }) : w.nobody;
  const type = typeWord(why.conversion.type);
  const link = why.link ? `/${why.link.slug}` : (a.link_id ?? "");
  const values = {
    who, type, link, assigner: a.assigner ?? "", note: a.note ?? "", coupon: a.coupon ?? "",
    clicked: when(a.clicked_at), received: when(a.received_at), disabled: when(a.disabled_at), bound: when(a.bound_at),
    span: formatSpan(a.received_at - (a.clicked_at ?? a.received_at)), window: formatSpan(a.window_ms ?? 0),
  };
  if (a.reason !== "attributed") {
    const words = a.reason === "unassigned" ? w.unassigned : w.reasons[a.reason];
    return words && fill(words, values);
  }
  switch (a.source) {
    case "manual":
      return own ? w.byHandOwn : fill(w.byHand, values);
    case "coupon":
      return fill(w.coupon, values);
    case "customer":
      return fill(w.customer, { ...values, at: values.bound });
    case "click":
      return fill(a.model === "first_click" ? w.firstClick : w.lastClick, { ...values, at: values.clicked });
    default:
      return undefined;
  }
}

function when(ms: number | undefined): string {
  return ms ? formatDateTime(ms) : "";
}

function Candidates({ why, own, name }: { why: Schemas["Why"]; own: boolean; name: NameOf }) {
  const a = why.attribution?.arguments;
  const candidates = a?.candidates ?? [];
  if (!a || candidates.length === 0) {
    return null;
  }
  return (
    <Stack gap="xs" mt="xs">
      <Text fw={600} size="sm" id="candidates">
        {w.candidates}
      </Text>
      <Stack gap="xs" component="ul" aria-labelledby="candidates" m={0} p={0} style={{ listStyle: "none" }}>
        {candidates.map((c, i) => (
          <Group key={i} component="li" gap="xs" align="flex-start" wrap="nowrap" justify="space-between">
            <div style={{ minWidth: 0 }}>
              <Text size="sm" style={{ overflowWrap: "anywhere" }}>
                {candidate(c)}, {whose(c, own, name)}
              </Text>
              <Text size="sm" c="dimmed">
                {w.results[c.result] ?? c.result}
              </Text>
            </div>
            <Badge variant="light" color={c.result === "attributed" ? "teal" : "gray"} tt="none" style={{ flex: "none" }}>
              {c.result === "attributed" ? w.won : w.lost}
            </Badge>
          </Group>
        ))}
      </Stack>
      {(a.precedence?.length ?? 0) > 0 && (
        <Text size="sm" c="dimmed">
          {fill(w.precedence, { order: (a.precedence ?? []).map((s) => w.sources[s] ?? s).join(", ") })}
        </Text>
      )}
    </Stack>
  );
}

function candidate(c: Schemas["Candidate"]): string {
  switch (c.source) {
    case "click":
      return c.at ? fill(w.candidateClick, { at: formatDateTime(c.at) }) : w.candidateClickUnknown;
    case "coupon":
      return c.coupon ? fill(w.candidateCoupon, { coupon: c.coupon }) : w.candidateCouponOther;
    case "customer":
      return fill(w.candidateCustomer, { at: c.at ? formatDateTime(c.at) : "" });
    default:
      return w.sources[c.source] ?? c.source;
  }
}

function whose(c: Schemas["Candidate"], own: boolean, name: NameOf): string {
  if (c.affiliate_id) {
    return own ? w.yours : fill(w.affiliate, { id: name(c.affiliate_id) });
  }
  return own && c.result !== "unknown_click" && c.result !== "coupon_unowned" ? w.otherAffiliate : w.nobody;
}
