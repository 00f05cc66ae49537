import { Alert, Anchor, Tabs, Text } from "@mantine/core";
import { IconExternalLink } from "@tabler/icons-react";

import { api, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { formatNumber } from "../../ui/locale";
import { Page } from "../../ui/Page";
import { Loaded } from "../../ui/states";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";
import { Files } from "./Files";
import { SiteForm } from "./SiteForm";
import { useSaver } from "./saver";

const t = text.publicSite;

/** What everybody sees before they sign in, and the files that it shows. */
export function Site() {
  const mine = may(useMe(), "settings:write");
  const [tab, setTab] = useQueryState("tab", "general");
  const site = api.useQuery("get", "/api/v1/site");
  return (
    <Page
      title={text.nav.site}
      about={t.about}
      actions={
        <Anchor href="/" target="_blank" size="sm">
          {t.open} <IconExternalLink size={14} aria-hidden />
        </Anchor>
      }
    >
      {!mine && <Alert color="gray">{t.readOnly}</Alert>}
      {site.data && <Saved site={site.data} />}
      <Tabs value={tab} onChange={setTab}>
        <Tabs.List mb="md">
          {Object.entries(t.tabs).map(([value, label]) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Loaded query={site}>{(data) => <SiteForm site={data} readOnly={!mine} tab={tab} onTab={setTab} />}</Loaded>
        <Tabs.Panel value="files">{tab === "files" && <Files readOnly={!mine} />}</Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function Saved({ site }: { site: Schemas["SiteView"] }) {
  const name = useSaver(site.updated_by);
  return (
    <Text size="sm" c="dimmed">
      {site.updated_at ? (
        <>
          {fill(t.revision, { n: formatNumber(site.revision) })} · {fill(t.savedBy, { name })} · <When at={site.updated_at} />
        </>
      ) : (
        t.never
      )}
    </Text>
  );
}
