import { Button, Checkbox, Group, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent, type ReactNode } from "react";

import { ok, source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { CopyText } from "../../ui/CopyText";
import { StateBadge } from "../../ui/StateBadge";
import { ErrorState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { When } from "../../ui/When";
import { ScopeList, ScopePicker } from "./ScopePicker";
import { clientScopes, type ClientScope } from "./scopes";

type Client = Schemas["OAuthClient"];
const t = text.tokens;

const columns: Column<Client>[] = [
  { key: "name", title: t.name, value: (c) => c.name },
  { key: "id", title: t.clientID, value: (c) => c.id, render: (c) => <CopyText value={c.id} /> },
  { key: "kind", title: t.kind, value: (c) => (c.confidential ? t.confidential : t.public), wide: true },
  { key: "scopes", title: t.scopes, value: (c) => c.scopes.join(" "), render: (c) => <ScopeList scopes={c.scopes} /> },
  { key: "redirects", title: t.redirects, value: (c) => c.redirect_uris.join(" "), render: (c) => <Text size="sm" component="span" style={{ overflowWrap: "anywhere" }}>{c.redirect_uris.join(", ")}</Text>, wide: true },
  { key: "state", title: t.state, value: (c) => text.states[c.disabled ? "disabled" : "active"] ?? "", render: (c) => <StateBadge state={c.disabled ? "disabled" : "active"} /> },
  { key: "made", title: t.made, value: (c) => c.created_at, render: (c) => <When at={c.created_at} as="date" /> },
];

/** Programs that may act for people. */
export function Clients({ empty }: { empty: ReactNode }) {
  const cache = useQueryClient();
  const [ending, setEnding] = useState<Client>();
  const deeds: Column<Client> = {
    key: "deeds",
    title: text.common.more,
    deeds: true,
    value: () => "",
    render: (c) =>
      c.disabled ? (
        "–"
      ) : (
        <Button size="compact-sm" variant="subtle" color="red" onClick={() => setEnding(c)} aria-label={fill(t.disableTitle, { name: c.name })}>
          {t.disable}
        </Button>
      ),
  };
  return (
    <>
      <DataTable
        name={t.clients}
        columns={[...columns, deeds]}
        source={source<Client>(["oauth-clients"], (page, signal) => client.GET("/api/v1/oauth-clients", { params: { query: page }, signal }))}
        rowKey={(c) => c.id}
        empty={empty}
      />
      {ending && (
        <ConfirmDialog
          opened
          onClose={() => setEnding(undefined)}
          title={fill(t.disableTitle, { name: ending.name })}
          action={t.disable}
          danger
          onConfirm={async () => {
            await ok(client.DELETE("/api/v1/oauth-clients/{id}", { params: { path: { id: ending.id } } }));
            await cache.invalidateQueries();
          }}
        >
          <Text size="sm">{t.disableText}</Text>
        </ConfirmDialog>
      )}
    </>
  );
}

const lines = (typed: string) => typed.split(/\s+/).filter(Boolean);

export function ClientForm({ onMade }: { onMade: (made: Schemas["NewOAuthClient"]) => void }) {
  const cache = useQueryClient();
  const [name, setName] = useState("");
  const [redirects, setRedirects] = useState("");
  const [logout, setLogout] = useState("");
  const [confidential, setConfidential] = useState(false);
  const [chosen, setChosen] = useState<ClientScope[]>(["me"]);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const save = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFailure(undefined);
    try {
      const made = await ok(
        client.POST("/api/v1/oauth-clients", {
          body: { name: name.trim(), redirect_uris: lines(redirects), scopes: chosen, confidential, ...(logout.trim() && { post_logout_redirect_uris: lines(logout) }) },
        }),
      );
      notifications.show({ message: fill(t.madePublic, { name: made.name }), color: "teal" });
      await cache.invalidateQueries();
      onMade(made);
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(e) => void save(e)}>
      <Stack>
        <Text size="sm">{t.clientAbout}</Text>
        <TextInput label={t.name} required maxLength={128} value={name} onChange={(e) => setName(e.currentTarget.value)} data-autofocus />
        <Textarea label={t.redirects} description={t.redirectsHint} required autosize minRows={2} value={redirects} onChange={(e) => setRedirects(e.currentTarget.value)} />
        <Textarea label={t.logout} description={t.logoutHint} autosize minRows={1} value={logout} onChange={(e) => setLogout(e.currentTarget.value)} />
        <ScopePicker scopes={clientScopes} value={chosen} onChange={setChosen} />
        <Checkbox label={t.confidential} description={t.confidentialHint} checked={confidential} onChange={(e) => setConfidential(e.currentTarget.checked)} />
        {failure !== undefined && <ErrorState error={failure} />}
        <Group justify="flex-end">
          <Button type="submit" loading={busy} disabled={!name.trim() || lines(redirects).length === 0 || chosen.length === 0}>
            {text.common.create}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
