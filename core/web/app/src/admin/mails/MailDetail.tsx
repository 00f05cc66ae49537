import { Alert, Box, Button, SegmentedControl, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ok } from "../../api/call";
import { api, client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { CopyText } from "../../ui/CopyText";
import { Facts } from "../../ui/Facts";
import { formatNumber } from "../../ui/locale";
import { StateBadge } from "../../ui/StateBadge";
import { Loaded } from "../../ui/states";
import { When } from "../../ui/When";
import classes from "./MailDetail.module.css";

type Detail = Schemas["MailDetail"];
const t = text.mails;

export function mailKind(template: string): string {
  return t.kinds[template] ?? template.replaceAll("_", " ");
}

/** One mail with its text. */
export function MailDetail({ id }: { id: string }) {
  const query = api.useQuery("get", "/api/v1/mails/{id}", { params: { path: { id } } });
  return <Loaded query={query}>{(mail) => <One mail={mail} />}</Loaded>;
}

function One({ mail }: { mail: Detail }) {
  const me = useMe();
  const cache = useQueryClient();
  const [asking, setAsking] = useState(false);
  const resend = async () => {
    await ok(client.POST("/api/v1/mails/{id}/resend", { params: { path: { id: mail.id } } }));
    notifications.show({ message: t.resent, color: "teal" });
    await cache.invalidateQueries();
  };
  return (
    <Stack>
      {mail.state === "local" && <Alert color="yellow">{t.local}</Alert>}
      <Facts
        facts={[
          [t.state, <StateBadge state={mail.state} />],
          [t.to, <CopyText value={mail.to} mono={false} />],
          [t.template, mailKind(mail.template)],
          [t.made, <When at={mail.created_at} />],
          [t.sentAt, mail.sent_at && <When at={mail.sent_at} />],
          [t.attempts, formatNumber(mail.attempts)],
          [t.next, mail.next_at && <When at={mail.next_at} as="ago" />],
          [t.lastError, mail.last_error],
        ]}
      />
      {may(me, "admin") && mail.state !== "pending" && (
        <Button variant="default" onClick={() => setAsking(true)} style={{ alignSelf: "flex-start" }}>
          {t.resend}
        </Button>
      )}
      <Content mail={mail} />
      <ConfirmDialog opened={asking} onClose={() => setAsking(false)} title={t.resendTitle} action={t.resend} onConfirm={resend}>
        <Text size="sm">{fill(t.resendText, { to: mail.to })}</Text>
      </ConfirmDialog>
    </Stack>
  );
}

// A mail's HTML is shown in a frame that may do nothing: it runs no script, sends no form, and is of no origin.
function Content({ mail }: { mail: Detail }) {
  const [as, setAs] = useState("text");
  if (!mail.text && !mail.html) {
    return <Alert color="gray">{mail.secret ? t.secret : t.erased}</Alert>;
  }
  return (
    <Stack gap="xs">
      {mail.html && (
        <SegmentedControl
          value={as}
          onChange={setAs}
          data={[
            { value: "text", label: t.text },
            { value: "html", label: t.html },
          ]}
          style={{ alignSelf: "flex-start" }}
        />
      )}
      {as === "html" && mail.html ? (
        <iframe className={classes.frame} title={t.htmlTitle} sandbox="" srcDoc={mail.html} />
      ) : (
        <Box component="pre" className={classes.text} tabIndex={0}>
          {mail.text}
        </Box>
      )}
    </Stack>
  );
}
