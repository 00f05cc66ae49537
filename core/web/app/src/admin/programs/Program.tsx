import { Card, Group, Stack, Tabs, Title } from "@mantine/core";
import { useParams } from "react-router";

import { api, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { text } from "../../text";
import { CopyText } from "../../ui/CopyText";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { Loaded } from "../../ui/states";
import { useQueryState } from "../../ui/useQueryState";
import { ProgramCodes } from "../affiliates/Codes";
import { History } from "../parts/History";
import { RuleTable } from "../rules/RuleTable";
import { Integration } from "./Integration";
import { ProgramForm } from "./ProgramForm";

const t = text.partners;

export function ProgramPage() {
  const { id = "" } = useParams();
  const query = api.useQuery("get", "/api/v1/programs/{id}", { params: { path: { id } } });
  const trail = [{ label: text.nav.programs, to: "/admin/programs" }];
  if (!query.data) {
    return (
      <Page title={text.nav.programs} trail={trail}>
        <Loaded query={query} lines={8}>
          {() => null}
        </Loaded>
      </Page>
    );
  }
  return <One program={query.data} trail={trail} />;
}

function One({ program, trail }: { program: Schemas["Program"]; trail: { label: string; to: string }[] }) {
  const me = useMe();
  const [tab, setTab] = useQueryState("tab", "terms");
  return (
    <Page
      title={program.name}
      trail={trail}
      about={
        <Group gap="xs">
          <StateBadge state={program.status} label={program.status === "disabled" ? t.closed : undefined} />
          <CopyText value={program.id} />
        </Group>
      }
    >
      <Tabs value={tab} onChange={setTab} keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="terms">{t.programTabs.terms}</Tabs.Tab>
          <Tabs.Tab value="rules">{t.programTabs.rules}</Tabs.Tab>
          <Tabs.Tab value="integration">{t.programTabs.integration}</Tabs.Tab>
          <Tabs.Tab value="codes">{t.programTabs.codes}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="terms">
          <Stack>
            <Card>
              {/* Another version of the program is another form: what was typed over an older one is not saved over it. */}
              <ProgramForm key={program.updated_at} program={program} />
            </Card>
            {may(me, "audit:read") && (
              <section>
                <Title order={2} mb="xs">
                  {t.history}
                </Title>
                <History object={program.id} />
              </section>
            )}
          </Stack>
        </Tabs.Panel>
        <Tabs.Panel value="rules">
          <RuleTable program={program.id} />
        </Tabs.Panel>
        <Tabs.Panel value="integration">
          <Integration program={program} />
        </Tabs.Panel>
        <Tabs.Panel value="codes">
          <ProgramCodes id={program.id} />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
