import { ActionIcon, Group, Select, Tooltip, UnstyledButton } from "@mantine/core";
import { IconFilter, IconFilterOff } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { fill, text } from "../text";
import { columnsFor } from "./columns";
import { CSVButton } from "./CSVButton";
import classes from "./Explorer.module.css";
import { filterBy } from "./FilterBar";
import { MetricTable, type Line } from "./MetricTable";
import type { Query, Report, Whose } from "./report";
import { limits, type Dimension } from "./state";
import type { ViewControl } from "./useView";
import { valueLabel } from "./words";

interface Props {
  control: ViewControl;
  whose: Whose;
  query: Query;
  report: Report;
  currency: string;
  names: Record<string, string>;
  stale: boolean;
}

/** The largest groups of a dimension. A click on one looks at it alone. */
export function GroupTable({ control, whose, query, report, currency, names, stale }: Props) {
  const { view, set } = control;
  const dimension = view.by as Dimension;
  const lines: Line[] = report.rows.map((row) => {
    const label = valueLabel(dimension, row.key, names);
    // A text that begins with ! cannot be asked for: the API takes it for "leave out".
    const can = !row.key.startsWith("!");
    const only = () => filterBy(control, { dimension, value: row.key, not: false });
    return {
      key: row.key, figures: row, onOpen: can ? only : undefined,
      head: can ? (
        <UnstyledButton className={classes.keyButton} onClick={only} title={fill(text.analytics.only, { value: label })}>
          {label}
        </UnstyledButton>
      ) : label,
      tools: can && (
        <Group gap={0} wrap="nowrap" visibleFrom="sm">
          <Tool label={fill(text.analytics.only, { value: label })} onClick={only} icon={<IconFilter size={14} />} />
          <Tool label={fill(text.analytics.without, { value: label })} onClick={() => filterBy(control, { dimension, value: row.key, not: true })} icon={<IconFilterOff size={14} />} />
        </Group>
      ),
    };
  });
  return (
    <MetricTable
      label={text.analytics.dimensions[dimension]} heading={text.analytics.dimensions[dimension]} columns={columnsFor(report.total, currency, view.metric)} chosen={view.metric}
      currency={currency} order={view.order} onOrder={(order) => set({ order, metric: order })} lines={lines} other={report.other} total={report.total} stale={stale}
      toolbar={
        <>
          <Select
            aria-label={text.analytics.rows} value={String(view.limit)} onChange={(n) => n && set({ n })} data={limits.map((n) => ({ value: String(n), label: `${text.analytics.rows}: ${n}` }))}
            allowDeselect={false} w={130}
          />
          <CSVButton whose={whose} query={query} name={dimension} />
        </>
      }
    />
  );
}

function Tool({ label, onClick, icon }: { label: string; onClick: () => void; icon: ReactNode }) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" size="sm" aria-label={label} onClick={onClick}>
        {icon}
      </ActionIcon>
    </Tooltip>
  );
}
