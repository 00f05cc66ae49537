import { Badge, Card, Code, Group, Stack, Switch, Text, TextInput, Title } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useState } from "react";

import { api, type Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { CopyText } from "../../ui/CopyText";
import { Facts } from "../../ui/Facts";
import { formatNumber } from "../../ui/locale";
import { Page } from "../../ui/Page";
import { EmptyState, Loaded } from "../../ui/states";
import classes from "./Settings.module.css";

type Setting = Schemas["Setting"];
const t = text.settings;

/** The configuration, as it is in effect. It is read here and changed where the core is started. */
export function Settings() {
  const query = api.useQuery("get", "/api/v1/settings");
  return (
    <Page title={text.nav.settings} about={t.about}>
      <Loaded query={query} lines={12}>
        {(list) => <Sections list={list} />}
      </Loaded>
    </Page>
  );
}

function Sections({ list }: { list: Schemas["SettingList"] }) {
  const [needle, setNeedle] = useState("");
  const [changed, setChanged] = useState(false);
  const words = needle.toLowerCase().trim();
  const matches = (s: Setting) => (!changed || s.source !== "default") && [s.name, s.help, s.env, s.flag, s.value].some((v) => v.toLowerCase().includes(words));
  const sections = list.sections.map((section) => ({ ...section, settings: section.settings.filter(matches) })).filter(({ settings }) => settings.length > 0);
  const count = sections.reduce((n, { settings }) => n + settings.length, 0);
  return (
    <Stack gap="lg">
      <Text size="sm">{list.file ? fill(t.file, { file: list.file }) : t.noFile}</Text>
      <Group role="search">
        <TextInput aria-label={t.find} placeholder={t.find} leftSection={<IconSearch size={16} aria-hidden />} value={needle} onChange={(e) => setNeedle(e.currentTarget.value)} style={{ flex: "1 1 16rem" }} maw={420} />
        <Switch label={t.changedOnly} checked={changed} onChange={(e) => setChanged(e.currentTarget.checked)} />
        <Text size="sm" c="dimmed" role="status">
          {fill(t.count, { n: formatNumber(count) })}
        </Text>
      </Group>
      {sections.length === 0 && (
        <Card>
          <EmptyState title={t.none} />
        </Card>
      )}
      {sections.map((section) => (
        <Card key={section.name} component="section" aria-label={section.name || t.general}>
          <Title order={2} mb="sm">
            {section.name || t.general}
          </Title>
          <div>
            {section.settings.map((setting) => (
              <One key={setting.name} setting={setting} />
            ))}
          </div>
        </Card>
      ))}
    </Stack>
  );
}

function One({ setting: s }: { setting: Setting }) {
  const value = s.secret ? (s.is_set ? t.secretSet : t.secretUnset) : s.value;
  return (
    <details className={classes.setting}>
      <summary className={classes.summary}>
        <span className={classes.name}>
          <Text component="span" size="sm" fw={600} ff="monospace">
            {s.name}
          </Text>
          <Text size="sm" c="dimmed" component="span" display="block">
            {s.help}
          </Text>
        </span>
        <span className={classes.value}>
          {value ? (
            <Code style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>{value}</Code>
          ) : (
            <Text component="span" size="sm" c="dimmed" fs="italic">
              {t.empty}
            </Text>
          )}
          <Badge variant={s.source === "default" ? "outline" : "light"} color={s.source === "default" ? "gray" : "accent"} tt="none">
            {t.sources[s.source] ?? s.source}
          </Badge>
        </span>
      </summary>
      <div className={classes.how}>
        <Facts
          facts={[
            [t.default, s.default || t.empty],
            [t.unit, s.unit],
            [t.byFile, <CopyText value={s.name} />],
            [t.byEnv, s.env && <CopyText value={s.env} />],
            [t.byFlag, s.flag && <CopyText value={s.flag} />],
          ]}
        />
      </div>
    </details>
  );
}
