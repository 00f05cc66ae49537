import { Table, UnstyledButton } from "@mantine/core";
import { IconArrowDown, IconArrowsSort, IconArrowUp } from "@tabler/icons-react";

import classes from "./DataTable.module.css";
import type { Order } from "./order";

interface Props {
  id: string;
  title: string;
  order: Order | undefined;
  sort: (key: string) => void;
  align?: "right";
  /** Not worth its place on a phone. */
  wide?: boolean;
  width?: string | number;
}

/** The head of a column: a button that sorts by it. */
export function Heading({ id, title, order, sort, align, wide, width }: Props) {
  const mine = order?.key === id;
  const Icon = mine ? (order.down ? IconArrowDown : IconArrowUp) : IconArrowsSort;
  return (
    <Table.Th aria-sort={mine ? (order.down ? "descending" : "ascending") : undefined} ta={align} w={width} data-wide={wide || undefined}>
      <UnstyledButton onClick={() => sort(id)} className={classes.heading}>
        {title}
        <Icon size={14} aria-hidden opacity={mine ? 1 : 0.35} />
      </UnstyledButton>
    </Table.Th>
  );
}
