import { Button, Modal } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useNavigate } from "react-router";

import { source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { When } from "../../ui/When";
import { ProgramForm } from "./ProgramForm";
import { SecretOnce } from "./Secret";

type Program = Schemas["Program"];

const t = text.partners;

const columns: Column<Program>[] = [
  { key: "name", title: t.name, value: (p) => p.name },
  { key: "status", title: t.status, value: (p) => text.states[p.status] ?? p.status, render: (p) => <StateBadge state={p.status} label={p.status === "disabled" ? t.closed : undefined} /> },
  { key: "currency", title: t.currency, value: (p) => p.currency },
  { key: "window", title: t.window, value: (p) => p.attribution_window_days, render: (p) => fill(t.days, { n: p.attribution_window_days }), align: "right" },
  { key: "model", title: t.model, value: (p) => t.models[p.attribution_model] ?? p.attribution_model, wide: true },
  { key: "hold", title: t.hold, value: (p) => p.hold_days, render: (p) => fill(t.days, { n: p.hold_days }), align: "right" },
  { key: "created", title: t.created, value: (p) => p.created_at, render: (p) => <When at={p.created_at} as="date" /> },
];

export function Programs() {
  const writes = may(useMe(), "catalog:write");
  const navigate = useNavigate();
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<Schemas["ProgramWithSecret"]>();
  const add = writes && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setMaking(true)}>
      {t.addProgram}
    </Button>
  );
  return (
    <Page title={text.nav.programs} about={t.programsAbout} actions={add}>
      <DataTable
        name={text.nav.programs}
        source={source<Program>(["programs"], (query, signal) => client.GET("/api/v1/programs", { params: { query }, signal }))}
        rowKey={(p) => p.id}
        columns={columns}
        to={(p) => `/admin/programs/${p.id}`}
        empty={<EmptyState title={t.noPrograms}>{t.programsAbout}</EmptyState>}
      />
      <Modal opened={making} onClose={() => setMaking(false)} title={t.addProgram} size="xl">
        <ProgramForm
          onMade={(program) => {
            setMaking(false);
            setMade(program);
          }}
        />
      </Modal>
      {made && <SecretOnce program={made} onClose={() => void navigate(`/admin/programs/${made.id}`)} />}
    </Page>
  );
}
