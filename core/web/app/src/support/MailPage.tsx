import { Card } from "@mantine/core";
import { useParams } from "react-router";

import { MailDetail } from "../admin/mails/MailDetail";
import { useStaffArea } from "../admin/parts/area";
import { api } from "../api/client";
import { text } from "../text";
import { Page } from "../ui/Page";

/** One mail on a page of its own. */
export function MailPage() {
  const { id = "" } = useParams();
  const query = api.useQuery("get", "/api/v1/mails/{id}", { params: { path: { id } } });
  return (
    <Page title={query.data?.subject ?? text.nav.mails} trail={useStaffArea().trail(text.nav.mails, "mails")}>
      <Card>
        <MailDetail id={id} />
      </Card>
    </Page>
  );
}
