import { Alert, Box, Button, Card, Checkbox, Group, Loader, Menu, Table, Text, TextInput, UnstyledButton, VisuallyHidden } from "@mantine/core";
import { IconArrowDown, IconArrowsSort, IconArrowUp, IconDownload, IconSearch } from "@tabler/icons-react";
import { useMemo, useRef, useState, type ReactNode } from "react";
import { useNavigate } from "react-router";

import { fill, text } from "../../text";
import { formatNumber } from "../locale";
import { Sideways } from "../Sideways";
import { EmptyState, ErrorState, LoadingState } from "../states";
import { csv, save } from "./csv";
import classes from "./DataTable.module.css";
import { Heading } from "./Heading";
import { ordered, pressed, type Order } from "./order";
import { maxRows, pageSize, readAll, useSource, type Source } from "./source";

export interface Column<T> {
  key: string;
  title: string;
  /** What is sorted, filtered and exported. Amounts: minor units; times: as the API gives them. */
  value: (row: T) => string | number;
  /** What is shown, if not the value. */
  render?: (row: T) => ReactNode;
  align?: "right";
  /** Not worth its place on a phone. */
  wide?: boolean;
  /** What can be done with a row: neither sorted nor exported. */
  deeds?: boolean;
  /** In exported files alone. */
  hidden?: boolean;
  /** Its title in exported files, if another. */
  fileTitle?: string;
}

interface Props<T> {
  /** Names the table for screen readers and the exported file. */
  name: string;
  columns: Column<T>[];
  /** A list of the API, or rows that are there already. */
  source: Source<T> | readonly T[];
  rowKey: (row: T) => string;
  /** The page of a row. */
  to?: (row: T) => string;
  onRow?: (row: T) => void;
  /** Filters that the server applies; they belong to the source's key. */
  filters?: ReactNode;
  /** The filters search for words in the whole list, so none is offered for those in what is loaded. */
  searched?: boolean;
  /** What stands there while there is nothing. */
  empty?: ReactNode;
  actions?: ReactNode;
  /** What can be done with rows that were chosen; with it, rows can be chosen. clear chooses none. */
  bulk?: (chosen: T[], clear: () => void) => ReactNode;
}

/** A list that people sort, filter, page through and export. On a phone each row is a card. */
export function DataTable<T>(props: Props<T>) {
  return "page" in props.source ? <Paged {...props} source={props.source} /> : <Rows {...props} rows={props.source} />;
}

interface Work {
  label: string;
  rows: number;
  stop: () => void;
}

function Paged<T>({ source, ...props }: Omit<Props<T>, "source"> & { source: Source<T> }) {
  const query = useSource(source);
  const [whole, setWhole] = useState<{ key: string; rows: T[] }>();
  const [work, setWork] = useState<Work>();
  const [failure, setFailure] = useState<unknown>();
  const running = useRef<AbortController>(undefined);
  const key = JSON.stringify(source.key);

  async function all(label: string): Promise<T[] | undefined> {
    running.current?.abort();
    const controller = (running.current = new AbortController());
    const stop = () => controller.abort();
    setFailure(undefined);
    setWork({ label, rows: 0, stop });
    try {
      return await readAll(source, (rows) => setWork({ label, rows, stop }), controller.signal);
    } catch (error) {
      if (!controller.signal.aborted) {
        setFailure(error);
      }
      return undefined;
    } finally {
      if (running.current === controller) {
        setWork(undefined);
      }
    }
  }

  if (!query.data) {
    return (
      <Card padding={0}>
        {(props.filters || props.actions) && (
          <Group p="sm" gap="sm" align="flex-end" className={classes.bar}>
            {props.filters}
            {props.actions}
          </Group>
        )}
        <Box p="md">{query.isError ? <ErrorState error={query.error} retry={() => void query.refetch()} /> : <LoadingState />}</Box>
      </Card>
    );
  }
  const loaded = query.data.pages.flatMap((page) => page.items);
  const complete = !query.hasNextPage;
  return (
    <Rows
      {...props}
      rows={whole?.key === key && !complete ? whole.rows : loaded}
      more={complete || whole?.key === key ? undefined : { load: () => void query.fetchNextPage(), loading: query.isFetchingNextPage }}
      work={work}
      failure={failure}
      readWhole={async (label) => {
        if (complete) {
          return loaded;
        }
        const rows = whole?.key === key ? whole.rows : await all(label);
        if (rows) {
          setWhole({ key, rows });
        }
        return rows;
      }}
    />
  );
}

