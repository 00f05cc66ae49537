import { Button, Card, Group, List, Text, ThemeIcon, Title } from "@mantine/core";
import { IconCheck, IconClock } from "@tabler/icons-react";
import { Link } from "react-router";

import type { Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { formatDateTime, formatMoney } from "../../ui/locale";
import { RequestPart } from "./Requests";

const t = text.ownPayouts;

/** What the next payout in one currency would be, or everything that stands against it and what to do about it. */
export function Outlook({ outlook: o, requests }: { outlook: Schemas["PayoutOutlook"]; requests?: readonly Schemas["OwnPayoutRequest"][] }) {
  const codes = new Set(o.reasons.map((r) => r.code));
  return (
    <Card component="section" aria-label={fill(t.nextTitle, { currency: o.currency })}>
      <Group wrap="nowrap" align="flex-start">
        <ThemeIcon size={36} radius="xl" variant="light" color={o.ready ? "teal" : "orange"} aria-hidden>
          {o.ready ? <IconCheck size={20} /> : <IconClock size={20} />}
        </ThemeIcon>
        <div style={{ flex: 1, minWidth: 0 }}>
          <Title order={2} size="h4">
            {fill(t.nextTitle, { currency: o.currency })}: {o.ready ? formatMoney(o.net) : t.notReady.toLowerCase()}
          </Title>
          {o.ready ? (
            <>
              <Text>{fill(t.readyText, { net: formatMoney(o.net), account: o.account })}</Text>
              {o.tax.minor > 0 && (
                <Text size="sm" c="dimmed">
                  {fill(t.readyTax, { gross: formatMoney(o.gross), tax: formatMoney(o.tax), text: o.tax_text })}
                </Text>
              )}
            </>
          ) : (
            <>
              <Text size="sm">{t.notReadyText}</Text>
              <List size="sm" mt={4} spacing={4}>
                {o.reasons.map((r) => (
                  <List.Item key={r.code}>{reason(r, o)}</List.Item>
                ))}
              </List>
            </>
          )}
          <Group gap="xs" mt="sm">
            {codes.has("method_missing") && (
              <Button component="a" href="#methods" size="xs" variant="light">
                {t.addMethod}
              </Button>
            )}
            {codes.has("kyc_missing") && (
              <Button component={Link} to="/affiliate/documents" size="xs" variant="light">
                {t.sendDocuments}
              </Button>
            )}
          </Group>
          {requests && <RequestPart outlook={o} requests={requests} />}
        </div>
      </Group>
    </Card>
  );
}

/** Why not, in a sentence; a reason without words of ours in those of the API. */
function reason(r: Schemas["PayoutReason"], o: Schemas["PayoutOutlook"]): string {
  const words = t.reasons[r.code === "below_minimum" && o.payable.minor === 0 ? "nothing" : r.code];
  return words
    ? fill(words, {
        payable: formatMoney(o.payable), minimum: formatMoney(o.minimum), currency: o.currency, frozen: o.frozen_until ? formatDateTime(o.frozen_until) : "",
        missing: o.missing_documents.map((kind) => text.documents.kinds[kind] ?? kind).join(", "),
      })
    : `${r.code}: ${r.detail}`;
}
