import { Box, Table, type TableProps } from "@mantine/core";
import { useState, type ReactNode } from "react";

import { Sideways } from "../Sideways";
import { Heading } from "./Heading";
import { ordered, pressed, type Order } from "./order";
import classes from "./SmallTable.module.css";

export interface SmallColumn<T> {
  key: string;
  title: string;
  /** What is sorted by. */
  value: (row: T) => string | number;
  /** What is shown, if not the value. */
  render?: (row: T) => ReactNode;
  align?: "right";
  /** Not worth its place on a phone. */
  wide?: boolean;
  width?: string | number;
  /** Names the row. */
  head?: boolean;
}

interface Props<T> {
  /** Names the table for screen readers. */
  name: string;
  columns: SmallColumn<T>[];
  rows: readonly T[];
  rowKey: (row: T) => string;
  /** Rows below that stay where they are: sums. */
  foot?: ReactNode;
  /** px below which it scrolls within itself. */
  minWidth?: number;
  layout?: TableProps["layout"];
  w?: TableProps["w"];
  /** px above which it scrolls within itself. */
  mah?: number;
}

/**
 * The table of a part of a page: what belongs to one thing, all of it known. It sorts; it is too small to be filtered,
 * paged or exported. Until a head is pressed it has the order in which it was given.
 */
export function SmallTable<T>({ name, columns, rows, rowKey, foot, minWidth = 0, layout, w, mah }: Props<T>) {
  const [order, setOrder] = useState<Order>();
  const sort = (key: string) => setOrder((now) => pressed(now, key));
  const table = (
    <Table className={classes.table} layout={layout} w={w} miw={minWidth || undefined}>
      <Table.Thead>
        <Table.Tr>
          {columns.map((c) => (
            <Heading key={c.key} id={c.key} title={c.title} order={order} sort={sort} align={c.align} wide={c.wide} width={c.width} />
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {ordered(rows, columns, order).map((row) => (
          <Table.Tr key={rowKey(row)}>
            {columns.map((c) => {
              const content = c.render ? c.render(row) : c.value(row);
              return c.head ? (
                <Table.Th key={c.key} scope="row" fw={400} ta={c.align} data-wide={c.wide || undefined}>
                  {content}
                </Table.Th>
              ) : (
                <Table.Td key={c.key} ta={c.align} data-wide={c.wide || undefined}>
                  {content}
                </Table.Td>
              );
            })}
          </Table.Tr>
        ))}
      </Table.Tbody>
      {foot && <Table.Tfoot>{foot}</Table.Tfoot>}
    </Table>
  );
  return mah ? (
    <Box className={classes.tall} tabIndex={0} role="region" aria-label={name} mah={mah}>
      {table}
    </Box>
  ) : (
    <Sideways label={name}>{table}</Sideways>
  );
}
