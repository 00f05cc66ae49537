import { Alert, Button, Text, Textarea } from "@mantine/core";
import { IconEye } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useNavigate } from "react-router";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { home } from "../../areas";
import { startViewing } from "../../session/session";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";

/** Lets staff look at the pages of a person; nothing can be changed there, and it is audited. */
export function ViewAs({ person, name }: { person: Schemas["Person"] | undefined; name: string }) {
  const t = text.partners;
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState("");
  const cache = useQueryClient();
  const navigate = useNavigate();
  // Whose pages are looked at, once this page is left for them.
  const seen = useRef<Schemas["Me"]>(undefined);
  useEffect(
    () => () => {
      const me = seen.current;
      if (me) {
        // When nothing of the back office is mounted any more, so that it asks for nothing with a token that may not.
        // Nothing of one's own may be shown as another's.
        setTimeout(() => {
          cache.setQueryData(["me"], me);
          cache.removeQueries({ type: "inactive" });
          void cache.resetQueries({ type: "active", predicate: ({ queryKey }) => queryKey[0] !== "me" });
        });
      }
    },
    [cache],
  );
  const look = async () => {
    if (!person) {
      return;
    }
    const { access_token, expires_at } = await ok(client.POST("/api/v1/people/{id}/view", { params: { path: { id: person.id } }, body: { reason: reason.trim() } }));
    startViewing(access_token, Math.round((new Date(expires_at).getTime() - Date.now()) / 1000));
    const me = (seen.current = await ok(client.GET("/api/v1/me")));
    await navigate(home(me), { replace: true });
  };
  return (
    <>
      <Button variant="default" leftSection={<IconEye size={16} aria-hidden />} onClick={() => setAsking(true)}>
        {t.viewAs}
      </Button>
      <ConfirmDialog opened={asking} onClose={() => setAsking(false)} title={fill(t.viewTitle, { name })} action={t.viewAs} disabled={!person || reason.trim().length < 3} onConfirm={look}>
        {person ? (
          <>
            <Text size="sm">{t.viewText}</Text>
            <Textarea label={t.viewReason} required minLength={3} maxLength={500} autosize minRows={2} value={reason} onChange={(e) => setReason(e.currentTarget.value)} data-autofocus />
          </>
        ) : (
          <Alert color="yellow">{t.viewNobody}</Alert>
        )}
      </ConfirmDialog>
    </>
  );
}
