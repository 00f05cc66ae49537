import { Card } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { text } from "../../text";
import { Page } from "../../ui/Page";
import { PostbackForm } from "./PostbackForm";
import { SecretDialog } from "./SecretDialog";

const t = text.postbacks;

/** Makes a postback and shows its secret once. */
export function NewPostback() {
  const navigate = useNavigate();
  const cache = useQueryClient();
  const [made, setMade] = useState<Schemas["WebhookWithSecret"]>();
  return (
    <Page title={t.make} trail={[{ label: text.nav.postbacks, to: "/affiliate/postbacks" }]} about={t.about}>
      <Card maw={760}>
        <PostbackForm
          action={text.common.create}
          onCancel={() => void navigate("/affiliate/postbacks")}
          onSave={async ({ program_id, description, ...rest }) => {
            setMade(await ok(client.POST("/api/v1/me/affiliate/webhooks", { body: { ...rest, ...(program_id && { program_id }), ...(description && { description }) } })));
            await cache.invalidateQueries({ queryKey: ["table", "my-webhooks"] });
          }}
        />
      </Card>
      <SecretDialog secret={made?.secret} onClose={() => void navigate(`/affiliate/postbacks/${made?.id ?? ""}`)} />
    </Page>
  );
}