interface RowsProps<T> extends Omit<Props<T>, "source"> {
  rows: readonly T[];
  more?: { load: () => void; loading: boolean };
  work?: Work;
  failure?: unknown;
  readWhole?: (label: string) => Promise<T[] | undefined>;
}

function Rows<T>({ name, columns, rows, rowKey, to, onRow, filters, searched, empty, actions, bulk, more, work, failure, readWhole }: RowsProps<T>) {
  const [order, setOrder] = useState<Order>();
  const [needle, setNeedle] = useState("");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const navigate = useNavigate();
  const found = useMemo(() => arrange(rows, columns, order, needle), [rows, columns, order, needle]);
  // However many there are, a page's worth is drawn at a time.
  const [room, setRoom] = useState(pageSize);
  const shown = found.length > room ? found.slice(0, room) : found;
  const next = () => {
    setRoom(room + pageSize());
    if (found.length <= room) {
      more?.load();
    }
  };
  const exported = columns.filter((c) => !c.deeds);
  const visible = columns.filter((c) => !c.hidden);

  const sort = (key: string) => {
    setOrder((now) => pressed(now, key));
    void readWhole?.(text.table.sorting);
  };
  const exportCSV = async () => {
    const everything = readWhole ? await readWhole(text.table.exporting) : rows;
    if (everything) {
      const body = arrange(everything, columns, order, needle).map((row) => exported.map((c) => c.value(row)));
      save(`${name.toLowerCase().replaceAll(" ", "-")}.csv`, csv([exported.map((c) => c.fileTitle ?? c.title), ...body]), "text/csv");
    }
  };
  // Only what is still in the list counts as chosen; filtering does not forget it.
  const picked = bulk ? rows.filter((row) => chosen.has(rowKey(row))) : [];
  const choose = (keys: string[], on: boolean) =>
    setChosen((now) => {
      const next = new Set(now);
      keys.forEach((key) => (on ? next.add(key) : next.delete(key)));
      return next;
    });
  const open = to || onRow ? (row: T) => (onRow ? onRow(row) : void navigate(to!(row))) : undefined;

  return (
    <Card padding={0}>
      {(rows.length > 0 || filters || actions) && (
        <Group p="sm" gap="sm" align="flex-end" className={classes.bar}>
          {filters}
          {rows.length > 0 && !searched && (
            <TextInput
              aria-label={`${text.table.filter}: ${name}`}
              placeholder={text.table.filter}
              leftSection={<IconSearch size={16} aria-hidden />}
              value={needle}
              onChange={(e) => setNeedle(e.currentTarget.value)}
              onBlur={() => needle && void readWhole?.(text.table.sorting)}
              className={classes.filter}
            />
          )}
          {actions}
          {rows.length > 1 && <SortMenu columns={visible.filter((c) => !c.deeds)} order={order} sort={sort} />}
          {rows.length > 0 && (
            <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />} onClick={() => void exportCSV()}>
              {text.table.export}
            </Button>
          )}
        </Group>
      )}
      {bulk && picked.length > 0 && (
        <Group px="sm" py="xs" gap="sm" className={classes.chosen} role="group" aria-label={text.table.chosenActions}>
          <Text size="sm" fw={600} aria-live="polite">
            {fill(text.table.chosen, { n: formatNumber(picked.length) })}
          </Text>
          {bulk(picked, () => setChosen(new Set()))}
          <Button size="compact-sm" variant="subtle" onClick={() => setChosen(new Set())}>
            {text.table.chooseNone}
          </Button>
        </Group>
      )}
      {work && (
        <Group px="sm" pb="sm" gap="xs" role="status">
          <Loader size="xs" />
          <Text size="sm">{fill(work.label, { n: formatNumber(work.rows) })}</Text>
          <Button size="compact-xs" variant="subtle" onClick={work.stop}>
            {text.common.cancel}
          </Button>
        </Group>
      )}
      {failure !== undefined && <ErrorState error={failure} />}
      {rows.length >= maxRows && <Alert color="yellow">{fill(text.table.capped, { n: formatNumber(maxRows) })}</Alert>}
      {shown.length === 0 ? (
        rows.length === 0 ? (empty ?? <EmptyState title={text.table.empty} />) : <EmptyState title={text.table.noMatch} action={<Button variant="light" size="xs" onClick={() => setNeedle("")}>{text.table.clear}</Button>} />
      ) : (
        <Sideways label={name}>
          <Table highlightOnHover={open !== undefined} verticalSpacing="sm" className={classes.table}>
            <Table.Caption className={classes.caption}>{name}</Table.Caption>
            <Table.Thead>
              <Table.Tr>
                {bulk && (
                  <Table.Th w={40}>
                    <Checkbox
                      aria-label={text.table.chooseAll}
                      checked={shown.every((row) => chosen.has(rowKey(row)))}
                      indeterminate={shown.some((row) => chosen.has(rowKey(row))) && !shown.every((row) => chosen.has(rowKey(row)))}
                      onChange={(e) => choose(shown.map(rowKey), e.currentTarget.checked)}
                    />
                  </Table.Th>
                )}
                {visible.map((c) =>
                  c.deeds ? (
                    <Table.Th key={c.key}>
                      <VisuallyHidden>{c.title}</VisuallyHidden>
                    </Table.Th>
                  ) : (
                    <Heading key={c.key} id={c.key} title={c.title} order={order} sort={sort} align={c.align} wide={c.wide} />
                  ),
                )}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {shown.map((row) => (
                <Table.Tr key={rowKey(row)} onClick={open && ((e) => fromControl(e.target) || open(row))} className={open && classes.open} data-chosen={chosen.has(rowKey(row)) || undefined}>
                  {bulk && (
                    <Table.Td className={classes.choose}>
                      <Checkbox aria-label={fill(text.table.chooseRow, { row: String(columns[0]?.value(row) ?? "") })} checked={chosen.has(rowKey(row))} onChange={(e) => choose([rowKey(row)], e.currentTarget.checked)} />
                    </Table.Td>
                  )}
                  {visible.map((c, i) => (
                    <Table.Td key={c.key} data-label={c.deeds ? "" : c.title} data-wide={c.wide || undefined} ta={c.align}>
                      {i === 0 && open ? (
                        <UnstyledButton className={classes.opener} onClick={() => open(row)}>
                          {c.render ? c.render(row) : c.value(row)}
                        </UnstyledButton>
                      ) : c.render ? (
                        c.render(row)
                      ) : (
                        c.value(row)
                      )}
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Sideways>
      )}
      <Group p="sm" justify="space-between" display={rows.length === 0 && !more ? "none" : undefined}>
        <Text size="sm" c="dimmed" aria-live="polite">
          {shown.length < found.length
            ? fill(more ? text.table.partOfMore : text.table.partOf, { n: formatNumber(shown.length), all: formatNumber(found.length) })
            : fill(more ? text.table.ofMore : text.table.of, { n: formatNumber(shown.length) })}
        </Text>
        {(more || shown.length < found.length) && (
          <Button variant="light" size="xs" onClick={next} loading={more?.loading}>
            {text.table.next}
          </Button>
        )}
      </Group>
    </Card>
  );
}

// A click on a button, a link or a field in a row is not a click on the row.
function fromControl(target: EventTarget): boolean {
  return target instanceof Element && target.closest("a, button, input, label, [role=menuitem]") !== null;
}

/** Phones show no headings: there the order is chosen here. */
function SortMenu<T>({ columns, order, sort }: { columns: Column<T>[]; order: Order | undefined; sort: (key: string) => void }) {
  return (
    <Box hiddenFrom="sm">
      <Menu closeOnItemClick={false} position="bottom-start">
        <Menu.Target>
          <Button variant="default" leftSection={<IconArrowsSort size={16} aria-hidden />}>
            {text.table.sort}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {columns.map((c) => (
            <Menu.Item key={c.key} onClick={() => sort(c.key)} rightSection={order?.key === c.key && (order.down ? <IconArrowDown size={16} /> : <IconArrowUp size={16} />)} aria-current={order?.key === c.key || undefined}>
              {c.title}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </Box>
  );
}

function arrange<T>(rows: readonly T[], columns: Column<T>[], order: Order | undefined, needle: string): readonly T[] {
  const words = needle.trim().toLowerCase();
  return ordered(words ? rows.filter((row) => columns.some((c) => String(c.value(row)).toLowerCase().includes(words))) : rows, columns, order);
}
