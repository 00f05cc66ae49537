import { Button, Card, Group, Stack, Tabs, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { fieldErrors, isProblem } from "../../api/problem";
import { text } from "../../text";
import { showErrors } from "../../ui/form";
import { ErrorState } from "../../ui/states";
import { Conflict } from "./Conflict";
import { General, Landing, Legal } from "./parts";
import { checks, differing, tabOf, valuesOf, type Values } from "./values";

type SiteView = Schemas["SiteView"];
const t = text.publicSite;

interface Props {
  site: SiteView;
  readOnly: boolean;
  tab: string;
  onTab: (tab: string) => void;
}

/** All that the public pages say, saved as one revision after the one that was edited. */
export function SiteForm({ site, readOnly, tab, onTab }: Props) {
  const cache = useQueryClient();
  const [base, setBase] = useState(site);
  const [theirs, setTheirs] = useState<SiteView>();
  const [failure, setFailure] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const form = useForm<Values>({ initialValues: valuesOf(site), validate: checks });
  const take = (next: SiteView) => {
    setBase(next);
    setTheirs(undefined);
    setFailure(undefined);
    form.setInitialValues(valuesOf(next));
    form.setValues(valuesOf(next));
    form.clearErrors();
  };
  const dirty = differing(form.values, valuesOf(base)).length > 0;
  // What was read anew is shown while nothing has been typed; else saving tells that it has changed.
  useEffect(() => {
    if (site.revision > base.revision && !dirty && !busy) {
      take(site);
    }
  });
  const save = async (v: Values, revision: number) => {
    setBusy(true);
    setFailure(undefined);
    setTheirs(undefined);
    try {
      const body = { ...v, name: v.name.trim(), support_email: v.support_email.trim(), accent: v.accent.toLowerCase(), locale: v.locale.trim(), revision };
      take(await ok(client.PUT("/api/v1/site", { body })));
      notifications.show({ message: text.common.saved, color: "teal" });
      await cache.invalidateQueries();
    } catch (error) {
      await failed(error);
    } finally {
      setBusy(false);
    }
  };
  const failed = async (error: unknown) => {
    if (isProblem(error) && error.code === "site_changed") {
      try {
        setTheirs(await ok(client.GET("/api/v1/site")));
      } catch (second) {
        setFailure(second);
      }
      return;
    }
    const at = tabOf(fieldErrors(error));
    if (at) {
      onTab(at);
    }
    showErrors(form, error);
    setFailure(error);
  };
  const submit = form.onSubmit(
    (v) => void save(v, base.revision),
    (errors) => onTab(tabOf(errors) ?? tab),
  );
  return (
    <form onSubmit={submit} noValidate>
      {Object.entries({ general: General, landing: Landing, legal: Legal }).map(([value, Part]) => (
        <Tabs.Panel key={value} value={value}>
          <Card>
            <Part form={form} readOnly={readOnly} />
          </Card>
        </Tabs.Panel>
      ))}
      <Stack mt="md" gap="sm">
        {failure !== undefined && <ErrorState error={failure} title={text.error.deed} />}
        {!readOnly && (tab !== "files" || dirty) && (
          <Group mb={tab === "files" ? "md" : undefined}>
            <Button type="submit" loading={busy} disabled={!dirty}>
              {text.common.save}
            </Button>
            {dirty && (
              <>
                <Button variant="subtle" onClick={() => take(site)} disabled={busy}>
                  {t.discard}
                </Button>
                <Text size="sm" c="dimmed" role="status">
                  {t.unsaved}
                </Text>
              </>
            )}
          </Group>
        )}
      </Stack>
      {theirs && (
        <Conflict
          theirs={theirs}
          fields={differing(form.values, valuesOf(theirs))}
          onLoad={() => take(theirs)}
          onKeep={() => void save(form.values, theirs.revision)}
          onClose={() => setTheirs(undefined)}
        />
      )}
    </form>
  );
}
