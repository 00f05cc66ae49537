import { Anchor, Badge, Button, Group, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { Entries, Section } from "../../support/person/Section";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { formatDateTime } from "../../ui/locale";
import { Reason, useDone } from "./Deeds";
import { isGuarded } from "./Roles";

type Session = Schemas["Session"];
const t = text.peopleSessions;

interface Props {
  person: Schemas["Person"];
  /** The newest, as the page of the person has them. */
  sessions: Session[];
  /** Said where there are more of them. */
  more?: string;
}

/** Where a person is signed in, and how whoever manages people ends it. */
export function PersonSessions({ person, sessions, more }: Props) {
  const me = useMe();
  const [ending, setEnding] = useState<Session | "all">();
  const [whole, setWhole] = useState(false);
  const all = useQuery({
    queryKey: ["person-sessions", person.id],
    queryFn: async ({ signal }) => (await ok(client.GET("/api/v1/people/{id}/sessions", { params: { path: { id: person.id } }, signal }))).items,
    enabled: whole,
  });
  const shown = (whole && all.data) || sessions;
  const own = person.id === me.id;
  const ends = may(me, "people:write") && !own && (me.roles.includes("owner") || !isGuarded(person.roles));
  return (
    <Section
      title={text.support.person.sessions}
      beside={
        ends && sessions.length > 0 ? (
          <Button size="compact-sm" variant="light" color="red" onClick={() => setEnding("all")}>
            {t.endAll}
          </Button>
        ) : undefined
      }
    >
      <Entries
        of={shown}
        row={(s) => ({
          key: s.id,
          name: device(s),
          facts: [s.address, fill(t.since, { at: formatDateTime(s.created_at) }), fill(t.used, { at: formatDateTime(s.last_used_at) }), s.second_factor_at && fill(text.support.person.proved, { at: formatDateTime(s.second_factor_at) })],
          amount: s.current ? (
            <Badge variant="light" tt="none">
              {text.support.person.now}
            </Badge>
          ) : ends ? (
            <Button size="compact-xs" variant="subtle" color="red" onClick={() => setEnding(s)} aria-label={fill(t.endOne, { device: device(s) })}>
              {t.end}
            </Button>
          ) : undefined,
        })}
      />
      {more && !whole && (
        <Group gap="xs">
          <Text size="sm" c="dimmed">
            {more}
          </Text>
          <Button size="compact-sm" variant="subtle" onClick={() => setWhole(true)}>
            {t.showAll}
          </Button>
        </Group>
      )}
      {own && (
        <Text size="sm" c="dimmed">
          {t.own}{" "}
          <Anchor component={Link} to="/account/security" inherit>
            {t.ownLink}
          </Anchor>
        </Text>
      )}
      {ending && <End person={person} session={ending} onClose={() => setEnding(undefined)} />}
    </Section>
  );
}

const device = (s: Session) => s.device || text.common.unknown;

function End({ person, session, onClose }: { person: Props["person"]; session: Session | "all"; onClose: () => void }) {
  const done = useDone();
  const [reason, setReason] = useState("");
  const name = person.name || person.email;
  const all = session === "all";
  const because = { reason: reason.trim() };
  const end = () =>
    all
      ? ok(client.POST("/api/v1/people/{id}/sessions/end", { params: { path: { id: person.id } }, body: because }))
      : ok(client.POST("/api/v1/people/{id}/sessions/{session_id}/end", { params: { path: { id: person.id, session_id: session.id } }, body: because }));
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={all ? fill(t.endAllTitle, { name }) : fill(t.endTitle, { name, device: device(session) })}
      action={all ? t.endAll : t.end}
      danger
      disabled={because.reason.length < 3}
      onConfirm={() => done(end())}
    >
      <Text size="sm">{all ? t.endAllText : fill(t.endText, { device: device(session), begun: formatDateTime(session.created_at), used: formatDateTime(session.last_used_at) })}</Text>
      <Text size="sm">{t.again}</Text>
      <Reason value={reason} onChange={setReason} required />
    </ConfirmDialog>
  );
}
