import { Card, Group, Table, Text, Tooltip, UnstyledButton } from "@mantine/core";
import { IconArrowDown, IconArrowsSort } from "@tabler/icons-react";
import { Fragment, type ReactNode } from "react";

import { fill, text } from "../text";
import { formatPercent } from "../ui/locale";
import { Sideways } from "../ui/Sideways";
import type { MetricColumn } from "./columns";
import classes from "./Explorer.module.css";
import { isAdditive, orders, valueOf, type Figures, type Metric, type Order } from "./figures";
import { formatMetric } from "./words";

export interface Line {
  key: string;
  head: ReactNode;
  figures: Figures;
  /** Beside the name, at the right. */
  tools?: ReactNode;
  onOpen?: () => void;
}

interface Props {
  label: string;
  heading: string;
  columns: MetricColumn[];
  chosen: Metric;
  currency: string;
  order?: Order;
  onOrder?: (order: Order) => void;
  lines: Line[];
  other?: Figures;
  total: Figures;
  toolbar: ReactNode;
  footer?: ReactNode;
  stale?: boolean;
}

/** Figures by something, with the share that each has of the whole. */
export function MetricTable({ label, heading, columns, chosen, currency, order, onOrder, lines, other, total, toolbar, footer, stale }: Props) {
  const shares = isAdditive(chosen);
  const whole = shares ? valueOf(total, chosen, currency) : Math.max(...lines.map((l) => valueOf(l.figures, chosen, currency)), 0);
  const share = (f: Figures) => (whole > 0 ? Math.max(0, valueOf(f, chosen, currency)) / whole : 0);
  const mine = (c: MetricColumn) => c.metric === chosen && (c.currency === "" || c.currency === currency);
  const cells = (f: Figures, withShare: boolean) => (
    <>
      {columns.map((c) => (
        <Fragment key={c.metric + c.currency}>
          <Table.Td ta="right" data-wide={!mine(c) || undefined} className={mine(c) ? classes.chosen : undefined} style={{ whiteSpace: "nowrap" }}>
            {formatMetric(c.metric, valueOf(f, c.metric, c.currency), c.currency)}
          </Table.Td>
          {mine(c) && shares && (
            <Table.Td ta="right" className={classes.chosen} c="dimmed">
              {withShare && whole > 0 ? formatPercent(Math.round(share(f) * 1000) / 1000) : ""}
            </Table.Td>
          )}
        </Fragment>
      ))}
    </>
  );
  return (
    <Card padding={0} style={{ opacity: stale ? 0.6 : 1 }}>
      <Group p="sm" gap="sm" justify="flex-end">
        {toolbar}
      </Group>
      <Sideways label={label}>
        <Table className={classes.table} verticalSpacing="xs" horizontalSpacing="xs" fz="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th className={classes.key}>{heading}</Table.Th>
              {columns.map((c) => (
                <Fragment key={c.metric + c.currency}>
                  <Table.Th ta="right" data-wide={!mine(c) || undefined} aria-sort={order === c.metric ? "descending" : undefined}>
                    <ColumnHead column={c} order={order} onOrder={onOrder} />
                  </Table.Th>
                  {mine(c) && shares && (
                    <Table.Th ta="right">
                      <span className={classes.sort}>{text.analytics.share}</span>
                    </Table.Th>
                  )}
                </Fragment>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {lines.map((line) => (
              <Table.Tr key={line.key} className={line.onOpen && classes.row} onClick={line.onOpen && ((e) => !(e.target as Element).closest("button, a") && line.onOpen?.())}>
                <Table.Th scope="row" fw={400} className={classes.key}>
                  <Group gap={4} wrap="nowrap" justify="space-between">
                    <span style={{ minWidth: 0 }}>{line.head}</span>
                    {line.tools}
                  </Group>
                  <div className={classes.bar} style={{ width: `${Math.min(100, share(line.figures) * 100)}%` }} aria-hidden />
                </Table.Th>
                {cells(line.figures, true)}
              </Table.Tr>
            ))}
            {other && (
              <Table.Tr>
                <Table.Th scope="row" fw={400} c="dimmed">
                  <Tooltip label={text.analytics.otherHint}>
                    <span tabIndex={0}>{text.analytics.other}</span>
                  </Tooltip>
                </Table.Th>
                {cells(other, true)}
              </Table.Tr>
            )}
            <Table.Tr className={classes.sum}>
              <Table.Th scope="row">{text.analytics.total}</Table.Th>
              {cells(total, false)}
            </Table.Tr>
          </Table.Tbody>
        </Table>
      </Sideways>
      {footer && (
        <Text p="sm" size="xs" c="dimmed" component="div">
          {footer}
        </Text>
      )}
    </Card>
  );
}

function ColumnHead({ column: { metric }, order, onOrder }: { column: MetricColumn; order?: Order; onOrder?: Props["onOrder"] }) {
  const label = text.analytics.metrics[metric];
  const by = orders.find((o) => o === metric);
  const Icon = order === metric ? IconArrowDown : IconArrowsSort;
  return (
    <Tooltip label={text.analytics.hints[metric]} multiline maw={280}>
      {by && onOrder ? (
        <UnstyledButton className={classes.sort} onClick={() => onOrder(by)} aria-label={fill(text.analytics.orderBy, { metric: label })}>
          {label}
          <Icon size={14} aria-hidden opacity={order === metric ? 1 : 0.35} />
        </UnstyledButton>
      ) : (
        <span className={classes.sort} tabIndex={0}>
          {label}
        </span>
      )}
    </Tooltip>
  );
}
