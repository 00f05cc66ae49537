import { Button, Modal, Stack, Tabs, Text, TextInput } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ok, source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { Page } from "../../ui/Page";
import { SecretOnce } from "../../ui/SecretOnce";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";
import { ClientForm, Clients } from "./Clients";
import { ScopeList, ScopePicker } from "./ScopePicker";
import { tokenScopes, type TokenScope } from "./scopes";

type Token = Schemas["Token"];
const t = text.tokens;

const columns: Column<Token>[] = [
  { key: "name", title: t.name, value: (k) => k.name },
  { key: "scopes", title: t.scopes, value: (k) => k.scopes.join(" "), render: (k) => <ScopeList scopes={k.scopes} /> },
  { key: "used", title: t.used, value: (k) => k.last_used_at ?? "", render: (k) => (k.last_used_at ? <When at={k.last_used_at} as="ago" /> : t.never) },
  { key: "made", title: t.made, value: (k) => k.created_at, render: (k) => <When at={k.created_at} as="date" /> },
];

/** Keys for other systems. */
export function Tokens() {
  const [tab, setTab] = useQueryState("tab", "tokens");
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<{ title: string; secret: string }>();
  const make = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setMaking(true)}>
      {tab === "tokens" ? t.new : t.newClient}
    </Button>
  );
  const shown = (name: string, secret: string) => {
    setMaking(false);
    if (secret) {
      setMade({ title: fill(t.secretTitle, { name }), secret });
    }
  };
  return (
    <Page title={text.nav.tokens} about={t.about} actions={make}>
      <Tabs value={tab} onChange={setTab} keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="tokens">{t.tab}</Tabs.Tab>
          <Tabs.Tab value="clients">{t.clients}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="tokens">
          <List empty={<EmptyState title={t.empty} action={make}>{t.emptyText}</EmptyState>} />
        </Tabs.Panel>
        <Tabs.Panel value="clients">
          <Clients empty={<EmptyState title={t.clientsEmpty} action={make}>{t.clientsEmptyText}</EmptyState>} />
        </Tabs.Panel>
      </Tabs>
      {making && tab === "tokens" && <NewToken onClose={() => setMaking(false)} onMade={(k) => shown(k.name, k.secret)} />}
      <Modal opened={making && tab === "clients"} onClose={() => setMaking(false)} title={t.newClient} size="lg">
        <ClientForm onMade={(c) => shown(c.name, c.secret)} />
      </Modal>
      {made && <SecretOnce title={made.title} about={t.secretOnce} secret={made.secret} onClose={() => setMade(undefined)} />}
    </Page>
  );
}

function List({ empty }: { empty: React.ReactNode }) {
  const cache = useQueryClient();
  const [revoking, setRevoking] = useState<Token>();
  const deeds: Column<Token> = {
    key: "deeds",
    title: text.common.more,
    deeds: true,
    value: () => "",
    render: (k) => (
      <Button size="compact-sm" variant="subtle" color="red" onClick={() => setRevoking(k)} aria-label={fill(t.revokeTitle, { name: k.name })}>
        {t.revoke}
      </Button>
    ),
  };
  return (
    <>
      <DataTable
        name={t.tab}
        columns={[...columns, deeds]}
        source={source<Token>(["tokens"], (page, signal) => client.GET("/api/v1/tokens", { params: { query: page }, signal }))}
        rowKey={(k) => k.id}
        empty={empty}
      />
      {revoking && (
        <ConfirmDialog
          opened
          onClose={() => setRevoking(undefined)}
          title={fill(t.revokeTitle, { name: revoking.name })}
          action={t.revoke}
          danger
          onConfirm={async () => {
            await ok(client.DELETE("/api/v1/tokens/{id}", { params: { path: { id: revoking.id } } }));
            await cache.invalidateQueries();
          }}
        >
          <Text size="sm">{t.revokeText}</Text>
        </ConfirmDialog>
      )}
    </>
  );
}

function NewToken({ onClose, onMade }: { onClose: () => void; onMade: (token: Schemas["NewToken"]) => void }) {
  const cache = useQueryClient();
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<TokenScope[]>([]);
  const create = async () => {
    const made = await ok(client.POST("/api/v1/tokens", { body: { name: name.trim(), scopes: chosen } }));
    await cache.invalidateQueries();
    onMade(made);
  };
  return (
    <ConfirmDialog opened onClose={onClose} title={t.new} action={text.common.create} disabled={!name.trim() || chosen.length === 0} onConfirm={create}>
      <Stack>
        <Text size="sm">{t.newAbout}</Text>
        <TextInput label={t.name} description={t.nameHint} required maxLength={128} value={name} onChange={(e) => setName(e.currentTarget.value)} data-autofocus />
        <ScopePicker scopes={tokenScopes} value={chosen} onChange={setChosen} />
      </Stack>
    </ConfirmDialog>
  );
}
