import { Alert, Anchor, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { Link } from "react-router";

import type { Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";

type Trouble = Schemas["Trouble"];
const t = text.business;

/** So many are told; whoever has more looks at the page of the system. */
const most = 4;

/** What of the machinery does not work now, each with what to do. */
export function Troubles({ of }: { of: Trouble[] }) {
  const me = useMe();
  const sees = may(me, "system:read");
  return (
    <Alert color="red" icon={<IconAlertTriangle />} title={of.some(({ kind }) => kind === "ledger") ? t.ledgerBroken : t.systemBad} role="alert">
      <Stack gap={6}>
        {of.slice(0, most).map(({ kind, name, text: says }) => (
          <Text key={`${kind} ${name}`} size="sm" style={{ overflowWrap: "anywhere" }}>
            <Text span inherit fw={600}>
              {fill(t.troubles[kind] ?? kind, { name })}
            </Text>
            : {says}
          </Text>
        ))}
        {of.length > most && <Text size="sm">{fill(t.troublesMore, { n: of.length - most })}</Text>}
        <Anchor component={Link} to={sees ? "/admin/system" : "/admin/ledger"} size="sm">
          {sees ? t.systemLook : t.ledgerLook}
        </Anchor>
      </Stack>
    </Alert>
  );
}
